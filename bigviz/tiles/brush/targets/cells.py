"""Which cell of a target a row falls in: from what lies beside the rows in the source's order to cells of a view.

Cells are numbered block by block of 256 x 256, as they are sent: that of column c and row r (0 the highest) of a view
that is `across` blocks wide is `((r >> 8) * across + (c >> 8)) * 65536 + (r & 255) * 256 + (c & 255)`.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.axis import Axis
from bigviz.aggregate.dyadic_cells import INSIDE, Root
from bigviz.common.jit import frozen, jit
from bigviz.common.workers import Crew, slices
from bigviz.data.columns.column import Column
from bigviz.tiles.brush.linked import RasterView
from bigviz.tiles.brush.orders.source_order import SourceOrder
from bigviz.tiles.brush.orders.stretches import Picked
from bigviz.tiles.brush.targets.in_order import filled, halves_in_order, in_order
from bigviz.tiles.grid.tile_key import DEEPEST
from bigviz.tiles.grid.window import Number, float_from, integer_from
from bigviz.wire.codec import SIDE

__all__ = ["ONE_CELL", "Bins", "Cells", "Raster", "Words", "bins_of", "labels_of", "words_of"]

Array = npt.NDArray[Any]

_COARSE: Final = 8  # the deepest level whose cells the upper 16 bits of a code tell
_SLICE: Final = 1 << 17  # rows whose codes stay in the processor's cache
_EVEN: Final = 0.5  # of a bin: how far edges may be from even ones to be found by a product


class Cells(Protocol):
    """Finds cells. `width` and `height` are the view's."""

    @property
    def width(self) -> int: ...

    @property
    def height(self) -> int: ...

    def cells(self, picked: Picked) -> Array:
        """The cell (int32) of each row, below 0 for none: a new array."""


@dataclass(frozen=True, eq=False)
class Words:
    """Both codes of each row in a layer's roots: their upper 16 bits in one array of words (uint32), their lower 16
    bits in another, those of x above those of y. Views down to level 8 read the first alone. Rows outside have `mark`
    in the first, which no row inside has."""

    upper: Array
    lower: Array
    mark: int

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return int(self.upper.nbytes + self.lower.nbytes)


@dataclass(frozen=True)
class Raster:
    """Cells of a view of a layer's root."""

    words: Words
    view: RasterView

    @property
    def width(self) -> int:
        return self.view.width

    @property
    def height(self) -> int:
        return self.view.height

    def cells(self, picked: Picked) -> Array:
        view = self.view
        upper = picked.take(self.words.upper)
        out = np.empty(picked.rows, np.int32)
        top = (SIDE << view.zy) - 1 - view.top  # the view's first row, counted from the bottom
        place = (view.left, top, view.width, view.height, view.blocks[0])
        mark = np.uint32(self.words.mark)
        if max(view.zx, view.zy) <= _COARSE:
            less = np.array([_COARSE - view.zx, _COARSE - view.zy], np.uint32)
            _coarse_cells(upper, mark, less, np.array(place, np.int32), out)
        else:
            lower = picked.take(self.words.lower)
            _fine_cells(upper, lower, mark, DEEPEST - view.zx, DEEPEST - view.zy, *place, out)
        return out


class _OneCell:
    """One cell, in which all rows lie."""

    width = height = 1

    def cells(self, picked: Picked) -> Array:
        return np.zeros(picked.rows, np.int32)


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


def words_of(axes: tuple[Axis, Axis], roots: tuple[Root, Root], order: SourceOrder, crew: Crew) -> Words:
    """The codes of all rows in a layer's roots, in a source's order."""
    rows = len(axes[0])
    words = np.empty(rows, np.uint64)
    tried = np.random.default_rng(0)
    mark = (1 << 32) - 1
    while True:
        taken = threading.Event()

        def read(piece: tuple[int, int], mark: int = mark, taken: threading.Event = taken) -> int:
            start, stop = piece
            codes = np.empty((2, stop - start), np.uint32)
            where = [
                root.codes(*axis.slice(start, stop), out) for root, axis, out in zip(roots, axes, codes, strict=True)
            ]
            inside = (where[0] == INSIDE) & (where[1] == INSIDE)
            if _pack(codes[0], codes[1], inside, np.uint32(mark), words[start:stop]):
                taken.set()
            return stop - start

        crew.run("finding cells", read, slices(rows, _SLICE), rows)
        if not taken.is_set():
            break
        mark = int(tried.integers(1 << 32))
    return Words(*halves_in_order(order, words, crew), mark)


def labels_of(column: Column, order: SourceOrder, crew: Crew) -> Bins:
    """The codes of a category's labels, in a source's order."""
    count = len(column.categories or ())
    dtype = _narrow(count)

    def read(start: int, stop: int) -> Array:
        codes = column.values[start:stop]
        lost = codes < 0 if column.valid is None else (codes < 0) | ~column.valid[start:stop]
        return np.where(lost, count, codes).astype(dtype)

    return Bins(frozen(in_order(order, filled(len(column), dtype, read, crew), crew)), count)


def bins_of(axis: Axis, edges: tuple[Number, ...], closed: bool, order: SourceOrder, crew: Crew) -> Bins:
    """The bins of an axis's numbers, in a source's order; compared with the edges exactly."""
    count = len(edges) - 1
    dtype = _narrow(count)

    def read(start: int, stop: int) -> Array:
        values, valid = axis.slice(start, stop)
        return bins_among(values, valid, edges, closed).astype(dtype)

    return Bins(frozen(in_order(order, filled(len(axis), dtype, read, crew), crew)), count)


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
def _pack(x: Array, y: Array, inside: Array, mark: np.uint32, words: Array) -> bool:
    """Whether a row inside has the mark's codes. The upper half of a word is that of both codes."""
    taken = False
    low = np.uint32(0xFFFF)
    for k in range(x.size):
        upper = (x[k] & ~low) | (y[k] >> np.uint32(16))
        taken |= (upper == mark) & inside[k]
        lower = (x[k] & low) << np.uint32(16) | (y[k] & low)
        words[k] = np.uint64(upper if inside[k] else mark) << np.uint64(32) | np.uint64(lower)
    return taken


@jit
def _coarse_cells(upper: Array, mark: np.uint32, less: Array, place: Array, out: Array) -> None:
    """In 32 bits throughout, so that eight rows are taken at a time."""
    left, top, width, height, across = place[0], place[1], place[2], place[3], place[4]
    shift_x, shift_y, low, byte = np.uint32(16) + less[0], less[1], np.uint32(0xFFFF), np.int32(255)
    eight, sixteen, none = np.int32(8), np.int32(16), np.int32(-1)
    for k in range(upper.size):
        word = upper[k]
        column = np.int32(word >> shift_x) - left
        row = top - np.int32((word & low) >> shift_y)
        inside = (np.uint32(column) < np.uint32(width)) & (np.uint32(row) < np.uint32(height)) & (word != mark)
        cell = ((row >> eight) * across + (column >> eight) << sixteen) + ((row & byte) << eight) + (column & byte)
        out[k] = cell if inside else none


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
