"""Which cell of a target a row falls in: from what lies beside the rows in the source's order to cells of a view.

Cells are numbered block by block of 256 x 256, as they are sent: that of column c and row r (0 the highest) of a view
that is `across` blocks wide is `((r >> 8) * across + (c >> 8)) * 65536 + (r & 255) * 256 + (c & 255)`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.axis import Axis
from bigviz.common.jit import frozen, jit
from bigviz.common.workers import Crew
from bigviz.data.columns.column import Column
from bigviz.tiles.brush.linked import RasterView
from bigviz.tiles.brush.orders.position_ranges import Picked
from bigviz.tiles.brush.orders.source_order import SourceOrder
from bigviz.tiles.brush.targets.coarse_cells import coarse_cells
from bigviz.tiles.brush.targets.halves import COARSE, Halves
from bigviz.tiles.brush.targets.in_order import AxisNumbers, filled, in_order
from bigviz.tiles.brush.targets.kernels import count_rows
from bigviz.tiles.brush.targets.keyed_halves import KeyedHalves
from bigviz.tiles.grid.tile_key import DEEPEST
from bigviz.tiles.grid.window import Number, float_from, integer_from
from bigviz.wire.codec import SIDE

__all__ = ["ONE_CELL", "Bins", "Cells", "Raster", "bins_of", "labels_of"]

Array = npt.NDArray[Any]

_EVEN: Final = 0.5  # of a bin: how far edges may be from even ones to be found by a product


class Cells(Protocol):
    """Finds cells. `width` and `height` are the view's."""

    @property
    def width(self) -> int: ...

    @property
    def height(self) -> int: ...

    def cells(self, picked: Picked) -> Array:
        """The cell (int32) of each row, below 0 for none: a new array."""

    def count(self, picked: Picked, sign: int, counts: Array) -> None:
        """Add 1 or -1, the `sign`, to the count (int32) of each row's cell."""


@dataclass(frozen=True)
class Raster:
    """Cells of a view of a layer's root; views down to level 8 need no `lower` halves of codes."""

    upper: Halves | KeyedHalves
    lower: Halves | None
    view: RasterView

    @property
    def width(self) -> int:
        return self.view.width

    @property
    def height(self) -> int:
        return self.view.height

    def cells(self, picked: Picked) -> Array:
        view, upper = self.view, self.upper.take(picked)
        out = np.empty(picked.rows, np.int32)
        mark = np.uint32(self.upper.mark)
        if self.lower is None:
            coarse_cells(upper, mark, *self._coarse(), out)
        else:
            lower = self.lower.take(picked)
            _fine_cells(upper, lower, mark, DEEPEST - view.zx, DEEPEST - view.zy, *self._place(), out)
        return out

    def count(self, picked: Picked, sign: int, counts: Array) -> None:
        if self.lower is None:
            self.upper.count(picked, *self._coarse(), sign, counts)
        else:
            count_rows(self.cells(picked), sign, counts)

    def _place(self) -> tuple[int, int, int, int, int]:
        view = self.view
        top = (SIDE << view.zy) - 1 - view.top  # the view's first row, counted from the bottom
        return view.left, top, view.width, view.height, view.blocks[0]

    def _coarse(self) -> tuple[Array, Array]:
        less = np.array([COARSE - self.view.zx, COARSE - self.view.zy], np.uint32)
        return less, np.array(self._place(), np.int32)


class _OneCell:
    """One cell, in which all rows lie."""

    width = height = 1

    def cells(self, picked: Picked) -> Array:
        return np.zeros(picked.rows, np.int32)

    def count(self, picked: Picked, sign: int, counts: Array) -> None:
        counts[0] += sign * picked.rows


ONE_CELL: Final = _OneCell()


@dataclass(frozen=True, eq=False)
class Bins:
    """The bin or label of each row (uint8, uint16 or uint32), `width` and more for none: one row of cells."""

    codes: Array
    width: int
    height: int = 1

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return int(self.codes.nbytes)

    def cells(self, picked: Picked) -> Array:
        out = np.empty(picked.rows, np.int32)
        _bin_cells(picked.take(self.codes), self.width, out)
        return out

    def count(self, picked: Picked, sign: int, counts: Array) -> None:
        _count_bins(picked.low, picked.high, picked.places, self.codes, self.width, sign, counts)


def labels_of(column: Column, order: SourceOrder, crew: Crew) -> Bins:
    """The codes of a category's labels, in a source's order."""
    count = len(column.categories or ())
    dtype = _narrow(count)

    def read(start: int, stop: int) -> Array:
        codes = column.values[start:stop]
        lost = codes < 0 if column.valid is None else (codes < 0) | ~column.valid[start:stop]
        return np.where(lost, count, codes).astype(dtype)

    return Bins(frozen(in_order(order, filled(len(column), dtype, read, crew), crew)), count)


def bins_of(
    axis: Axis, edges: tuple[Number, ...], closed: bool, order: SourceOrder, held: AxisNumbers | None, crew: Crew
) -> Bins:
    """The bins of an axis's numbers, compared with the edges exactly, in a source's order; `held` are the numbers in
    that order, if they are there."""
    count = len(edges) - 1
    dtype = _narrow(count)

    def read(start: int, stop: int) -> Array:
        values, valid = (axis if held is None else held).slice(start, stop)
        return bins_among(values, valid, edges, closed).astype(dtype)

    found = filled(len(axis), dtype, read, crew)
    return Bins(frozen(found if held is not None else in_order(order, found, crew)), count)


def bins_among(values: Array, valid: Array | None, edges: tuple[Number, ...], closed: bool) -> Array:
    """The bin (uint32) of each number, `len(edges) - 1` for none."""
    count = len(edges) - 1
    out = np.empty(len(values), np.uint32)
    exact, top = _edges_in(values.dtype, edges, closed)
    mask = frozen(np.empty(0, np.bool_) if valid is None else valid)
    low, high = float(edges[0]), float(edges[-1])
    scale = count / (high - low) if 0 < high - low < np.inf else 0.0
    even = np.abs((np.array([float(edge) for edge in edges]) - low) * scale - np.arange(count + 1)).max() < _EVEN
    _bins(frozen(values), mask, frozen(exact), top, low, scale if even else 0.0, out)
    return out


def _edges_in(dtype: np.dtype[Any], edges: tuple[Number, ...], closed: bool) -> tuple[Array, int]:
    """For each edge the least number of a type that is not below it, and for the last one of closed bins the least
    above it; and how many of them there are: no number reaches the others."""
    found: list[Any] = []
    for k, edge in enumerate(edges):
        last = closed and k == len(edges) - 1
        if dtype.kind == "f":
            least = float_from(edge)
            found.append(np.nextafter(least, np.inf) if last and least == edge else least)
            continue
        number, some = integer_from(math.floor(edge) + 1 if last else edge, dtype)
        if not some:
            break
        found.append(number)
    kind = np.float64 if dtype.kind == "f" else dtype
    return np.array(found + [found[-1] if found else 0] * (len(edges) - len(found)), kind), len(found)


def _narrow(count: int) -> np.dtype[Any]:
    """The narrowest type for the numbers up to `count`."""
    return np.dtype(np.uint8 if count < 1 << 8 else np.uint16 if count < 1 << 16 else np.uint32)


@jit
def _fine_cells(
    upper: Array, lower: Array, mark: np.uint32, less_x: int, less_y: int, left: int, top: int, width: int, height: int,
    across: int, out: Array,
) -> None:  # fmt: skip
    low = np.int64(0xFFFF)
    for k in range(upper.size):
        above, below = np.int64(upper[k]), np.int64(lower[k])
        column = ((above & ~low) + (below >> 16) >> less_x) - left
        row = top - (((above & low) << 16) + (below & low) >> less_y)
        if 0 <= column < width and 0 <= row < height and upper[k] != mark:
            out[k] = np.int32(((row >> 8) * across + (column >> 8) << 16) + ((row & 255) << 8) + (column & 255))
        else:
            out[k] = -1


@jit
def _bin_cells(codes: Array, width: int, out: Array) -> None:
    for k in range(codes.size):
        code = np.int64(codes[k])
        out[k] = np.int32((code >> 8 << 16) + (code & 255)) if code < width else -1


@jit
def _count_bins(lows: Array, highs: Array, chosen: Array, codes: Array, width: int, sign: int, counts: Array) -> None:
    for r in range(lows.size):
        for k in range(lows[r], highs[r]):
            code = np.int64(codes[k])
            if code < width:
                counts[(code >> 8 << 16) + (code & 255)] += sign
    for k in range(chosen.size):
        code = np.int64(codes[chosen[k]])
        if code < width:
            counts[(code >> 8 << 16) + (code & 255)] += sign


@jit
def _bins(values: Array, valid: Array, edges: Array, reached: int, low: float, scale: float, out: Array) -> None:
    """With a `scale` other than 0 the bins are about even: a product finds one nearby, and edges are compared from
    there on."""
    count = edges.size - 1
    for k in range(values.size):
        value = values[k]
        out[k] = count
        if (valid.size > 0 and not valid[k]) or reached == 0 or not value >= edges[0]:
            continue
        if reached > count and value >= edges[count]:
            continue
        if scale != 0.0:
            at = int(min(max((np.float64(value) - low) * scale, 0.0), float(count - 1)))
            while at > 0 and (at >= reached or value < edges[at]):
                at -= 1
            while at + 1 < min(reached, count) and value >= edges[at + 1]:
                at += 1
        else:
            at, stop = 0, min(reached, count)
            while stop - at > 1:
                middle = (at + stop) >> 1
                if value < edges[middle]:
                    stop = middle
                else:
                    at = middle
        out[k] = at
