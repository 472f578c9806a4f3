"""A line's rows in x order, its gaps, and a tree that finds the lowest and the highest row of any range.

The tree holds, for each block of 64 rows and then for blocks of 16 blocks, the position of the first lowest and the
first highest value. A range costs at most two blocks of rows and two dozen nodes a level.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.jit import frozen, jit
from bigviz.data.errors import TooLarge
from bigviz.tiles.axis import Axis
from bigviz.tiles.order import MOST_ROWS
from bigviz.tiles.root import numbers_of
from bigviz.tiles.sort import sort_keys
from bigviz.tiles.work import SLICE, Crew, slices

__all__ = ["Series", "Tree", "build_series"]

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]

_STAGE: Final = "building the line"
_STEP: Final = 64  # rows from one entry of `steps` to the next
_LEAF: Final = 64  # rows of a block
_FAN: Final = 16  # blocks of a block
_NONE: Final = np.uint32(0xFFFFFFFF)  # a block without a value
_ALL: Final = frozen(np.empty(0, np.bool_))


@dataclass(frozen=True)
class Tree:
    """Positions (uint32) of the lowest and highest value of every block, level by level from the rows up.

    Level k lies at `starts[k]` to `starts[k + 1]` of `lows` and `highs`; a block without a value holds 2^32 - 1.
    `least` and `most` are the values there: looking them up in the rows would miss the cache every time.
    """

    lows: Array
    highs: Array
    least: Array
    most: Array
    starts: Array

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.lows.nbytes + self.highs.nbytes + self.least.nbytes + self.most.nbytes


@dataclass(frozen=True)
class Series:
    """Rows whose x is a number, in x order, ties in file order.

    `x` and `y` are axis-space numbers (float32, float64, int64 or uint64), `steps` is every 64th x; `valid` says where
    an integer y is a number (empty: everywhere), and a float y that is none is NaN. `rows` holds the row numbers
    (uint32; None: position k is row k). `gap_starts` and `gap_stops` (int64, ascending) are the half-open runs of
    positions without a y.
    """

    x: Array
    steps: Array
    y: Array
    valid: Mask
    rows: Array | None
    gap_starts: Array
    gap_stops: Array
    tree: Tree
    sorted: bool

    def __len__(self) -> int:
        return len(self.x)

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays, also of those that are the dataset's own columns."""
        held = [self.x, self.steps, self.y, self.valid, self.gap_starts, self.gap_stops]
        return sum(array.nbytes for array in held) + self.tree.nbytes + (0 if self.rows is None else self.rows.nbytes)

    def numbers(self, positions: Array) -> npt.NDArray[np.int64]:
        """The row numbers of positions."""
        return (positions if self.rows is None else self.rows[positions]).astype(np.int64)


def build_series(x: Axis, y: Axis, crew: Crew) -> Series:
    """Bring two axes of equal length into x order. Raises TooLarge from 2^32 - 1 rows on."""
    total = len(x)
    if total >= MOST_ROWS:
        raise TooLarge(f"a line holds fewer than {MOST_ROWS:,} rows, got {total:,}", "dataset", total)
    xs, kept = _read(x, crew.within(_STAGE, 0.0, 0.2, total))
    rows: Array | None = None
    if kept is not None:
        rows = np.flatnonzero(kept).astype(np.uint32)
        xs = xs[kept]
    ordered = _ascends(xs, crew)
    if not ordered:
        numbers = np.arange(len(xs), dtype=np.uint32) if rows is None else rows.copy()
        sorting = crew.within(_STAGE, 0.2, 0.6, total)
        _, rows = sort_keys(_sortable(xs), numbers, slices(len(xs)), sorting)
        xs = _take(_read(x, sorting)[0], rows, sorting)
    last = crew.within(_STAGE, 0.6, 1.0, total)
    ys, numbers_mask = _read(y, last)
    if rows is not None:
        ys = _take(ys, rows, last)
        numbers_mask = None if numbers_mask is None else _take(numbers_mask, rows, last)
    starts, stops = _gaps(numbers_mask)
    valid = _ALL
    if numbers_mask is not None and len(starts):
        if ys.dtype.kind == "f":
            ys = np.where(numbers_mask, ys, ys.dtype.type(np.nan))
        else:
            valid = frozen(numbers_mask)
    tree = _build_tree(frozen(ys), valid, last)
    return Series(frozen(xs), frozen(xs[::_STEP].copy()), frozen(ys), valid, rows, starts, stops, tree, ordered)


def _read(axis: Axis, crew: Crew) -> tuple[Array, Mask | None]:
    """All axis-space numbers of an axis and where they are numbers (None: everywhere)."""
    total = len(axis)
    sample = axis.slice(0, min(total, 1))[0]
    own = axis.column.values
    values = own if own.dtype == sample.dtype and axis.keeps_numbers else np.empty(total, sample.dtype)
    mask: Mask | None = None
    masks: dict[int, Mask] = {}

    def read(piece: tuple[int, int]) -> int:
        start, stop = piece
        part, numbers = numbers_of(*axis.slice(start, stop))
        if values is not own:
            values[start:stop] = part
        if numbers is not None and not numbers.all():
            masks[start] = numbers
        return stop - start

    crew.run("reading", read, slices(total), total)
    if masks:
        mask = np.ones(total, np.bool_)
        for start, numbers in masks.items():
            mask[start : start + len(numbers)] = numbers
    return values, mask


def _ascends(values: Array, crew: Crew) -> bool:
    """Whether values never fall."""
    for start in range(0, len(values), SLICE):
        crew.cancel.check()
        part = values[start : start + SLICE + 1]
        if not (part[1:] >= part[:-1]).all():
            return False
    return True


def _take(values: Array, rows: Array, crew: Crew) -> Array:
    out = np.empty(len(rows), values.dtype)

    def take(piece: tuple[int, int]) -> int:
        start, stop = piece
        np.take(values, rows[start:stop], out=out[start:stop], mode="clip")
        return stop - start

    crew.run("ordering rows", take, slices(len(rows)), len(rows))
    return out


def _sortable(values: Array) -> npt.NDArray[np.uint64]:
    """uint64 in the order of the values, -0 equal to 0."""
    top = np.uint64(1 << 63)
    if values.dtype.kind == "u":
        return values.astype(np.uint64)
    if values.dtype.kind == "i":
        return values.astype(np.int64).view(np.uint64) ^ top
    bits = (values.astype(np.float64) + 0.0).view(np.uint64)
    return np.where(bits & top, ~bits, bits | top)


def _gaps(mask: Mask | None) -> tuple[Array, Array]:
    if mask is None:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    edges = np.flatnonzero(np.diff((~mask).view(np.int8), prepend=np.int8(0), append=np.int8(0)))
    return edges[0::2].copy(), edges[1::2].copy()


def _build_tree(values: Array, valid: Mask, crew: Crew) -> Tree:
    sizes = [-(-len(values) // _LEAF)]
    while sizes[-1] > _FAN:
        sizes.append(-(-sizes[-1] // _FAN))
    starts = np.cumsum([0, *sizes], dtype=np.int64)
    lows, highs = np.empty(starts[-1], np.uint32), np.empty(starts[-1], np.uint32)
    least, most = np.empty(starts[-1], values.dtype), np.empty(starts[-1], values.dtype)

    def leaves(piece: tuple[int, int]) -> int:
        start, stop = piece
        first, last = start // _LEAF, -(-stop // _LEAF)
        _leaves(values, valid, start, stop, lows[first:last], highs[first:last])
        for positions, found in ((lows, least), (highs, most)):
            found[first:last] = values[np.minimum(positions[first:last], len(values) - 1)]
        return stop - start

    crew.run("finding extremes", leaves, slices(len(values)), len(values))
    for level in range(1, len(sizes)):
        before, here, after = starts[level - 1 : level + 2]
        _parents(values, lows[before:here], highs[before:here], lows[here:after], highs[here:after])
        for positions, found in ((lows, least), (highs, most)):
            found[here:after] = values[np.minimum(positions[here:after], len(values) - 1)]
    return Tree(lows, highs, least, most, starts)


@jit
def _leaves(values: Array, valid: Array, start: int, stop: int, lows: Array, highs: Array) -> None:
    """The first lowest and first highest position of each block of rows `start` to `stop` (`start` begins a block)."""
    masked = valid.size > 0
    for block in range(lows.size):
        low = high = -1
        first = start + block * 64
        for k in range(first, min(first + 64, stop)):
            value = values[k]
            if value != value or (masked and not valid[k]):
                continue
            if low < 0:
                low = high = k
            elif value < values[low]:
                low = k
            elif value > values[high]:
                high = k
        lows[block] = low
        highs[block] = high


@jit
def _parents(values: Array, lows: Array, highs: Array, out_lows: Array, out_highs: Array) -> None:
    """The extremes of each 16 blocks."""
    for block in range(out_lows.size):
        low = high = _NONE
        for k in range(block * 16, min(block * 16 + 16, lows.size)):
            if lows[k] == _NONE:
                continue
            if low == _NONE or values[lows[k]] < values[low]:
                low = lows[k]
            if high == _NONE or values[highs[k]] > values[high]:
                high = highs[k]
        out_lows[block] = low
        out_highs[block] = high
