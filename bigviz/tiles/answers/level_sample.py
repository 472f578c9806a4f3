"""Cells that stand for all cells of a level where its colours are chosen, as long as those of all are not known.

They are those of stretches of the order. A stretch has so many rows, and crosses fewer cells where rows lie closer, so
each filled cell is as likely to be among them as any other. Cells at the ends of a stretch, of which it may hold a part
only, are left out. Few rows are one stretch: then it is all cells of the level.

Where levels differ, rows of a cell do not follow each other. Those of a square that has cells side by side do: a
stretch has the cells of all squares that begin in it, and goes on to the end of the last one. It is left out where that
is far, as where very many rows have one place.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.picture_cells import picture_cells
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.jit import frozen, jit
from bigviz.render.level_values import Level, LevelValues
from bigviz.render.shade import values_of
from bigviz.tiles.grid.tile_key import DEEPEST
from bigviz.tiles.morton.sorted_keys import Fenced, Guard, open_block
from bigviz.tiles.pyramid.accumulators import finished
from bigviz.tiles.pyramid.layer_columns import Inputs

__all__ = ["level_sample"]

Array = npt.NDArray[Any]

_STRETCHES: Final = 64
_ROWS: Final = 1 << 10  # of a stretch
_CELLS: Final = 1 << 19  # of all planes, at most
_MOST_ROWS: Final = 1 << 19  # of all stretches of squares, of which only some are read beyond that; and of one


def level_sample(guard: Guard, inputs: Inputs, level: Level, cancel: Cancel = NEVER) -> LevelValues | None:
    """The values of filled cells of a level of tiles, for categories the sum of all.

    None where no stretch holds a whole cell. Raises Cancelled, Unreadable.
    """
    labels = len(inputs.labels or ())
    lows, highs = _stretches(len(guard), min(_STRETCHES, _CELLS // max(labels, 1) // _ROWS))
    find = _square_cells if level[0] == level[1] else _long_cells
    cells, positions, count = find(guard, lows, highs, level)
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


def _square_cells(guard: Guard, lows: Array, highs: Array, level: Level) -> tuple[Array, Array, int]:
    """The cell of each row, by number, the row's position, and how many cells there are."""
    most = int((highs - lows).sum())
    cells, positions = np.empty(most, np.int32), np.empty(most, np.int64)
    shift = np.uint64(2 * (DEEPEST - level[0]))
    rows, count = _whole_cells(guard.fenced, frozen(lows), frozen(highs), shift, positions, cells)
    guard.keys.check()
    return cells[:rows], positions[:rows], count


def _long_cells(guard: Guard, lows: Array, highs: Array, level: Level) -> tuple[Array, Array, int]:
    """The same of cells that squares of the coarser level are cut into along one axis."""
    square, cut = (2 * (DEEPEST - each) for each in (min(level), max(level)))
    spans: list[tuple[int, int]] = []
    for low, high in zip(lows.tolist(), highs.tolist(), strict=True):
        begin = guard.run_end(low - 1, len(guard), square) if low else 0
        end = guard.run_end(high - 1, len(guard), square) if begin < high else begin
        if begin < end <= begin + _MOST_ROWS:
            spans.append((begin, end))
    rows = sum(end - begin for begin, end in spans)
    positions = [np.arange(*span) for span in spans[:: max(1, -(-rows // _MOST_ROWS))]]
    places = np.concatenate([np.empty(0, np.int64), *positions])
    keys = guard.keys.take(places)
    # Beyond the square, of each pair of bits the lower one is of x, the upper one of y.
    along = (0x5555555555555555 if level[0] > level[1] else 0xAAAAAAAAAAAAAAAA) & (1 << square) - (1 << cut)
    kept = np.uint64(along | (1 << 64) - (1 << square))
    names, cells = np.unique(keys & kept, return_inverse=True)
    return cells.astype(np.int32), places, len(names)


def _stretches(rows: int, count: int) -> tuple[Array, Array]:
    """First and end position of each of at most `count`."""
    if rows <= count * _ROWS:
        return np.zeros(1, np.int64), np.array([rows])
    lows = np.linspace(0, rows - _ROWS, count).astype(np.int64)
    return lows, lows + _ROWS


@jit
def _whole_cells(
    fenced: Fenced, lows: Array, highs: Array, shift: np.uint64, positions: Array, cells: Array
) -> tuple[int, int]:
    """The rows of stretches that lie in cells which begin and end there, each with its cell's number: how many, and how
    many cells."""
    keys = fenced.keys
    rows, count = 0, 0
    for s in range(lows.size):
        low, high = lows[s], highs[s]
        if low == high:
            continue
        for block in range(max(low - 1, 0) >> 13, (min(high, keys.size - 1) >> 13) + 1):
            open_block(fenced, block)
        while 0 < low < high and keys[low] >> shift == keys[low - 1] >> shift:
            low += 1
        while low < high < keys.size and keys[high - 1] >> shift == keys[high] >> shift:
            high -= 1
        for at in range(low, high):
            if at == low or keys[at] >> shift != keys[at - 1] >> shift:
                count += 1
            positions[rows] = at
            cells[rows] = count - 1
            rows += 1
    return rows, count
