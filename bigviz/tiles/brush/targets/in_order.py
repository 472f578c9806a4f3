"""Columns of a target or of a reduction in the order of a source's rows: gathered once, read by every move.

A column is made in the rows' own order first, slice by slice, and then gathered: a row costs one miss of the cache,
whatever its cells are made of.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.axis import Axis, in_space
from bigviz.common.jit import frozen, jit
from bigviz.common.workers import Crew, slices
from bigviz.data.columns.column import widen
from bigviz.tiles.brush.orders.source_order import SourceOrder

__all__ = ["filled", "in_order", "numbers_at", "pairs_in_order"]

Array = npt.NDArray[Any]


def filled(rows: int, dtype: np.dtype[Any], read: Callable[[int, int], Array], crew: Crew) -> Array:
    """A column in the rows' own order: `read(start, stop)` gives that of a slice of them."""
    out = np.empty(rows, dtype)

    def fill(piece: tuple[int, int]) -> int:
        out[piece[0] : piece[1]] = read(*piece)
        return piece[1] - piece[0]

    crew.run("finding cells", fill, slices(rows), rows)
    return out


def in_order(order: SourceOrder, values: Array, crew: Crew) -> Array:
    """One value a row, in a source's order."""
    out = np.empty(order.rows, values.dtype)

    def take(piece: tuple[int, int]) -> int:
        _take(frozen(values), frozen(order.row_numbers(*piece)), out[piece[0] : piece[1]])
        return piece[1] - piece[0]

    crew.run("gathering values", take, slices(order.rows), order.rows)
    return out


def numbers_at(axis: Axis, rows: Array) -> tuple[Array, npt.NDArray[np.bool_] | None]:
    """What `axis.at(rows)` gives, in half the time."""
    column, numbers = axis.column, frozen(rows)
    values = np.empty(len(rows), column.values.dtype)
    _take(frozen(column.values), numbers, values)
    valid = None
    if column.valid is not None:
        valid = np.empty(len(rows), np.bool_)
        _take(frozen(column.valid), numbers, valid)
    return in_space(axis.space, widen(values), valid)


def pairs_in_order(order: SourceOrder, pairs: Array, crew: Crew) -> tuple[Array, Array]:
    """Two values of 32 bits a row, of shape (rows, 2), in a source's order: at the price of one."""
    first, second = np.empty(order.rows, np.uint32), np.empty(order.rows, np.uint32)

    def take(piece: tuple[int, int]) -> int:
        part = slice(*piece)
        _take_pairs(frozen(pairs), frozen(order.row_numbers(*piece)), first[part], second[part])
        return piece[1] - piece[0]

    crew.run("gathering values", take, slices(order.rows), order.rows)
    return first, second


@jit
def _take_pairs(pairs: Array, rows: Array, first: Array, second: Array) -> None:
    for k in range(rows.size):
        first[k] = pairs[rows[k], 0]
        second[k] = pairs[rows[k], 1]


@jit
def _take(values: Array, rows: Array, out: Array) -> None:
    for k in range(rows.size):
        out[k] = values[rows[k]]
