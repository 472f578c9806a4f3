"""From the upper halves of codes to the cells of a view down to level 8, numbered as `cells` says."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from bigviz.common.jit import jit

__all__ = ["coarse_cells", "count_coarse", "count_some"]

Array = npt.NDArray[Any]


@jit
def coarse_cells(upper: Array, mark: np.uint32, less: Array, place: Array, out: Array) -> None:
    """Write the cell of each row to `out` (int32), -1 for rows outside; in 32 bits throughout, so that eight rows are
    taken at a time. `less` are the bits that the view's levels leave out of those of x and y, `place` its first column,
    its first row from the bottom, its size, and its blocks across."""
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
def count_some(
    upper: Array, mark: np.uint32, less: Array, place: Array, cells: Array, sign: int, counts: Array
) -> None:
    """Add `sign` to the count of each row's cell; `cells` is room for as many rows as stay in the first cache."""
    coarse_cells(upper, mark, less, place, cells)
    for k in range(upper.size):
        if cells[k] >= 0:
            counts[cells[k]] += sign


@jit
def count_coarse(
    lows: Array, highs: Array, chosen: Array, halves: Array, mark: np.uint32, less: Array, place: Array, sign: int,
    counts: Array,
) -> None:  # fmt: skip
    """Count the rows of ranges of positions and those at `chosen` positions, 1,024 at a time: see `count_some`."""
    cells, some = np.empty(1024, np.int32), np.empty(1024, np.uint32)
    for r in range(lows.size):
        for start in range(lows[r], highs[r], 1024):
            size = min(highs[r] - start, 1024)
            count_some(halves[start : start + size], mark, less, place, cells, sign, counts)
    for start in range(0, chosen.size, 1024):
        size = min(chosen.size - start, 1024)
        for k in range(size):
            some[k] = halves[chosen[start + k]]
        count_some(some[:size], mark, less, place, cells, sign, counts)
