"""A series that rows are added to at its end: what it was before stays as it is, and costs nothing.

A version of it is a length. The arrays have room for rows to come and never move; a node of the tree is written once,
when its block is full; the number that closes the last gap is any number beyond the rows, before and after it is known.
So views of older lengths can be read while rows are added. Pages of memory that nothing was written to do not count.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.jit import frozen
from bigviz.tiles.series.series import (
    FAN,
    LEAF,
    Series,
    Tree,
    fill_gaps,
    find_extremes,
    join_blocks,
    tree_starts,
)
from bigviz.tiles.series.sorted_numbers import PITCH, Ascending, ascending

__all__ = ["GrowingSeries"]

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]

_OPEN: Final = np.iinfo(np.int64).max  # where a gap ends whose end has not come
_EDGES: Final = 1 << 8  # edges of gaps that there is room for at first


class GrowingSeries:
    """Room for `capacity` rows (fewer than 2^32 - 1) of x and y in two dtypes (float32, float64, int64 or uint64).

    One thread at a time may add rows; any may read the series that `series` has given.
    """

    def __init__(self, x: np.dtype[Any], y: np.dtype[Any], capacity: int) -> None:
        self.capacity, self.size = capacity, 0
        self._x, self._y = np.empty(capacity, x), np.empty(capacity, y)
        self._fences = np.empty(-(-capacity // PITCH), x)
        self._rows: Array | None = None
        self._gaps = np.empty(_EDGES, np.int64)
        self._edges = 0  # of gaps, without the end of one that is open
        self._starts = tree_starts(capacity)
        self._values = np.empty((self._starts[-1], 2), y)
        self._places = np.empty((self._starts[-1], 2), np.uint32)
        self._nodes = [0] * (len(self._starts) - 1)  # written, of each level

    @property
    def room(self) -> int:
        """How many more rows there is room for."""
        return self.capacity - self.size

    def append(self, x: Array, y: Array, known: Mask | None, rows: Array | None) -> None:
        """Add rows in x order, none of which is before the last one, and as many as there is room for.

        `known` says which y are numbers (None: all; floats that are not finite are none), `rows` their row numbers
        (uint32; None: those after the rows before, where these are numbered by their positions).
        """
        before, after = self.size, self.size + len(x)
        self._number(rows, before, after)
        self._x[before:after] = x
        fence = -(-before // PITCH)
        self._fences[fence : -(-after // PITCH)] = self._x[fence * PITCH : after : PITCH]
        if y.dtype.kind == "f":
            known = np.isfinite(y) if known is None else known & np.isfinite(y)
        known = None if known is None or known.all() else known
        self._y[before:after] = y
        if known is not None:
            self._hide(self._y[before:after], known, before)
        self._add_gaps(known, before, len(x))
        self.size = after
        self._add_nodes()

    def series(self, is_sorted: bool) -> Series:
        """The rows so far; `is_sorted` is what the series says of itself."""
        edges = self._edges + self._edges % 2
        x = Ascending(
            self.size,
            self._x.dtype,
            None,
            frozen(self._x[: self.size]),
            frozen(self._fences[: -(-self.size // PITCH)]),
        )
        tree = Tree(frozen(self._values), frozen(self._places), np.empty((0, 2)), self._starts)
        rows = None if self._rows is None else self._rows[: self.size]
        return Series(x, frozen(self._y[: self.size]), ascending(self._gaps[:edges]), rows, tree, is_sorted)

    @property
    def nbytes(self) -> int:
        """Bytes of what was written."""
        row = self._x.itemsize + self._y.itemsize + (0 if self._rows is None else 4)
        node = 2 * self._y.itemsize + 8
        return self.size * row + 8 * self._edges + node * sum(self._nodes)

    def _number(self, rows: Array | None, before: int, after: int) -> None:
        if self._rows is None and rows is not None:
            self._rows = np.empty(self.capacity, np.uint32)
            self._rows[:before] = np.arange(before, dtype=np.uint32)
        if self._rows is not None and rows is not None:
            self._rows[before:after] = rows
        elif self._rows is not None:
            first = 0 if before == 0 else int(self._rows[before - 1]) + 1
            self._rows[before:after] = np.arange(first, first + after - before, dtype=np.uint32)

    def _hide(self, values: Array, known: Mask, before: int) -> None:
        """Make what is no number invisible to a search for extremes that starts at a number."""
        if values.dtype.kind == "f":
            values[~known] = np.nan
        else:
            fill_gaps(values, known, self._y[before - 1] if before else 0)

    def _add_gaps(self, known: Mask | None, before: int, count: int) -> None:
        within = self._edges % 2
        if count == 0 or (known is None and not within):
            return
        missing = np.zeros(count, np.int8) if known is None else (~known).view(np.int8)
        edges = np.flatnonzero(np.diff(missing, prepend=np.int8(within))) + before
        total = self._edges + len(edges)
        if total + 1 > len(self._gaps):
            more = np.empty(max(2 * len(self._gaps), total + 1), np.int64)
            more[: self._edges + within] = self._gaps[: self._edges + within]
            self._gaps = more
        self._gaps[self._edges : total] = edges
        if total % 2:
            self._gaps[total] = _OPEN
        self._edges = total

    def _add_nodes(self) -> None:
        """Write the nodes of blocks that have become full."""
        first, stop = self._nodes[0], self.size // LEAF
        if first < stop:
            begin, end = first * LEAF, stop * LEAF
            mask = self._known(begin, end) if self._y.dtype.kind != "f" else None
            nodes = slice(first, stop)
            find_extremes(self._y[begin:end], mask, begin, self._values[nodes], self._places[nodes])
        self._nodes[0] = stop
        for level in range(1, len(self._nodes)):
            first, stop = self._nodes[level], self._nodes[level - 1] // FAN
            if first == stop:
                break
            below = slice(int(self._starts[level - 1]) + first * FAN, int(self._starts[level - 1]) + stop * FAN)
            nodes = slice(int(self._starts[level]) + first, int(self._starts[level]) + stop)
            join_blocks(self._values[below], self._places[below], self._values[nodes], self._places[nodes])
            self._nodes[level] = stop

    def _known(self, start: int, stop: int) -> Mask | None:
        return self.series(True).heights(start, stop)[1] if self._edges else None
