"""The kernels of tallies: `cells[k]` (int32) is the cell of row k, which always exists, and rows are taken in the order
given."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.reductions.prefetch import prefetch
from bigviz.common.jit import jit

Array = npt.NDArray[Any]

_AHEAD: Final = 64  # rows: by then their cells have come from the caches that cores share


@jit
def count_bytes(low: Array, wrapped: Array, found: int, cells: Array) -> int:
    """Count rows in uint8 and append each cell whose byte came round to 0 to `wrapped` (int32), which has `found`
    entries; returns how many it has afterwards."""
    for k in range(cells.size):
        cell = np.uint32(cells[k])
        count = np.uint8(low[cell] + np.uint8(1))
        low[cell] = count
        if count == 0:
            wrapped[found] = cell
            found += 1
    return found


@jit
def add_bytes(low: Array, out: Array) -> None:
    """Add bytes to counts in uint32."""
    for cell in range(out.size):
        out[cell] += np.uint32(low[cell])


@jit
def add_wrapped(wrapped: Array, out: Array) -> None:
    """Add 256 to the count of each cell for each time that its byte came round; cells beyond `out` are none."""
    for k in range(wrapped.size):
        cell = np.uint32(wrapped[k])
        if cell < out.size:
            out[cell] += np.uint32(256)


@jit
def hide_nan(values: Array, outside: int, cells: Array) -> None:
    """Put rows whose value is NaN into no cell."""
    for k in range(cells.size):
        cells[k] = cells[k] if values[k] == values[k] else np.int32(outside)


@jit
def set_marks(marks: Array, cells: Array) -> None:
    """Set the cells of rows to 1."""
    for k in range(cells.size):
        marks[np.uint32(cells[k])] = 1


@jit
def add_and_count(sums: Array, low: Array, wrapped: Array, found: int, cells: Array, values: Array) -> int:
    """Add all values, and count their rows as `count_bytes` does."""
    last = cells.size - 1
    for k in range(cells.size):
        soon = np.int64(cells[min(k + _AHEAD, last)])
        prefetch(sums, soon)
        prefetch(low, soon)
        cell = np.uint32(cells[k])
        sums[cell] += values[k]
        count = np.uint8(low[cell] + np.uint8(1))
        low[cell] = count
        if count == 0:
            wrapped[found] = cell
            found += 1
    return found


@jit
def lowest(best: Array, cells: Array, values: Array) -> None:
    """Keep the lowest value, the first of equals; NaN in `best` is none yet, and a value that is NaN is none.

    A cell is written for every row: a branch would be guessed wrong for one row in a few.
    """
    last = cells.size - 1
    for k in range(cells.size):
        prefetch(best, np.int64(cells[min(k + _AHEAD, last)]))
        cell, value = np.uint32(cells[k]), values[k]
        held = best[cell]
        best[cell] = value if (value < held) | (held != held) else held


@jit
def highest(best: Array, cells: Array, values: Array) -> None:
    """Keep the highest value: see `lowest`."""
    last = cells.size - 1
    for k in range(cells.size):
        prefetch(best, np.int64(cells[min(k + _AHEAD, last)]))
        cell, value = np.uint32(cells[k]), values[k]
        held = best[cell]
        best[cell] = value if (value > held) | (held != held) else held
