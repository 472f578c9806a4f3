"""Cells that stand for all cells of a level where its colours are chosen, as long as those of all are not known.

A square has cells side by side, one where the axes are at one level, and its rows follow each other in the order. At
even distances of rows a few are looked at for squares that begin there, so each filled square is as likely to be found
as any other; those that are found are read to their ends. This goes on, each time as far as can be from where it was
before, until there are enough cells or rows have been read enough. What has more rows than that is left out.

The share of cells up to a value differs from that among all cells, for 10^7 rows, by 1 to 4 %; by up to 16 % where few
squares have very many rows each, at levels that cross hundreds of thousands of cells only. The ends are those of the
sample: the highest count may be 20 times as high.
"""

from __future__ import annotations

import secrets
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.picture_cells import picture_cells
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.jit import frozen, jit
from bigviz.render.level_values import Level, LevelValues
from bigviz.render.shade import values_of
from bigviz.tiles.grid.interleave import compact
from bigviz.tiles.grid.tile_key import DEEPEST
from bigviz.tiles.morton.sorted_keys import Fenced, SortedKeys, open_block, run_end
from bigviz.tiles.pyramid.accumulators import finished
from bigviz.tiles.pyramid.layer_columns import Inputs

__all__ = ["level_sample"]

Array = npt.NDArray[Any]

_LOOKS: Final = 1 << 10
_A_LOOK: Final = 32  # rows
_ROWS: Final = 1 << 14  # read, about
_MORE_ROWS: Final = 1 << 19  # where squares have very many
_CELLS: Final = 1 << 12  # about; of all planes eight times as many, at most
_FEWEST: Final = 16  # cells that can stand for a level
_MOST_APART: Final = 20  # levels, of which that many rows are read: names of cells have slots of their own
_ONE: Final = np.uint64(1)
_FACTOR: Final = secrets.randbits(64) | 1
"""Names that share slots are spread by it (Dietzfelbinger et al., A Reliable Randomized Algorithm for the Closest-Pair
Problem, 1997): who makes up rows cannot know which names meet."""


def level_sample(guard: SortedKeys, inputs: Inputs, level: Level, cancel: Cancel = NEVER) -> LevelValues | None:
    """The values of filled cells of a level of tiles, for categories the sum of all.

    None where no whole cell was found. Raises Cancelled, Unreadable.
    """
    labels = len(inputs.labels or ())
    most = max(min(_CELLS, 8 * _CELLS // max(labels, 1)), _FEWEST)
    cells, positions, count = _found(guard, level, _ROWS, most)
    if count < _FEWEST and len(guard) > _ROWS and abs(level[0] - level[1]) <= _MOST_APART:
        cancel.check()
        cells, positions, count = _found(guard, level, _MORE_ROWS // max(labels, 1), most)
    if not count:
        return None
    planes = inputs.reduction.create((1, count), inputs.dtype, labels, cancel.check)
    inputs.append(planes, cells, positions)
    arrays = finished(inputs.reduction, planes, inputs.own, cancel)
    if not arrays:  # there are no labels
        return LevelValues(np.empty(0), np.empty(0, np.int64))
    found = values_of(arrays, picture_cells(inputs.reduction))
    values = found.numbers[found.filled]
    return LevelValues(values, np.ones(len(values), np.int64))


def _found(guard: SortedKeys, level: Level, most_rows: int, most_cells: int) -> tuple[Array, Array, int]:
    """The cell of each row, by number, the row's position, and how many cells there are."""
    square, cut = (2 * (DEEPEST - each) for each in (min(level), max(level)))
    size = min(2 * most_rows, len(guard))
    positions, cells = np.empty(size, np.int64), np.empty(size, np.int32)
    apart, room = (square - cut) // 2, (2 * size).bit_length()
    slots = np.zeros((1 << min(apart, room), 3), np.int64)
    spread = (1, 0) if apart <= room else (_FACTOR, 64 - room)
    # Of each pair of bits the lower one is of x, the upper one of y.
    bits = np.array([square, cut, level[1] > level[0], *spread], np.uint64)
    lows = _looks(len(guard), _LOOKS, _A_LOOK)
    limits = np.array([_A_LOOK, most_rows, most_cells])
    rows, count = _squares(guard.fenced, lows, frozen(bits), frozen(limits), positions, cells, slots)
    guard.keys.check()
    return cells[:rows], positions[:rows], count


@lru_cache(16)
def _looks(rows: int, most: int, size: int) -> npt.NDArray[np.int64]:
    """Where to look, `size` rows each, all of few rows; in such an order that any first ones are spread over them."""
    count = min(most, max(-(-rows // size), 1))
    bits = (count - 1).bit_length()
    order = np.zeros(1 << bits, np.int64)
    for bit in range(bits):
        order |= (np.arange(1 << bits) >> bit & 1) << (bits - 1 - bit)
    order = order[order < count]
    return frozen(order * size if rows <= most * size else order * (rows - size) // (count - 1))


@jit
def _squares(
    fenced: Fenced, lows: Array, bits: Array, limits: Array, positions: Array, cells: Array, slots: Array
) -> tuple[int, int]:
    """The rows of squares that begin within some rows from `lows`, each with its cell's number: how many, and how many
    cells. `slots` are of names, of the cells of the last square: which square, the name, and the cell's number."""
    keys = fenced.keys
    size, most_rows, most_cells = limits[0], limits[1], limits[2]
    square, cut, odd = bits[0], bits[1], bits[2]
    inner, factor, shift = (_ONE << square) - _ONE, bits[3], bits[4]
    rows, count, squares = 0, 0, 0
    for k in range(lows.size):
        if rows >= most_rows or count >= most_cells:
            break
        high = min(lows[k] + size, keys.size)
        begin = lows[k]
        if begin > 0:
            begin = run_end(fenced, begin - 1, keys.size, square)
        if begin >= high:
            continue
        end = run_end(fenced, high - 1, keys.size, square)
        if end - begin > positions.size - rows:
            continue
        for block in range(begin >> 13, ((end - 1) >> 13) + 1):
            if fenced.state[block] == 0:
                open_block(fenced, block)
        for at in range(begin, end):
            key = keys[at]
            if at == begin or key >> square != keys[at - 1] >> square:
                squares += 1
                if square == cut:
                    count += 1
            cell = count - 1
            if square != cut:
                name = compact((key & inner) >> cut >> odd)
                slot = _slot_of(slots, name, name * factor >> shift, squares)
                if slots[slot, 0] != squares:
                    slots[slot, 0], slots[slot, 1], slots[slot, 2] = squares, np.int64(name), count
                    count += 1
                cell = slots[slot, 2]
            positions[rows] = at
            cells[rows] = cell
            rows += 1
    return rows, count


@jit
def _slot_of(slots: Array, name: np.uint64, slot: np.uint64, square: int) -> int:
    """The slot of a name among those of a square, or a free one: `slot`, or the next one behind it."""
    mask = np.uint64(len(slots) - 1)
    while slots[slot, 0] == square and slots[slot, 1] != np.int64(name):
        slot = (slot + _ONE) & mask
    return int(slot)
