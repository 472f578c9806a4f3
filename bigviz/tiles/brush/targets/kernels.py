"""Kernels over the cells of some rows (int32; -1: in none): rows come, and rows go.

Each takes `cells` and what else the rows have, one value a row, in the same order. NaN is no value.
"""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from bigviz.common.jit import jit

__all__ = [
    "add_picks",
    "count_rows",
    "leave_out",
    "lose_rows",
    "only_stale",
    "take_held",
]

Array = npt.NDArray[Any]


@jit
def leave_out(valid: Array, cells: Array) -> None:
    """Rows whose `valid` (uint8) is 0 are in no cell."""
    for k in range(valid.size):
        if valid[k] == 0:
            cells[k] = -1


@jit
def only_stale(cells: Array, stale: Array) -> None:
    """Rows whose cell is not stale (uint8) are in no cell."""
    for k in range(cells.size):
        if cells[k] >= 0 and stale[cells[k]] == 0:
            cells[k] = -1


@jit
def count_rows(cells: Array, sign: int, counts: Array) -> None:
    """Add 1 or -1, the `sign`, to the count (int32) of each row's cell."""
    for k in range(cells.size):
        if cells[k] >= 0:
            counts[cells[k]] += sign


@jit
def lose_rows(cells: Array, values: Array, counts: Array, stale: Array) -> None:
    """Rows go; each cell that had one with a value is stale, whatever it was."""
    for k in range(cells.size):
        cell = cells[k]
        if cell >= 0 and values[k] == values[k]:
            counts[cell] -= 1
            stale[cell] = 1


@jit
def add_picks(
    cells: Array, values: Array, rows: Array, lowest: bool, again: bool, picked: Array, held: Array, counts: Array,
    stale: Array,
) -> None:  # fmt: skip
    """Rows come, with their numbers (int64): one before (`lowest`) or after the held one, or the held one itself, makes
    its cell fresh."""
    for k in range(cells.size):
        cell, value = cells[k], values[k]
        if cell < 0 or value != value:
            continue
        if counts[cell] == 0 or (rows[k] <= held[cell] if lowest else rows[k] >= held[cell]):
            picked[cell] = value
            held[cell] = rows[k]
            if not again:
                stale[cell] = 0
        counts[cell] += 1


@jit
def take_held(cells: Array, values: Array, rows: Array, held: Array, counts: Array, stale: Array) -> None:
    """Rows go, with their numbers (int64); a cell that loses the row that it holds is stale, and one that loses its
    last row is fresh."""
    for k in range(cells.size):
        cell, value = cells[k], values[k]
        if cell < 0 or value != value:
            continue
        counts[cell] -= 1
        if counts[cell] == 0:
            stale[cell] = 0
        elif rows[k] == held[cell]:
            stale[cell] = 1
