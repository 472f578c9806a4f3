"""Previews of layers whose index is not there: begun, grown and drawn, while builds make way, from samples kept here.
Layers of one dataset share a sample, so that another reduction need not read the file again.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable
from typing import Final

from bigviz.aggregate.dyadic_cells import Root
from bigviz.aggregate.layer import Layer
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.errors import BadInput
from bigviz.common.priority import Turns
from bigviz.common.workers import Crew
from bigviz.data.dataset import Dataset
from bigviz.tiles.answers.answer import Drawn, Estimate
from bigviz.tiles.answers.bars import Bars
from bigviz.tiles.answers.columns import Columns
from bigviz.tiles.answers.dense_part import DensePart
from bigviz.tiles.answers.layer_info import LayerInfo
from bigviz.tiles.estimates.preview import Known, Preview
from bigviz.tiles.estimates.sample import Sample
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.grid.window import Number

__all__ = ["Previews", "SampledLayer"]

_SAMPLES: Final = 2  # datasets whose samples are kept: 64 MB each


class SampledLayer:
    """A layer whose index is not there, as a sample shows it; see `Preview`. Builds make way for its answers."""

    def __init__(self, preview: Preview, turns: Turns) -> None:
        self._preview, self._turns = preview, turns

    @property
    def roots(self) -> tuple[Root, Root]:
        """The roots that its tiles are of."""
        return self._preview.roots

    @property
    def generation(self) -> int:
        """How often the sample has grown."""
        return self._preview.generation

    @property
    def whole(self) -> bool:
        """Whether the sample has stopped growing."""
        return self._preview.whole

    @property
    def facts(self) -> LayerInfo:
        """The facts of the layer, according to the first units of the sample."""
        return self._preview.facts

    @property
    def dense(self) -> DensePart | None:
        """Where nearly all rows of a layer of points lie, if that is a small part of their range; None for lines, and
        for roots that hold all rows."""
        return self._preview.dense

    def grow(self, cancel: Cancel = NEVER) -> None:
        """Let the sample grow, on one thread: the others are the build's. One caller at a time."""
        self._preview.grow(Crew(1, cancel=cancel))

    def tile(self, key: TileKey, cancel: Cancel = NEVER) -> tuple[Drawn, Estimate]:
        """An estimate of a tile from the sample as it is now."""
        with self._turns.request():
            return self._preview.draw(key, cancel)

    def columns(self, x0: Number, x1: Number, width: int, cancel: Cancel = NEVER) -> tuple[Columns, Estimate]:
        """A line through the sampled rows."""
        with self._turns.request():
            return self._preview.columns(x0, x1, width, cancel)

    def bars(self, x0: Number, x1: Number, cancel: Cancel = NEVER) -> tuple[Bars, Estimate]:
        """Raises BadInput: it is of points or a line. Bars have estimates on a cluster only."""
        raise BadInput("only a histogram and bar have bars", "glyph")


class Previews:
    """Every method blocks and may be called from any thread."""

    def __init__(self, threads: int, turns: Turns) -> None:
        self._threads = threads
        self._turns = turns
        self._samples: dict[Hashable, Sample] = {}  # the latest last
        self._lock = threading.Lock()

    def begin(self, dataset: Dataset, layer: Layer, cancel: Cancel) -> SampledLayer:
        """A preview of the first of a sample, ready to be drawn. Raises what reading does, and Cancelled."""
        with self._turns.request():
            try:
                preview = Preview(layer, self._sample(dataset), Crew(self._threads, cancel=cancel))
                preview.rehearse(cancel)
            except BaseException:
                self.rest(dataset, layer)
                raise
            return SampledLayer(preview, self._turns)

    def of_known(self, dataset: Dataset, layer: Layer, known: Known, cancel: Cancel) -> Preview:
        """A preview of a layer whose facts are known, on one thread."""
        with self._turns.request():
            return Preview(layer, self._sample(dataset), Crew(1, cancel=cancel), known)

    def rest(self, dataset: Dataset, layer: Layer) -> None:
        """A build has ended, successfully or not: close the files that its sample keeps open."""
        with self._lock:
            sample = self._samples.get((dataset.fingerprint, dataset.version))
        if sample is not None:
            sample.close(layer.columns)

    def _sample(self, dataset: Dataset) -> Sample:
        """The dataset's sample, kept for the datasets that were sampled last."""
        key = (dataset.fingerprint, dataset.version)
        with self._lock:
            sample = self._samples.pop(key, None) or Sample(dataset)
            self._samples[key] = sample
            while len(self._samples) > _SAMPLES:
                self._samples.pop(next(iter(self._samples))).close()
        return sample
