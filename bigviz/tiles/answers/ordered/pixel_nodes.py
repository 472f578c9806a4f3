"""The pixels of an image by squares of the order that are no longer than a pixel: each is cut by one edge at most on
each axis.

The rows of a square follow each other in the order. Where no edge cuts it they lie in one pixel, and are counted by
their number; where one does, the bits of one axis in each key are compared with those of the edge, for many rows at
a time. A square of many rows that is cut is taken in smaller ones, most of which are not.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.reductions.prefetch import prefetch
from bigviz.common.jit import frozen, jit
from bigviz.tiles.answers.ordered.past_edges import (
    BITS,
    NO_EDGE,
    VECTOR,
    Edges,
    bits_of,
    few_past_both,
    few_past_one,
    past,
    shared_rows,
)  # fmt: skip
from bigviz.tiles.grid.interleave import compact, spread
from bigviz.tiles.grid.pixel_edges import PixelEdges
from bigviz.wire.codec import SIDE

__all__ = ["Nodes", "count_nodes", "count_tile", "nodes_of", "place_nodes", "run_count"]

Array = npt.NDArray[Any]
Terms = tuple[int, int, int, int, int, int]

_MOST_BITS: Final = 32 - SIDE.bit_length() + 1  # of a node's side: no more than that of a cell of the largest tile
_MOST_NODES: Final = 1 << 15  # of a table on one axis
_FEW: Final = 1 << 12  # rows that are compared sooner than the squares of a quarter are found
_STRIDE: Final = 32  # rows that are compared with a square at a time
_NEAR: Final = 256  # rows within which the end of a square is looked for among all of them
_LINE: Final = 8  # keys of a cache line
_AHEAD: Final = 512  # keys: by then these have come from memory, also where a page begins
_ZERO: Final[Any] = np.int64(0)  # of a literal numba would compile what it is given to once more


class Nodes(NamedTuple):
    """An image by squares of the order, the nodes: those of keys that agree above a number of bits.

    `x` and `y` (int64, shape (nodes, 3)) say of each node of an axis which pixel its first code lies in, counted from 1
    (0: before the image); the bits of the last code before the edge that cuts it, or those of no code; and the same
    where rows of that code may lie on either side, else -1. `terms` are the number of bits, the first node of x and of
    y, width and height in pixels, and the number of no cell. (Kernels take them apart: numba counts the references to
    each array of a tuple.)
    """

    terms: Terms
    x: Array
    y: Array

    @property
    def shift(self) -> int:
        """The bits of a key below a node."""
        return self.terms[0]

    def with_outside(self, outside: int) -> Nodes:
        """The same with another number of no cell."""
        return Nodes((*self.terms[:5], outside), self.x, self.y)


def nodes_of(x: PixelEdges, y: PixelEdges, outside: int) -> Nodes | None:
    """The nodes of an image; None where pixels are shorter than a code, or much longer on one axis than on the
    other."""
    closest = min(x.closest, y.closest)
    if closest < 1:
        return None
    bits = min(closest.bit_length() - 1, _MOST_BITS)
    first_x, first_y = _span(x, bits), _span(y, bits)
    if max(first_x[1] - first_x[0], first_y[1] - first_y[0]) >= _MOST_NODES:
        return None
    terms = 2 * bits, first_x[0], first_y[0], len(x.firsts) - 1, len(y.firsts) - 1, outside
    return Nodes(terms, _axis(x, bits, *first_x), _axis(y, bits, *first_y))


def _span(edges: PixelEdges, bits: int) -> tuple[int, int]:
    """The first and the last node that an image meets."""
    first, last = int(edges.firsts[0]), int(edges.firsts[-1])
    return max(first - 1, 0) >> bits, min(last, (1 << 32) - 1) >> bits


def _axis(edges: PixelEdges, bits: int, first: int, last: int) -> Array:
    firsts = edges.firsts
    codes = np.arange(first, last + 1) << bits
    pixels = np.searchsorted(firsts, codes, "right")
    after = np.minimum(pixels, len(firsts) - 1)
    edge, shared = firsts[after], edges.shared[after]
    cuts = (pixels < len(firsts)) & (edge - shared < codes + (1 << bits))
    last_bits = _spread_all(frozen(np.maximum(edge - 1, 0)))
    table = np.stack([pixels, np.where(cuts, last_bits, NO_EDGE), np.where(cuts & shared, last_bits, -1)], axis=1)
    return frozen(table)


@jit
def _spread_all(codes: Array) -> Array:
    out = np.empty(codes.size, np.int64)
    for k in range(codes.size):
        out[k] = np.int64(spread(np.uint64(codes[k])))
    return out


@jit
def run_count(keys: Array, lows: Array, highs: Array, shift: int) -> int:
    """How many runs of keys that agree above `shift` bits some ranges have."""
    runs = 0
    for r in range(lows.size):
        for k in range(lows[r], highs[r]):
            runs += k == lows[r] or keys[k] >> np.uint64(shift) != keys[k - 1] >> np.uint64(shift)
    return runs


@jit
def count_nodes(
    keys: Array, lows: Array, highs: Array, terms: Terms, x: Array, y: Array, grid: Array, left: Array
) -> tuple[int, int, int]:  # fmt: skip
    """Count the rows of ranges of positions into a flat uint32 `grid`, whose cell after the last one takes some of
    those outside. `terms`, `x` and `y` are those of the image's `Nodes`.

    Positions of rows that their keys do not tell the cell of go to `left` (int64, room for at least one). Ends where
    that is full: returns the range and the position to go on from, and how many are there.
    """
    by, found = np.uint64(terms[0]), _ZERO
    for r in range(lows.size):
        at, high = lows[r], highs[r]
        while at < high:
            end = _run_end(keys, at, high, terms[0])
            head = keys[at] >> by
            column, row = np.int64(compact(head)), np.int64(compact(head >> np.uint64(1)))
            at, found = _count_square(keys, at, end, column, row, terms, x, y, grid, left, found)
            if at < end:
                return r, at, found
    return lows.size, 0, found


@jit
def count_tile(
    keys: Array, at: Any, counts: Array, table: Array, corner: tuple[int, int], start: tuple[int, int], terms: Terms,
    x: Array, y: Array, grid: Array, left: Array,
) -> tuple[Any, int, Any, int]:  # fmt: skip
    """The same of the rows of a tile whose cells are the nodes, from its `counts` (flat, row 0 the highest y), which
    say where the rows of each node are: only rows of those that an edge cuts are read.

    `table` has the cell of each place in Morton order, `corner` is the node of the tile's lowest column and row.
    `start` is the place to begin with, whose rows begin at `at`, and how many of them were counted. Returns the next
    `at` and `start`, and how many rows are in `left`.
    """
    found, done = _ZERO, start[1]
    for place in range(start[0], table.size):
        cell = np.int64(table[place])
        rows = np.int64(counts[cell])
        if rows == 0:
            continue
        column, row = corner[0] + (cell & 255), corner[1] + 255 - (cell >> 8)
        x_node, y_node = column - terms[1], row - terms[2]
        if not (0 <= x_node < x.shape[0] and 0 <= y_node < y.shape[0]):
            at += rows
        elif done == 0 and rows <= _FEW and at + rows + VECTOR <= keys.size and x[x_node, 2] < 0 and y[y_node, 2] < 0:
            for k in range(0, rows, _LINE):
                prefetch(keys, at + _AHEAD + k)
            _count_few(keys, at, rows, x[x_node, 0], y[y_node, 0], x[x_node, 1], y[y_node, 1], terms, grid)
            at += rows
        else:
            reached, found = _count_square(keys, at + done, at + rows, column, row, terms, x, y, grid, left, found)
            if reached < at + rows:
                return at, place, reached - at, found
            at += rows
            done = 0
    return at, table.size, 0, found


@jit
def place_nodes(keys: Array, terms: Terms, x: Array, y: Array, out: Array, left: Array) -> int:
    """Write the cell of each of some keys in order to `out` (int32). Rows that their keys do not tell the cell of are
    outside there, and their indices go to `left` (int64), which has room for all: how many."""
    found, at, by, outside = 0, _ZERO, np.uint64(terms[0]), np.int32(terms[5])
    while at < keys.size:
        end = _run_end(keys, at, keys.size, terms[0])
        head = keys[at] >> by
        column, row = np.int64(compact(head)) - terms[1], np.int64(compact(head >> np.uint64(1))) - terms[2]
        if not (0 <= column < x.shape[0] and 0 <= row < y.shape[0]):
            for k in range(at, end):
                out[k] = outside
            at = end
            continue
        across, up = x[column, 0], y[row, 0]
        edges = x[column, 1], x[column, 2], y[row, 1], y[row, 2]
        cells = (
            np.int32(_cell(across, up, terms)),
            np.int32(_cell(across + 1, up, terms)),
            np.int32(_cell(across, up + 1, terms)),
            np.int32(_cell(across + 1, up + 1, terms)),
        )
        _place(keys, at, end, edges[0], edges[2], cells, out)
        if edges[1] >= 0 or edges[3] >= 0:
            for k in range(at, end):
                if bits_of(keys[k], 0) == edges[1] or bits_of(keys[k], 1) == edges[3]:
                    out[k] = outside
                    left[found] = k
                    found += 1
        at = end
    return found


@jit
def _count_square(
    keys: Array, at: Any, end: Any, column: Any, row: Any, terms: Terms, x: Array, y: Array, grid: Array, left: Array,
    found: int,
) -> tuple[int, int]:  # fmt: skip
    """Count rows of one square: how far they are counted, and how many are in `left`."""
    column, row = column - terms[1], row - terms[2]
    if not (0 <= column < x.shape[0] and 0 <= row < y.shape[0]):
        return end, found
    across, up = x[column, 0], y[row, 0]
    edges = x[column, 1], x[column, 2], y[row, 1], y[row, 2]
    cell = _cell(across, up, terms)
    if edges[0] == NO_EDGE and edges[2] == NO_EDGE:
        grid[cell] += np.uint32(end - at)
        return end, found
    right, above = _cell(across + 1, up, terms), _cell(across, up + 1, terms)
    corner = _cell(across + 1, up + 1, terms)
    while at < end:
        stop, whole = _whole_end(keys, at, end, terms[0], edges)
        if whole:
            is_right, is_above = bits_of(keys[at], 0) > edges[0], bits_of(keys[at], 1) > edges[2]
            there = (corner if is_right else above) if is_above else (right if is_right else cell)
            grid[there] += np.uint32(stop - at)
            at = stop
            continue
        stop = min(stop, at + left.size)
        some = 0
        if edges[1] >= 0 or edges[3] >= 0:
            some = shared_rows(keys, at, stop, edges[1], edges[3])
            if found + some > left.size:
                return at, found
        rights, aboves, corners = past(keys, at, stop, edges)
        if some > 0:
            for k in range(at, stop):
                is_right, is_above = bits_of(keys[k], 0) > edges[0], bits_of(keys[k], 1) > edges[2]
                if bits_of(keys[k], 0) == edges[1] or bits_of(keys[k], 1) == edges[3]:
                    left[found] = k
                    found += 1
                    rights -= np.int64(is_right)
                    aboves -= np.int64(is_above)
                    corners -= np.int64(is_right and is_above)
        grid[corner] += np.uint32(corners)
        grid[right] += np.uint32(rights - corners)
        grid[above] += np.uint32(aboves - corners)
        grid[cell] += np.uint32(stop - at - some - rights - aboves + corners)
        at = stop
    return at, found


@jit
def _count_few(
    keys: Array, at: Any, rows: Any, across: Any, up: Any, x_edge: Any, y_edge: Any, terms: Terms, grid: Array
) -> None:  # fmt: skip
    """Count the rows of one square of few, which all have codes that tell their cell. A vector of keys is read at
    least, whosever they are."""
    cell = _cell(across, up, terms)
    if x_edge == NO_EDGE and y_edge == NO_EDGE:
        grid[cell] += np.uint32(rows)
    elif y_edge == NO_EDGE:
        rights = few_past_one(keys, at, rows, 0, x_edge)
        grid[_cell(across + 1, up, terms)] += np.uint32(rights)
        grid[cell] += np.uint32(rows - rights)
    elif x_edge == NO_EDGE:
        aboves = few_past_one(keys, at, rows, 1, y_edge)
        grid[_cell(across, up + 1, terms)] += np.uint32(aboves)
        grid[cell] += np.uint32(rows - aboves)
    else:
        rights, aboves, corners = few_past_both(keys, at, rows, x_edge, y_edge)
        grid[_cell(across + 1, up + 1, terms)] += np.uint32(corners)
        grid[_cell(across + 1, up, terms)] += np.uint32(rights - corners)
        grid[_cell(across, up + 1, terms)] += np.uint32(aboves - corners)
        grid[cell] += np.uint32(rows - rights - aboves + corners)


@jit
def _whole_end(keys: Array, at: int, end: int, shift: int, edges: Edges) -> tuple[int, bool]:
    """Where the rows end that are taken next of those of a square that edges cut, and whether no edge cuts those."""
    while end - at > _FEW and shift > 0:
        shift -= 4 if shift >= 4 and end - at > 8 * _FEW else 2
        end = _run_end(keys, at, end, shift)
        key = keys[at]
        if not _is_cut(key, shift, 0, edges[0], edges[1]) and not _is_cut(key, shift, 1, edges[2], edges[3]):
            return end, True
    return end, False


@jit
def _is_cut(key: np.uint64, shift: int, which: int, edge: int, shared: int) -> bool:
    """Whether an edge lies in the part of an axis that the bits of a key above `shift` are, or its shared code does."""
    rest = np.int64(BITS) & ((np.int64(1) << shift) - 1)
    first = bits_of(key, which) & ~rest
    last = first | rest
    return bool(first <= edge and (edge < last or (edge == shared and edge <= last)))


@jit
def _cell(column: Any, row: Any, terms: Terms) -> Any:
    """The cell of a column and a row, which are counted from 1."""
    inside = 0 < column <= terms[3] and 0 < row <= terms[4]
    return (row - 1) * terms[3] + column - 1 if inside else terms[5]


@jit
def _run_end(keys: Array, at: Any, high: int, shift: int) -> Any:
    """The end of the run of keys, from `at` on, that agree above `shift` bits: read one after the other as long as that
    is faster than to leap."""
    by = np.uint64(shift)
    head = keys[at] >> by
    far = min(at + _NEAR, high)
    while at < far:
        stop = min(at + _STRIDE, high)
        at += _alike(keys, at, stop, by, head)
        if at < stop:
            return at
    at -= 1
    step = _STRIDE
    while at + step < high and keys[at + step] >> by == head:
        at += step
        step += step
    length = min(step, high - at)
    while length > 1:
        half = length >> 1
        at += half * np.int64(keys[at + half] >> by == head)
        length -= half
    return at + 1


# Loops over rows are in functions of their own, without a branch and over unsigned positions, so that the compiler
# makes vectors of them; a slice for each would cost as much as twenty rows.


@jit
def _alike(keys: Array, at: int, stop: int, by: np.uint64, head: np.uint64) -> int:
    """How many keys have a head."""
    count, first = 0, np.uint64(at)
    for k in range(np.uint64(stop - at)):
        count += int(keys[first + k] >> by == head)
    return count


@jit
def _place(
    keys: Array, at: int, stop: int, x_edge: int, y_edge: int, cells: tuple[np.int32, np.int32, np.int32, np.int32],
    out: Array,
) -> None:  # fmt: skip
    """The cells of rows of a square: before both edges, past that of x, past that of y, past both."""
    cell, right, above, corner = cells
    first = np.uint64(at)
    for k in range(np.uint64(stop - at)):
        is_right = bits_of(keys[first + k], 0) > x_edge
        below, over = (right if is_right else cell), (corner if is_right else above)
        out[first + k] = over if bits_of(keys[first + k], 1) > y_edge else below
