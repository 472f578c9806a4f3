"""Bars: what a reduction makes of the rows of each bin of a histogram, or of each label."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bigviz.aggregate.spaces import Space
from bigviz.data.columns.column import ColumnInfo
from bigviz.tiles.answers.answer import Cost

__all__ = ["Bars"]

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Bars:
    """Bars that follow each other along x, one row of them a category.

    `edges` are bins + 1 axis-space numbers, which ascend (int64 nanoseconds for times); bars of labels lie between
    -0.5, 0.5, 1.5 and so on, and `names` are their labels. `values`, `filled` and `rows` have the shape (categories,
    bins): the reduction's values, which of them there are, and numbers of rows (int64). `categories` are the labels
    under `by`. `first` is the number of the first bin among those of its level; `closed` says that the last one holds
    its upper edge; `zero`, that a bar without rows is 0.
    """

    edges: Array
    values: Array
    filled: npt.NDArray[np.bool_]
    rows: npt.NDArray[np.int64]
    first: int
    x: ColumnInfo
    spaces: tuple[Space, Space]
    closed: bool = False
    zero: bool = True
    categories: tuple[str, ...] | None = None
    names: tuple[str, ...] | None = None
    cost: Cost = field(default_factory=Cost)

    @property
    def bins(self) -> int:
        """How many bins there are."""
        return int(self.values.shape[1])

    @cached_property
    def heights(self) -> tuple[Array, npt.NDArray[np.bool_]]:
        """The values as numbers of the y axis, 0 where there are none, and where there are some."""
        if self.spaces[1].forward is None:
            return np.where(self.filled, self.values, self.values.dtype.type(0)), self.filled
        numbers, _ = self.spaces[1].map(np.ascontiguousarray(self.values).reshape(-1), None)
        shown = numbers.reshape(self.values.shape)
        filled = self.filled & np.isfinite(shown)
        return np.where(filled, shown, 0.0), filled

    # As rows of a line's columns, which is how bars travel: for each category an entry a bin, with its lower edge, and
    # one for the upper edge of the last.

    @property
    def column(self) -> npt.NDArray[np.int32]:
        """The bin among these, int32."""
        return np.tile(np.arange(len(self.edges), dtype=np.int32), len(self.values))

    @property
    def run(self) -> npt.NDArray[np.int32]:
        """The category, int32."""
        return np.repeat(np.arange(len(self.values), dtype=np.int32), len(self.edges))

    @property
    def row(self) -> npt.NDArray[np.int64]:
        """How many rows a bar is made of; -1 where it has no value."""
        return _closed(np.where(self.heights[1], self.rows, -1), -1, len(self.edges))

    @property
    def at(self) -> tuple[Array, Array]:
        """x and y in axis space."""
        return np.tile(self.edges, len(self.values)), _closed(self.heights[0], 0, len(self.edges))

    def table(self) -> pa.Table:
        """`start` and `end` of each bar in the type of the column (on a log axis too; of whole numbers in 64 bits, of
        times as nanoseconds), or its `label`; `value`, null where there is none; under `by`, `category`: one row a bar
        and category, category by category."""
        many = len(self.values)
        columns: dict[str, Any] = {}
        if self.names is not None:
            columns["label"] = pa.array(list(self.names) * many, pa.string())
        else:
            columns["start"] = _own(np.tile(self.edges[:-1], many), self.x, self.spaces[0])
            columns["end"] = _own(np.tile(self.edges[1:], many), self.x, self.spaces[0])
        columns["value"] = pa.array(self.values.reshape(-1), mask=~self.filled.reshape(-1))
        if self.categories is not None:
            names = np.repeat(np.array(self.categories, object), self.bins)
            columns["category"] = pa.array(names.tolist(), pa.string())
        return pa.table(columns)


def _closed(values: Array, last: int, edges: int) -> Array:
    """Rows of bins, with one entry more in each, as one array; of no bins nothing."""
    if edges == 0:
        return values.reshape(-1)
    return np.append(values, np.full((len(values), 1), last, values.dtype), axis=1).reshape(-1)


_TIMES: Final = {"duration": pa.duration("ns"), "time": pa.time64("ns")}


def _own(numbers: Array, info: ColumnInfo, space: Space) -> pa.Array:
    """Axis numbers as the column has them."""
    if space.inverse is not None:
        return pa.array([space.value(number) for number in numbers.tolist()], pa.float64())
    found = pa.array(numbers)
    return found.cast(_TIMES.get(info.kind, pa.timestamp("ns", info.zone))) if info.is_time else found
