"""The rows of a part by ascending key under the roots of a version, whatever roots the part was sorted by."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.reductions.base import CELLS_ONLY, Planes, Reduction, Rows
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.jit import frozen, jit
from bigviz.common.workers import slices
from bigviz.tiles.grid.interleave import compact
from bigviz.tiles.grid.tile_key import DEEPEST, TileKey
from bigviz.tiles.morton.sorted_keys import SortedKeys
from bigviz.tiles.pyramid.layer_columns import Inputs
from bigviz.tiles.pyramid.pyramid import Pyramid, Work
from bigviz.tiles.segments.part_layer import PartLayer
from bigviz.tiles.segments.row_part import Roots, keys_of
from bigviz.wire.codec import SIDE

__all__ = ["KeyedRows", "Stretch", "is_counted", "keyed_rows", "keys_where", "shift_of", "stretches"]

Array = npt.NDArray[Any]
At = slice | Array

_ROWS: Final = 1 << 18  # taken at a time
_HEAVY: Final = 1 << 14  # rows in the cells of a tile that are read sooner than what is kept of the tile is decoded
_TILE: Final = np.uint64(16)  # bits of a cell within its tile


def shift_of(level: int) -> np.uint64:
    """The bits of a key below the cell of a level."""
    return np.uint64(2 * (DEEPEST - level))


class Stretch(NamedTuple):
    """Some rows of a part in an order of their own: the guard where they are in the order of these roots, and their
    keys, their numbers and what a reduction knows of them, by position."""

    size: int
    guard: SortedKeys | None
    keys: Callable[[At], Array]
    numbers: Callable[[At], Array]
    rows: Callable[[At], Rows]


@dataclass(frozen=True, eq=False)
class KeyedRows:
    """Sorted keys, and how their rows are added to cells. Of a reduction that counts only the rows that it counts."""

    guard: SortedKeys
    rows: Callable[[At], Rows]
    order: npt.NDArray[np.int64] | None  # where the row of each key is among `rows`; None: as the keys are
    pyramid: Pyramid | None  # of these rows, in this order
    is_own: bool  # whether the keys are held here alone

    @property
    def nbytes(self) -> int:
        """Bytes held here alone."""
        size = 0 if self.order is None else self.order.nbytes
        return size + (self.guard.keys.nbytes + self.guard.nbytes if self.is_own else 0)

    def spans(self, cells: Array, level: int) -> tuple[Array, Array]:
        """The first and the end position of the rows in each of some cells (ascending)."""
        lows, highs = np.empty(len(cells), np.int64), np.empty(len(cells), np.int64)
        _spans(self.guard.keys.array, frozen(cells), shift_of(level), lows, highs)
        return lows, highs

    def add(self, reduction: Reduction, planes: Planes, cells: Array, level: int, cancel: Cancel) -> Array:
        """Add the rows in some cells to accumulators of shape (1, cells), or (categories, 1, cells); the first key in
        each, 2^64 - 1 without any."""
        lows, highs = self.spans(cells, level)
        heads = np.full(len(cells), np.iinfo(np.uint64).max)
        there = np.flatnonzero(highs > lows)
        heads[there] = self.guard.keys.array[lows[there]]
        if self.pyramid is not None and (highs - lows).sum() > _HEAVY:
            self._add_kept(self.pyramid, planes, cells, level, lows, highs, cancel)
        left, at = int((highs - lows).sum()), np.array([0, -1])
        while left:
            cancel.check()
            count = min(left, _ROWS)
            into, positions = np.empty(count, np.int32), np.empty(count, np.int64)
            left -= _rows_of(frozen(lows), frozen(highs), at, into, positions)
            where = positions if self.order is None else self.order[positions]
            reduction.append(planes, into, self.rows(where))
        return heads

    @staticmethod
    def _add_kept(
        pyramid: Pyramid, planes: Planes, cells: Array, level: int, lows: Array, highs: Array, cancel: Cancel
    ) -> None:
        """Add the cells of tiles that are kept, where they hold many rows, of which nothing is left to be read."""
        tiles, firsts = np.unique(cells >> _TILE, return_index=True)
        rows = np.add.reduceat(highs - lows, firsts)
        ends = np.append(firsts[1:], len(cells))
        for k in np.flatnonzero(rows > _HEAVY).tolist():
            key = TileKey(
                level, level, int(compact(tiles[k])), (1 << level) - 1 - int(compact(tiles[k] >> np.uint64(1)))
            )
            held = pyramid.revived(key, Work(cancel.check, cancel))
            if held is None:
                continue
            here = slice(int(firsts[k]), int(ends[k]))
            line, column = np.empty(here.stop - here.start, np.int64), np.empty(here.stop - here.start, np.int64)
            _places(frozen(cells[here]), line, column)
            into = tuple(
                plane[: len(each), :, here] if plane.ndim > 2 else plane[:, here]
                for plane, each in zip(planes, held, strict=True)
            )
            sums = tuple(plane.copy() for plane in into)
            pyramid.inputs.reduction.combine(sums, tuple(each[..., line, column][..., None, :] for each in held))
            for plane, values in zip(into, sums, strict=True):
                plane[...] = values
            highs[here] = lows[here]


def keyed_rows(part: PartLayer, roots: Roots) -> tuple[KeyedRows, ...]:
    """The rows of a part under some roots. Where these are not its own, it takes as long as sorting them."""
    return tuple(_keyed(part, each) for each in stretches(part, roots))


def _keyed(part: PartLayer, rows: Stretch) -> KeyedRows:
    pyramid = part.pyramid if rows.guard is not None else None
    if part.inputs.reduction.traits.counts:
        keys = _counted(part.inputs, rows, slice(0, rows.size))
        if rows.guard is not None and len(keys) == rows.size:
            return KeyedRows(rows.guard, rows.rows, None, None, False)
        return KeyedRows(SortedKeys(np.sort(keys)), rows.rows, None, None, True)
    if rows.guard is not None:
        return KeyedRows(rows.guard, rows.rows, None, pyramid, False)
    keys = rows.keys(slice(0, rows.size))
    order = np.argsort(keys, kind="stable")
    return KeyedRows(SortedKeys(keys[order]), rows.rows, order, None, True)


def keys_where(part: PartLayer, roots: Roots, pick: Callable[[Array], npt.NDArray[np.bool_]]) -> Array:
    """The keys, in any order, of a part's rows whose numbers are picked, of a reduction that counts only of those that
    it counts."""
    found, counts = [np.empty(0, np.uint64)], part.inputs.reduction.traits.counts
    for rows in stretches(part, roots):
        for start, stop in slices(rows.size, _ROWS):
            at = np.flatnonzero(pick(rows.numbers(slice(start, stop)))) + start
            if len(at):
                found.append(_counted(part.inputs, rows, at) if counts else rows.keys(at))
    return np.concatenate(found)


def stretches(part: PartLayer, roots: Roots) -> Iterator[Stretch]:
    order = part.part.order
    if len(order.keys):

        def keys(at: At) -> Array:
            return np.concatenate(list(keys_of([(order.numbers(0, at), order.numbers(1, at))], roots)))

        same = order.roots == roots
        own: Callable[[At], Array] = order.keys.__getitem__
        guard = order.guard if same else None
        yield Stretch(len(order.keys), guard, own if same else keys, order.row_numbers, part.inputs.rows)
    strays = part.strays(roots)
    if strays is not None:
        few, count = strays, len(strays.at)

        def places(at: At) -> Array:
            return np.concatenate(list(keys_of([(few.numbers(0)[at], few.numbers(1)[at])], roots)))

        def those(at: At) -> Array:
            return np.arange(count)[at]

        yield Stretch(count, None, places, lambda at: few.row_numbers(those(at)), lambda at: few.rows(those(at)))


def _counted(inputs: Inputs, rows: Stretch, at: At) -> Array:
    """The keys of the rows that are counted."""
    if inputs.counts_rows:
        return rows.keys(at)
    places = np.arange(rows.size)[at]
    found = [np.empty(0, np.uint64)]
    for start, stop in slices(len(places), _ROWS):
        some = places[start:stop]
        found.append(rows.keys(some)[is_counted(inputs, rows.rows(some), len(some))])
    return np.concatenate(found)


def is_counted(inputs: Inputs, rows: Rows, count: int) -> npt.NDArray[np.bool_]:
    """Which of some rows a reduction that counts does count."""
    plane = inputs.reduction.plane
    planes = plane.create((1, count), inputs.dtype, 0, NEVER.check)
    cells = np.arange(count, dtype=np.int32)
    if rows.codes is not None:
        cells = np.where(rows.codes >= 0, cells, np.int32(-1))
    plane.append(planes, cells, rows if plane.columns else CELLS_ONLY)
    return np.asarray(planes[0][0] > 0)


@jit
def _spans(keys: Array, cells: Array, shift: np.uint64, lows: Array, highs: Array) -> None:
    at = 0
    for k in range(cells.size):
        at = _first_from(keys, at, shift, cells[k])
        lows[k] = at
        if at < keys.size and keys[at] >> shift == cells[k]:
            at = _first_from(keys, at + 1, shift, cells[k] + np.uint64(1))
        highs[k] = at


@jit
def _first_from(keys: Array, low: int, shift: np.uint64, cell: np.uint64) -> int:
    """The first position from `low` on whose key lies in a cell or beyond it: it is looked for in ever larger steps."""
    step, high = 1, low
    while high < keys.size and keys[high] >> shift < cell:
        low = high + 1
        high += step
        step *= 2
    high = min(high, keys.size)
    while low < high:
        middle = (low + high) >> 1
        if keys[middle] >> shift < cell:
            low = middle + 1
        else:
            high = middle
    return low


@jit
def _rows_of(lows: Array, highs: Array, at: Array, into: Array, positions: Array) -> int:
    """The positions of rows in spans, and which span each one is of, from `at` (span, position) on: as many as there is
    room for."""
    found = 0
    for k in range(at[0], lows.size):
        begin = lows[k] if k > at[0] or at[1] < 0 else at[1]
        for position in range(begin, highs[k]):
            if found == positions.size:
                at[0], at[1] = k, position
                return found
            into[found], positions[found] = k, position
            found += 1
    at[0], at[1] = lows.size, -1
    return found


@jit
def _places(cells: Array, line: Array, column: Array) -> None:
    """The row from the top and the column of cells in their tiles."""
    for k in range(cells.size):
        inside = cells[k] & np.uint64(0xFFFF)
        column[k] = compact(inside)
        line[k] = SIDE - 1 - compact(inside >> np.uint64(1))
