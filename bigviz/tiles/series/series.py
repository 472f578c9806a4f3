"""A line's rows in x order, its gaps, and a tree that finds the lowest and the highest row of any range.

The tree holds, for each block of 256 rows and then for blocks of 16 blocks, the first lowest and the first highest
value and where they are. A range costs at most two blocks of rows and thirty nodes a level. Nodes of blocks that are
not full are not read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.axis import Axis
from bigviz.common.errors import TooLarge
from bigviz.common.jit import frozen, jit
from bigviz.common.workers import SLICE, Crew, slices
from bigviz.tiles.grid.survey import numbers_of
from bigviz.tiles.morton.order import MOST_ROWS
from bigviz.tiles.morton.radix_sort import sort_keys
from bigviz.tiles.series.minmax_search import lowest_highest, position_of
from bigviz.tiles.series.sorted_numbers import Ascending, Check, ascending, regular_rule, ruled

__all__ = [
    "LEAF",
    "NOWHERE",
    "Series",
    "Tree",
    "build_series",
    "fill_gaps",
    "find_extremes",
    "finished_series",
    "gap_edges",
    "join_blocks",
    "raise_tree",
    "sortable",
    "tree_starts",
]

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]

LEAF: Final = 256  # rows of a block: a page of y at most, 62 MB of tree for 10^9 float32 rows
FAN: Final = 16  # blocks of a block
NOWHERE: Final = np.uint32(0xFFFFFFFF)  # the place of a block without a value
_STAGE: Final = "building the line"
_HEAD: Final = 1 << 16  # numbers that suggest a rule


@dataclass(frozen=True)
class Tree:
    """The lowest and the highest value of every block, level by level from the rows up: arrays of shape (nodes, 2).

    `values` in y's dtype, `places` their first positions (uint32; 2^32 - 1 in a block without a value), `xs` the x
    there (or no rows: then it is looked up). Level k lies at `starts[k]` to `starts[k + 1]`.
    """

    values: Array
    places: Array
    xs: Array
    starts: Array

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.values.nbytes + self.places.nbytes + self.xs.nbytes


@dataclass(frozen=True)
class Series:
    """Rows whose x is a number, in x order, ties in file order.

    `x` and `y` are axis-space numbers; a y that is none is NaN, or in integers the number before it. `gaps` (int64) are
    the positions where a run of rows without a y begins, and where it ends, in turn (where the last one ends with the
    rows, any number from their number on). `rows` holds the row numbers
    (uint32; None: position k is row k). `check_y` and `check_rows` are called before `y` and `rows` are read.
    """

    x: Ascending
    y: Array
    gaps: Ascending
    rows: Array | None
    tree: Tree
    sorted: bool
    check_y: Check | None = None
    check_rows: Check | None = None

    def __len__(self) -> int:
        return len(self.x)

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays that are not mapped, also of those that are the dataset's own columns."""
        if self.check_y is not None:
            return 0
        rows = 0 if self.rows is None else self.rows.nbytes
        return self.x.nbytes + self.y.nbytes + self.gaps.nbytes + self.tree.nbytes + rows

    def numbers(self, positions: Array) -> npt.NDArray[np.int64]:
        """The row numbers of positions."""
        if self.rows is None:
            return positions.astype(np.int64)
        if self.check_rows is not None:
            self.check_rows(positions, positions + 1)
        return np.asarray(self.rows[positions].astype(np.int64))

    def row_slice(self, start: int, stop: int) -> Array:
        """The row numbers of a range of positions, uint32."""
        if self.rows is None:
            return np.arange(start, stop, dtype=np.uint32)
        if self.check_rows is not None:
            self.check_rows(np.array([start]), np.array([stop]))
        return self.rows[start:stop]

    def heights(self, start: int, stop: int) -> tuple[Array, Mask | None]:
        """The y of a range of positions and where they are numbers (None: everywhere)."""
        if self.check_y is not None:
            self.check_y(np.array([start]), np.array([stop]))
        values = self.y[start:stop]
        if values.dtype.kind == "f" or not len(self.gaps):
            return values, None
        first, last = self.gaps.first(np.array([start + 1, stop], np.int64)).tolist()
        mask = np.zeros(stop - start + 1, np.int8)
        mask[self.gaps.slice(first, last) - start] = 1
        return values, (np.cumsum(mask[:-1]) + first) % 2 == 0


def build_series(x: Axis, y: Axis, crew: Crew) -> Series:
    """Bring two axes of equal length into x order, in memory. Raises TooLarge from 2^32 - 1 rows on."""
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
        _, rows = sort_keys(sortable(xs), numbers, slices(len(xs)), sorting)
        xs = _take(_read(x, sorting)[0], rows, sorting)
    last = crew.within(_STAGE, 0.6, 1.0, total)
    ys, mask = _read(y, last)
    if rows is not None:
        ys = _take(ys, rows, last)
        mask = None if mask is None else _take(mask, rows, last)
    return finished_series(xs, ys, mask, rows, ordered, last)


def finished_series(xs: Array, ys: Array, mask: Mask | None, rows: Array | None, ordered: bool, crew: Crew) -> Series:
    """The series of rows that are in x order; `mask` says which y are numbers (None: all), `ordered` whether x needed
    no sort."""
    gaps = np.empty(0, np.int64) if mask is None else gap_edges(mask)
    if mask is not None and len(gaps):
        if ys.dtype.kind == "f":
            ys = np.where(mask, ys, ys.dtype.type(np.nan))
        else:
            ys = ys.copy()
            fill_gaps(ys, mask, ys.dtype.type(0))
    tree = _build_tree(frozen(ys), mask if len(gaps) and ys.dtype.kind != "f" else None, crew)
    return Series(_as_ascending(xs, crew), frozen(ys), ascending(gaps), rows, tree, ordered)


def _as_ascending(xs: Array, crew: Crew) -> Ascending:
    """Ascending numbers as a rule, where they follow one."""
    rule = regular_rule(xs[:_HEAD], len(xs), xs[-1].item()) if len(xs) else None
    for start, stop in slices(len(xs)) if rule is not None else ():
        crew.cancel.check()
        if rule is not None and not rule.gives(xs[start:stop], start):
            rule = None
            break
    # What lies at an address does not change while somebody uses it.
    return ascending(xs, key=(xs.ctypes.data, len(xs), xs.dtype)) if rule is None else ruled(rule, len(xs))


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


def sortable(values: Array) -> npt.NDArray[np.uint64]:
    """uint64 in the order of the values, -0 equal to 0."""
    top = np.uint64(1 << 63)
    if values.dtype.kind == "u":
        return values.astype(np.uint64)
    if values.dtype.kind == "i":
        return values.astype(np.int64).view(np.uint64) ^ top
    bits = (values.astype(np.float64) + 0.0).view(np.uint64)
    return np.where(bits & top, ~bits, bits | top)


def gap_edges(mask: Mask) -> npt.NDArray[np.int64]:
    """Where runs of False begin and end, in turn."""
    return np.flatnonzero(np.diff((~mask).view(np.int8), prepend=np.int8(0), append=np.int8(0)))


def tree_starts(rows: int) -> npt.NDArray[np.int64]:
    """Where each level of the tree over so many rows begins, and the last one ends."""
    sizes = [-(-rows // LEAF)]
    while sizes[-1] > FAN:
        sizes.append(-(-sizes[-1] // FAN))
    return np.cumsum([0, *sizes], dtype=np.int64)


def _build_tree(values: Array, mask: Mask | None, crew: Crew) -> Tree:
    starts = tree_starts(len(values))
    found, places = np.empty((starts[-1], 2), values.dtype), np.empty((starts[-1], 2), np.uint32)

    def leaves(piece: tuple[int, int]) -> int:
        start, stop = piece
        blocks = slice(start // LEAF, -(-stop // LEAF))
        part = None if mask is None else mask[start:stop]
        find_extremes(values[start:stop], part, start, found[blocks], places[blocks])
        return stop - start

    crew.run("finding extremes", leaves, slices(len(values)), len(values))
    raise_tree(starts, found, places)
    return Tree(found, places, np.empty((0, 2)), starts)


def find_extremes(values: Array, mask: Mask | None, first: int, out: Array, places: Array) -> None:
    """Fill the nodes of each 256 values, of which the first has the position `first`; `mask` says where integers are
    numbers."""
    _leaves(frozen(values), frozen(_ALL if mask is None else mask), first, out, places)


def raise_tree(starts: Array, values: Array, places: Array) -> None:
    """Fill the levels above the lowest."""
    for level in range(1, len(starts) - 1):
        before, here, after = starts[level - 1 : level + 2]
        join_blocks(values[before:here], places[before:here], values[here:after], places[here:after])


def join_blocks(values: Array, places: Array, out: Array, out_places: Array) -> None:
    """Fill the nodes of each 16 blocks from theirs."""
    _parents(values, places, out, out_places)


def fill_gaps(values: Array, mask: Mask, before: Any) -> None:
    """Overwrite each integer that is no number by the number before it (`before` stands before the first), which makes
    it invisible to a search for extremes that starts at a number."""
    _fill(values, frozen(mask), values.dtype.type(before))


_ALL: Final = np.empty(0, np.bool_)


@jit
def _fill(values: Array, mask: Array, before: Any) -> None:
    last = before
    for k in range(values.size):
        if mask[k]:
            last = values[k]
        else:
            values[k] = last


@jit
def _known_extremes(values: Array, mask: Array, start: int, stop: int) -> tuple[int, int]:
    """The first lowest and the first highest position of integers of which the first is a number."""
    low = high = start
    for k in range(start + 1, stop):
        if mask[k]:
            if values[k] < values[low]:
                low = k
            elif values[k] > values[high]:
                high = k
    return low, high


@jit
def _leaves(values: Array, mask: Array, first: int, out: Array, places: Array) -> None:
    masked = mask.size > 0
    for block in range(out.shape[0]):
        start = block * 256
        stop = min(start + 256, values.size)
        while start < stop and (values[start] != values[start] or (masked and not mask[start])):
            start += 1
        if start == stop:
            out[block, 0] = out[block, 1] = values[block * 256]
            places[block, 0] = places[block, 1] = np.uint32(0xFFFFFFFF)
            continue
        if masked:
            low, high = _known_extremes(values, mask, start, stop)
            lowest, highest = values[low], values[high]
        else:
            lowest, highest = lowest_highest(values, start, stop, values[start], values[start])
            low, high = position_of(values, start, lowest), position_of(values, start, highest)
        out[block, 0] = lowest
        out[block, 1] = highest
        places[block, 0] = first + low
        places[block, 1] = first + high


@jit
def _parents(values: Array, places: Array, out: Array, out_places: Array) -> None:
    """The extremes of each 16 blocks."""
    for block in range(out.shape[0]):
        low = high = block * 16
        for k in range(block * 16, min(block * 16 + 16, values.shape[0])):
            if places[k, 0] == np.uint32(0xFFFFFFFF):
                continue
            if places[low, 0] == np.uint32(0xFFFFFFFF) or values[k, 0] < values[low, 0]:
                low = k
            if places[high, 1] == np.uint32(0xFFFFFFFF) or values[k, 1] > values[high, 1]:
                high = k
        out[block, 0] = values[low, 0]
        out[block, 1] = values[high, 1]
        out_places[block, 0] = places[low, 0]
        out_places[block, 1] = places[high, 1]
