"""The cells of an image while rows are added to it, in forms that take few bytes a cell and no branch a row.

What a row costs is mostly the wait for its cell, and counts of a byte lie in caches that counts of four bytes leave.
Some cells more than the image has take the rows outside.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.reductions.base import Planes, Reduction, Rows, check_size, not_null, valued
from bigviz.aggregate.reductions.by import By
from bigviz.aggregate.reductions.counts import Count, Presence
from bigviz.aggregate.reductions.extremes import Extreme
from bigviz.aggregate.reductions.kernels import spread_cells
from bigviz.aggregate.reductions.sums import Sum, TimeMean
from bigviz.aggregate.reductions.tally_kernels import (
    add_and_count,
    add_bytes,
    add_wrapped,
    count_bytes,
    highest,
    lowest,
    set_marks,
)  # fmt: skip
from bigviz.common.cancel import NEVER
from bigviz.common.jit import frozen

__all__ = [
    "SPARE", "CountTally", "ExtremeTally", "MarkTally", "PlanesTally", "SumTally", "Tally", "tally",
]  # fmt: skip

Array = npt.NDArray[Any]
Cells = npt.NDArray[np.int32]

SPARE: Final = 8  # cells for rows in no cell, a power of two: `outside` and those after it


class Tally(Protocol):
    """Takes rows by cell."""

    @property
    def outside(self) -> int:
        """The number of no cell."""

    def add(self, cells: Cells, rows: Rows) -> None:
        """Add rows, in their order."""

    def planes(self) -> Planes:
        """The planes of the reduction, as `create` shapes them. Nothing may be added afterwards."""


def tally(
    reduction: Reduction,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    categories: int,
    narrow: bool = False,
    look: Callable[[], None] = NEVER.check,
) -> Tally:
    """A tally of nothing yet; `dtype` and `categories` as for `Reduction.create`, which also raises for it.

    `narrow` says that all values are float32. `look` is called before long steps.
    """
    check_size((categories, *shape) if isinstance(reduction, By) else shape)
    if isinstance(reduction, By):
        inner = tally(reduction.inner, (categories, *shape), dtype, 0, narrow, look)
        return _SpreadTally(inner, math.prod(shape), categories)
    if isinstance(reduction, Count):
        return CountTally(reduction, shape)
    if isinstance(reduction, Presence):
        return MarkTally(reduction, shape)
    if isinstance(reduction, Sum) and not isinstance(reduction, TimeMean):
        return SumTally(reduction, shape, dtype)
    if isinstance(reduction, Extreme) and dtype.kind == "f":
        return ExtremeTally(reduction, shape, np.dtype(np.float32 if narrow else np.float64))
    return PlanesTally(reduction.create(shape, dtype, 0, look), reduction)


class CountTally:
    """Counts: a byte each, and the cells whose byte came round, once for each time. These are one in 256 rows, at
    most."""

    def __init__(self, reduction: Count, shape: tuple[int, ...]) -> None:
        self.reduction, self.shape, self.outside = reduction, shape, math.prod(shape)
        self.low, self.wrapped = np.zeros(self.outside + SPARE, np.uint8), np.empty(0, np.int32)
        self.found, self._rows = 0, 0

    def expect(self, rows: int) -> None:
        """Make room for so many rows more."""
        self._rows += rows
        most = self._rows // 256
        if most > len(self.wrapped):
            self.wrapped = np.append(self.wrapped[: self.found], np.empty(2 * most - self.found, np.int32))

    def add(self, cells: Cells, rows: Rows) -> None:
        if self.reduction.column is not None:
            cells = not_null(cells, rows, self.outside)
        self.expect(len(cells))
        self.found = count_bytes(self.low, self.wrapped, self.found, cells)

    def planes(self) -> Planes:
        counts = np.zeros(self.outside, np.uint32)
        add_bytes(self.low, counts)
        add_wrapped(self.wrapped[: self.found], counts)
        return (counts.reshape(self.shape),)


class MarkTally:
    """Which cells hold a row, a byte each."""

    def __init__(self, reduction: Presence, shape: tuple[int, ...]) -> None:
        self.reduction, self.shape, self.outside = reduction, shape, math.prod(shape)
        self.marks = np.zeros(self.outside + SPARE, np.uint8)

    def add(self, cells: Cells, rows: Rows) -> None:
        set_marks(self.marks, cells if self.reduction.column is None else not_null(cells, rows, self.outside))

    def planes(self) -> Planes:
        return (self.marks[: self.outside].reshape(self.shape),)


class SumTally:
    """Sums, in float64 or int64, and the number of their values."""

    def __init__(self, reduction: Sum, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self.shape, self.counts = shape, CountTally(Count(), shape)
        self.outside = self.counts.outside
        first = -0.0 if reduction.restarts and dtype.kind == "f" else 0  # -0 to which -0 can be added
        self.sums = np.full(self.outside + SPARE, first, dtype)

    def add(self, cells: Cells, rows: Rows) -> None:
        cells, values = valued(not_null(cells, rows, self.outside), rows, self.sums.dtype, self.outside)
        counts = self.counts
        counts.expect(len(cells))
        counts.found = add_and_count(self.sums, counts.low, counts.wrapped, counts.found, cells, values)

    def planes(self) -> Planes:
        return self.sums[: self.outside].reshape(self.shape), *self.counts.planes()


class ExtremeTally:
    """Minima or maxima of floats in the values' own width, NaN where there is none."""

    def __init__(self, reduction: Extreme, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self.shape, self.outside, self.lowest = shape, math.prod(shape), reduction.lowest
        self.best = np.full(self.outside + SPARE, np.nan, dtype)

    def add(self, cells: Cells, rows: Rows) -> None:
        cells, values = valued(cells, rows, self.best.dtype, self.outside)
        (lowest if self.lowest else highest)(self.best, cells, values)

    def planes(self) -> Planes:
        best = self.best[: self.outside].reshape(self.shape)
        return best.astype(np.float64), (best == best).view(np.uint8)


class PlanesTally:
    """Any reduction, by its own planes."""

    outside: Final = -1

    def __init__(self, planes: Planes, reduction: Reduction) -> None:
        self._planes, self._reduction = planes, reduction

    def add(self, cells: Cells, rows: Rows) -> None:
        self._reduction.append(self._planes, cells, rows)

    def planes(self) -> Planes:
        return self._planes


class _SpreadTally:
    """A tally over stacked planes, one a category."""

    def __init__(self, inner: Tally, plane: int, categories: int) -> None:
        self.inner, self.plane, self.categories, self.outside = inner, plane, categories, -1

    def add(self, cells: Cells, rows: Rows) -> None:
        assert rows.codes is not None
        codes = frozen(np.ascontiguousarray(rows.codes, np.int32))
        spread = np.empty(len(cells), np.int32)
        spread_cells(frozen(cells), codes, self.plane, self.categories, self.inner.outside, spread)
        self.inner.add(spread, rows)

    def planes(self) -> Planes:
        return self.inner.planes()
