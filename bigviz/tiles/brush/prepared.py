"""Where a brush takes its columns from: all rows of a dataset, or some of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.axis import Axis
from bigviz.aggregate.layer import Layer
from bigviz.aggregate.spaces import space
from bigviz.common.cancel import Cancel
from bigviz.common.errors import Unreadable
from bigviz.common.progress import Progress
from bigviz.common.threads.few_at_a_time import FewAtATime
from bigviz.common.workers import Crew
from bigviz.data.columns.column import Column
from bigviz.data.dataset import Dataset
from bigviz.tiles.answers.layer_answers import LayerAnswers
from bigviz.tiles.brush.held import BrushMemory
from bigviz.tiles.grid.row_filter import row_filter
from bigviz.tiles.grid.window import Number, within
from bigviz.tiles.morton.order import Order

__all__ = ["Behind", "Layers", "NotKept", "Prepared", "within_ends"]

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]
_FAR: Final = 2.0**1023
_AT_ONCE: Final = 4  # brushes whose columns are made: more of them take longer, each and all together


class Layers(Protocol):
    """The built layers of an engine."""

    def ready(self, dataset: Dataset, layer: Layer, progress: Progress, cancel: Cancel) -> LayerAnswers:
        """A layer, built if need be."""

    def order(self, dataset: Dataset, layer: Layer) -> Order | None:
        """The rows of a layer of points in order, where it has one order of all of them."""

    def request(self) -> AbstractContextManager[None]:
        """While this is held, builds make way."""

    def mended(self, dataset: Dataset, layer: Layer, error: Unreadable) -> Unreadable:
        """The error to raise for one that rows in order, or a line, met with; a damaged store is removed."""


class NotKept(Exception):
    """Memory does not hold what was to be there already."""


@dataclass(frozen=True)
class Behind:
    """The background work of all brushes of an engine: what takes milliseconds (samples, and all of a table of few
    rows); orders and columns, which may have to wait for an index; and blocks of rows."""

    quick: FewAtATime = field(default_factory=lambda: FewAtATime("bigviz-brush-quick", _AT_ONCE))
    columns: FewAtATime = field(default_factory=lambda: FewAtATime("bigviz-brush", _AT_ONCE))
    blocks: FewAtATime = field(default_factory=lambda: FewAtATime("bigviz-brush-blocks"))


@dataclass(frozen=True)
class Prepared:
    """The rows of a dataset that a brush is over: all of them, or those with the numbers `some` (int64, ascending, from
    0), whose columns are `columns`. With `before` it is a part of a table, which has so many rows before it, and steps
    tell what is added to those of other parts. With `only_kept` nothing is made: NotKept is raised instead."""

    dataset: Dataset
    layers: Layers
    memory: BrushMemory
    crew: Crew
    some: Array | None = None
    columns: Mapping[str, Column] = field(default_factory=dict)
    before: int | None = None
    behind: Behind = field(default_factory=Behind)
    only_kept: bool = False

    @property
    def rows(self) -> int:
        """How many rows."""
        return self.dataset.num_rows if self.some is None else len(self.some)

    def ready(self, layer: Layer) -> LayerAnswers:
        """A layer, built if need be."""
        if self.only_kept:
            raise NotKept(layer)
        return self.layers.ready(self.dataset, layer, self.crew.progress, self.crew.cancel)

    def column(self, name: str) -> Column:
        """A column of these rows."""
        if self.some is not None:
            return self.columns[name]
        return self.dataset.column(name, self.crew.progress, self.crew.cancel)

    def axis(self, column: str, kind: str, which: str) -> Axis:
        """A column in a space."""
        return Axis(self.column(column), space(kind, "x" if which == "x" else "y"))

    def axes(self, layer: Layer) -> tuple[Axis, Axis]:
        """Both axes of a layer."""
        return self.axis(layer.x, layer.xaxis, "x"), self.axis(layer.y, layer.yaxis, "y")

    def numbers(self, places: Array) -> npt.NDArray[np.int64]:
        """The row numbers in the dataset of some of these rows."""
        found = places.astype(np.int64) if self.some is None else self.some[places]
        return np.asarray(found + (self.dataset.first_row + (self.before or 0)), np.int64)

    def kept(self, layer: Layer) -> Mask | None:
        """Which of these rows a layer's filter keeps; None: all of them."""
        found = row_filter(self.dataset, layer)
        if found is None:
            return None
        if self.some is None:
            return found.of_file(self.crew)
        if found.decided(self._complete) or self.some[-1] - self.some[0] >= self.rows:
            return found.mask(self.columns, self.rows)  # of a sample, which is an estimate anyway
        return found.masks(int(self.some[0]), int(self.some[-1]) + 1, self.crew.cancel)(self.rows)

    def _complete(self, name: str) -> bool:
        """Whether a column has a number in every row."""
        return self.columns[name].valid is None and self.columns[name].values.dtype.kind != "f"

    def kept_so_far(self, key: Hashable) -> Any:
        """What memory holds of this version of the dataset under a key; None for nothing, and where only some rows are
        looked at."""
        if self.some is not None:
            return None
        return self.memory.find((self.dataset.fingerprint, self.dataset.version, key))

    def keep(self, key: Hashable, row_bytes: int, make: Callable[[Crew], Any]) -> Any:
        """What memory holds of this version of the dataset under a key, or is made now; of some rows it is made."""
        if self.some is not None:
            return make(self.crew)
        whole = (self.dataset.fingerprint, self.dataset.version, key)
        if self.only_kept and self.memory.find(whole) is None:
            raise NotKept(key)
        return self.memory.get(whole, self.rows * row_bytes, make, self.crew)


def within_ends(axis: Axis, low: Number, high: Number) -> Mask:
    """Which rows of a column lie in a half-open window; an infinite end leaves its side open, to infinities too."""
    values, valid = axis.slice(0, len(axis))
    inside: Mask
    if math.isinf(low) or math.isinf(high):
        if values.dtype.kind == "f":
            inside = (values >= low) & (values <= high if high == math.inf else values < high)
        else:
            ends = -(1 << 63) if math.isinf(low) else low, 1 << 64 if math.isinf(high) else high
            inside = within(values, *ends) if low < math.inf and high > -math.inf else np.zeros(len(values), np.bool_)
    else:
        inside = within(values, low, high)
    return inside if valid is None else inside & valid
