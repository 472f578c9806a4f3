"""Columns of a target or of a reduction in the order of a source's rows: gathered once, read by every move.

A column is made in the rows' own order first, slice by slice, and then gathered: a row costs one miss of the cache,
whatever its cells are made of.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.axis import Axis, in_space
from bigviz.common.jit import frozen, jit
from bigviz.common.workers import Crew, slices
from bigviz.data.columns.column import widen
from bigviz.tiles.brush.orders.source_order import SourceOrder

__all__ = ["AxisNumbers", "filled", "in_order", "numbers_at", "numbers_in_order"]

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]

_SLICE: Final = 1 << 16  # rows whose numbers stay in the processor's cache


@dataclass(frozen=True, eq=False)
class AxisNumbers:
    """The numbers of an axis in a source's order; `valid` says which rows have one (None: all)."""

    values: Array
    valid: Mask | None

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return int(self.values.nbytes) + (0 if self.valid is None else int(self.valid.nbytes))

    def slice(self, start: int, stop: int) -> tuple[Array, Mask | None]:
        """What `Axis.slice` gives, by positions."""
        return self.values[start:stop], None if self.valid is None else self.valid[start:stop]


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


def numbers_in_order(axis: Axis, order: SourceOrder, crew: Crew) -> AxisNumbers:
    """The numbers of an axis in a source's order, with no copy of the column between."""
    out = np.empty(order.rows, axis.slice(0, 0)[0].dtype)
    valid = None if axis.column.valid is None else np.empty(order.rows, np.bool_)

    def take(piece: tuple[int, int]) -> int:
        part = slice(*piece)
        out[part], some = numbers_at(axis, order.row_numbers(*piece))
        if valid is not None:
            valid[part] = True if some is None else some
        return piece[1] - piece[0]

    crew.run("gathering values", take, slices(order.rows, _SLICE), order.rows)
    return AxisNumbers(frozen(out), None if valid is None else frozen(valid))


def numbers_at(axis: Axis, rows: Array) -> tuple[Array, Mask | None]:
    """What `axis.at(rows)` gives: gathered by a kernel, in half the time."""
    column, numbers = axis.column, frozen(rows)
    values = np.empty(len(rows), column.values.dtype)
    _take(frozen(column.values), numbers, values)
    valid: Mask | None = None
    if column.valid is not None:
        valid = np.empty(len(rows), np.bool_)
        _take(frozen(column.valid), numbers, valid)
    return in_space(axis.space, widen(values), valid)


@jit
def _take(values: Array, rows: Array, out: Array) -> None:
    for k in range(rows.size):
        out[k] = values[rows[k]]
