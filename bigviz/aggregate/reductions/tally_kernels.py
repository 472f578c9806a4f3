"""The kernels of tallies: `cells[k]` (int32) is the cell of row k, which always exists, and rows are taken in the order
given."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from bigviz.common.jit import jit

Array = npt.NDArray[Any]


@jit
def count_bytes(low: Array, high: Array, cells: Array) -> None:
    """Count rows in uint8, and in uint32 how often a cell's byte came round to 0."""
    for k in range(cells.size):
        cell = np.uint32(cells[k])
        count = np.uint8(low[cell] + np.uint8(1))
        low[cell] = count
        if count == 0:
            high[cell] += np.uint32(1)


@jit
def count_by_turns(even: Array, odd: Array, cells: Array) -> None:
    """Count rows in uint32, every other one in `odd`."""
    for k in range(0, cells.size - 1, 2):
        even[np.uint32(cells[k])] += np.uint32(1)
        odd[np.uint32(cells[k + 1])] += np.uint32(1)
    if cells.size % 2:
        even[np.uint32(cells[cells.size - 1])] += np.uint32(1)


@jit
def set_marks(marks: Array, cells: Array) -> None:
    """Set the cells of rows to 1."""
    for k in range(cells.size):
        marks[np.uint32(cells[k])] = 1


@jit
def add_all(sums: Array, cells: Array, values: Array) -> None:
    """Add all values."""
    for k in range(cells.size):
        sums[np.uint32(cells[k])] += values[k]


@jit
def lowest(best: Array, cells: Array, values: Array) -> None:
    """Keep the lowest value that is not NaN, the first of equals; NaN in `best` is none yet."""
    for k in range(cells.size):
        cell, value = np.uint32(cells[k]), values[k]
        if not best[cell] <= value and value == value:
            best[cell] = value


@jit
def highest(best: Array, cells: Array, values: Array) -> None:
    """Keep the highest value that is not NaN, the first of equals; NaN in `best` is none yet."""
    for k in range(cells.size):
        cell, value = np.uint32(cells[k]), values[k]
        if not best[cell] >= value and value == value:
            best[cell] = value
