"""Previews of layers whose index is not there: begun, grown and drawn, while builds make way, from samples kept here.

Layers of one dataset read the same sample, so that another reduction of it need not begin with the file.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable
from typing import Final

from bigviz.aggregate.layer import Layer
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.priority import Turns
from bigviz.common.workers import Crew
from bigviz.data.dataset import Dataset
from bigviz.tiles.answers.answer import Drawn
from bigviz.tiles.answers.line_layer import Columns
from bigviz.tiles.estimates.jackknife import Estimate
from bigviz.tiles.estimates.preview import Known, Preview
from bigviz.tiles.estimates.sample import Sample
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.grid.window import Number

__all__ = ["Previews"]

_SAMPLES: Final = 2  # datasets whose samples are kept: 64 MB each


class Previews:
    """Every method blocks and may be called from any thread, `grow` of one preview from one at a time."""

    def __init__(self, threads: int, turns: Turns) -> None:
        self._threads = threads
        self._turns = turns
        self._samples: dict[Hashable, Sample] = {}  # the latest last
        self._lock = threading.Lock()

    def begin(self, dataset: Dataset, layer: Layer, cancel: Cancel) -> Preview:
        """A preview of the first of a sample, ready to be drawn. Raises what reading does, and Cancelled."""
        with self._turns.request():
            try:
                preview = Preview(layer, self._sample(dataset), Crew(self._threads, cancel=cancel))
                preview.rehearse(cancel)
            except BaseException:
                self.rest(dataset, layer)
                raise
            return preview

    def of_known(self, dataset: Dataset, layer: Layer, known: Known, cancel: Cancel) -> Preview:
        """A preview of a layer whose facts are known, on one thread."""
        with self._turns.request():
            return Preview(layer, self._sample(dataset), Crew(1, cancel=cancel), known)

    def grow(self, preview: Preview, cancel: Cancel = NEVER) -> None:
        """Let a preview's sample grow, on one thread: the others are the build's."""
        preview.grow(Crew(1, cancel=cancel))

    def tile(self, preview: Preview, key: TileKey, cancel: Cancel = NEVER) -> tuple[Drawn, Estimate]:
        """An estimate of a tile from a sample as it is now."""
        with self._turns.request():
            return preview.draw(key, cancel)

    def columns(
        self, preview: Preview, x0: Number, x1: Number, width: int, cancel: Cancel = NEVER
    ) -> tuple[Columns, Estimate]:
        """A line through sampled rows."""
        with self._turns.request():
            return preview.columns(x0, x1, width, cancel)

    def rest(self, dataset: Dataset, layer: Layer) -> None:
        """A build is over, well or not: the files that its sample reads on from are closed."""
        with self._lock:
            sample = self._samples.get((dataset.fingerprint, dataset.version))
        if sample is not None:
            sample.close((layer.x, layer.y, *layer.reduction.columns))

    def _sample(self, dataset: Dataset) -> Sample:
        """The dataset's sample, kept for the datasets that were sampled last."""
        key = (dataset.fingerprint, dataset.version)
        with self._lock:
            sample = self._samples.pop(key, None) or Sample(dataset)
            self._samples[key] = sample
            while len(self._samples) > _SAMPLES:
                self._samples.pop(next(iter(self._samples))).close()
        return sample
