"""Bars by label while workers pass over their rows: those of the parts that have answered, until all have."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from bigviz.aggregate.dyadic_cells import Root
from bigviz.aggregate.layer import Layer
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.errors import BadInput, Busy, Cancelled
from bigviz.common.workers import Crew
from bigviz.data.dataset import Dataset
from bigviz.tiles.answers.answer import Drawn, Estimate
from bigviz.tiles.answers.bars import Bars
from bigviz.tiles.answers.columns import Columns
from bigviz.tiles.answers.layer_info import LayerInfo
from bigviz.tiles.bars.bars_by_label import BarLayer, Summed, finished_bars, labels_of, no_rows
from bigviz.tiles.cluster.cluster_points import widened
from bigviz.tiles.cluster.messages import Answer, arrays_of, layer_facts
from bigviz.tiles.cluster.parts.division import Part
from bigviz.tiles.cluster.parts.growth import await_growth
from bigviz.tiles.cluster.workers import Workers
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.grid.window import Number

__all__ = ["BarPasses"]

_LOOK: Final = 0.02  # seconds between two looks at a caller's cancel flag


@dataclass(eq=False)
class BarPasses:
    """See `bigviz.tiles.interface.SampledLayer`. `dtype` is what the reduction of all rows adds up in; `layer` is bound
    to the dataset, whose labels are known."""

    dataset: Dataset
    layer: Layer
    parts: Sequence[Part]
    named: tuple[str, ...]
    dtype: np.dtype[Any]
    threads: int
    workers: Workers
    _found: dict[Part, Answer] = field(default_factory=dict, init=False)
    _noted: threading.Condition = field(default_factory=threading.Condition, init=False, repr=False)
    _under_way: bool = field(default=False, init=False)
    _error: BaseException | None = field(default=None, init=False)
    _stop: Cancel = field(default_factory=Cancel, init=False)
    _ident: str = field(default="", init=False)

    def some(self, cancel: Cancel) -> None:
        """Wait until a part has been passed over. Raises what workers raise."""
        self._wait(lambda: bool(self._found), cancel)

    def run(self, cancel: Cancel) -> BarLayer:
        """The bars of all rows. Raises what workers raise; passes are given up once nobody waits for them."""
        try:
            self._wait(lambda: self.whole, cancel)
        except Cancelled:
            self._stop.cancel()
            self.workers.cancel(self._ident, self.parts)
            raise
        return self.known(cancel)

    def known(self, cancel: Cancel = NEVER) -> BarLayer:
        """The bars of the rows that were passed over, added up in the order of the parts."""
        dataset, layer = self.dataset, self.layer
        labels, kinds = labels_of(dataset, layer, Crew(self.threads, cancel=cancel))
        total = no_rows(layer.reduction, len(labels), self.dtype, len(kinds or ()), cancel)
        for part in self.parts:
            answer = self._found.get(part)
            if answer is not None:
                seen, counts, *planes = (
                    each for each in arrays_of(answer.head["arrays"], answer.bodies) if each is not None
                )
                found = Summed(widened(layer.reduction, tuple(planes), self.dtype), seen, counts)
                total.add(found, layer.reduction)
        return finished_bars(dataset, layer, labels, kinds, total)

    @property
    def roots(self) -> tuple[Root, Root]:
        return self.facts.root_x, self.facts.root_y

    @property
    def generation(self) -> int:
        return 1 + len(self._found)

    @property
    def whole(self) -> bool:
        return len(self._found) == len(self.parts)

    @property
    def facts(self) -> LayerInfo:
        return self.known().facts(self.dataset, self.layer)

    @property
    def dense(self) -> None:
        return None

    def grow(self, cancel: Cancel = NEVER) -> None:
        """Wait for another part, some time at most."""
        await_growth(self._noted, lambda: self.generation, cancel)

    def bars(self, x0: Number, x1: Number, cancel: Cancel = NEVER) -> tuple[Bars, Estimate]:
        there = sum(part.rows for part in self.parts if part in self._found)
        if not there:
            raise Busy("No worker of the cluster has passed over its rows of this table yet: try again.")
        every = sum(part.rows for part in self.parts)
        return self.known(cancel).bars(x0, x1, cancel), Estimate(there / every, None, False)

    def tile(self, key: TileKey, cancel: Cancel = NEVER) -> tuple[Drawn, Estimate]:
        raise BadInput("bars have no tiles", "glyph", "bar")

    def columns(self, x0: Number, x1: Number, width: int, cancel: Cancel = NEVER) -> tuple[Columns, Estimate]:
        raise BadInput("only a line has columns, got glyph 'bar'", "glyph", "bar")

    def _wait(self, met: Callable[[], bool], cancel: Cancel) -> None:
        """Have the parts passed over that were not yet, unless that is under way, and wait until something is met. What
        another caller gives up meanwhile is begun again."""
        with self._noted:
            if not self._under_way:
                self._begin()
            while not met():
                cancel.check()
                if self._error is not None and self._stop.cancelled:
                    self._begin()
                elif self._error is not None:
                    raise self._error
                self._noted.wait(_LOOK)

    def _begin(self) -> None:
        self._under_way, self._error = True, None
        self._stop, self._ident = Cancel(), self.workers.next_ident()
        self.workers.begin(self._pass(self._stop))

    async def _pass(self, stop: Cancel) -> None:
        asked: Mapping[str, Any] = {"ask": "label_bars", "layer": layer_facts(self.layer), "labels": self.named}
        error: BaseException | None = None
        try:
            left = [part for part in self.parts if part not in self._found]
            await self.workers.answers(left, asked, self._ident, stop, self._note, None)
        except asyncio.CancelledError:
            error = Cancelled()
            raise
        except BaseException as failure:  # handed to those that wait
            error = failure
        finally:
            with self._noted:
                self._under_way, self._error = False, error
                self._noted.notify_all()

    def _note(self, part: Part, epoch: int, answer: Answer) -> None:
        with self._noted:
            self._found[part] = answer
            self._noted.notify_all()
