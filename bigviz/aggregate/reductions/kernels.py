"""The kernels that append rows to flat planes.

In all of them `cells[k]` (int32) is the cell that row k falls in, below 0 for none, and rows are taken in the order
given, so that a cell's float sum is the sum in row order. Values are float64, int64 or uint64; a null
is NaN or has cell -1.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from bigviz.common.jit import jit

Array = npt.NDArray[Any]


@jit
def count_rows(counts: Array, cells: Array) -> None:
    """Count the rows of each cell."""
    for k in range(cells.size):
        cell = cells[k]
        if cell >= 0:
            counts[cell] += np.uint32(1)


@jit
def mark_cells(marks: Array, cells: Array) -> None:
    """Set the cells that hold a row."""
    for k in range(cells.size):
        cell = cells[k]
        if cell >= 0:
            marks[cell] = 1


@jit
def add_values(sums: Array, counts: Array, cells: Array, values: Array, restarts: bool) -> None:
    """Add the values that are not NaN and count them.

    With `restarts` the first value of a cell, and the one after a sum that became NaN, replaces the sum (so a lone -0
    stays -0): datashader keeps NaN for "empty".
    """
    for k in range(cells.size):
        cell, value = cells[k], values[k]
        if cell < 0 or value != value:
            continue
        held = sums[cell]
        if restarts and (counts[cell] == 0 or held != held):
            sums[cell] = value
        else:
            sums[cell] = held + value
        counts[cell] += np.uint32(1)


@jit
def add_halves(high: Array, low: Array, counts: Array, cells: Array, values: Array) -> None:
    """Add the upper and the lower 32 bits of int64 values apart, in int64 and uint64, and count them: neither overflows
    with fewer than 2^32 rows a cell."""
    for k in range(cells.size):
        cell, value = cells[k], values[k]
        if cell >= 0:
            high[cell] += value >> 32
            low[cell] += np.uint64(value & 0xFFFFFFFF)
            counts[cell] += np.uint32(1)


@jit
def keep_extreme(best: Array, filled: Array, cells: Array, values: Array, lowest: bool) -> None:
    """Keep the lowest or the highest value that is not NaN, the first of equals."""
    for k in range(cells.size):
        cell, value = cells[k], values[k]
        if cell < 0 or value != value:
            continue
        held = best[cell]
        if filled[cell] == 0 or (value < held if lowest else value > held):
            best[cell] = value
            filled[cell] = 1


@jit
def combine_extremes(best: Array, filled: Array, other: Array, has: Array, lowest: bool) -> None:
    """Keep the lowest or the highest of two values a cell, the first of equals, where `filled` and `has` (uint8) say
    that there is one."""
    for k in range(best.size):
        held, rival = best[k], other[k]
        beats = rival < held if lowest else rival > held
        best[k] = rival if (has[k] > 0) & (beats | (filled[k] == 0)) else held
        filled[k] |= has[k]


@jit
def divide(sums: Array, counts: Array) -> None:
    """Make sums means, NaN where there is nothing to divide."""
    for k in range(sums.size):
        sums[k] = sums[k] / np.float64(counts[k])


@jit
def blank(values: Array, filled: Array) -> None:
    """Write NaN over the values of cells that are not filled (bool)."""
    for k in range(values.size):
        values[k] = values[k] if filled[k] else np.nan


@jit
def keep_row(picked: Array, numbers: Array, cells: Array, values: Array, rows: Array, lowest: bool) -> None:
    """Keep the value of the lowest or the highest row number; rows of one number carry one value."""
    for k in range(cells.size):
        cell, value = cells[k], values[k]
        if cell < 0 or value != value:
            continue
        row, held = rows[k], numbers[cell]
        if row < held if lowest else row >= held:
            picked[cell] = value
            numbers[cell] = row


@jit
def spread_cells(cells: Array, codes: Array, plane: int, count: int, outside: int, out: Array) -> None:
    """Cell numbers over stacked planes, one a category; `outside` where the row has no cell or no category."""
    none, size, most = np.int32(outside), np.int32(plane), np.int32(count)
    for k in range(cells.size):
        cell, code = cells[k], codes[k]
        out[k] = np.int32(cell + code * size) if (cell >= 0) & (code >= 0) & (code < most) else none
