"""The value and category columns of a layer, in its order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.reductions.base import CELLS_ONLY, Planes, Reduction, Rows
from bigviz.common.cancel import NEVER
from bigviz.common.workers import Crew
from bigviz.data.columns.column import Column, widen
from bigviz.tiles.morton.order import Order
from bigviz.tiles.morton.verified_array import VerifiedArray
from bigviz.tiles.pyramid.accumulators import Look, kept_planes
from bigviz.wire.codec import CELLS, SIDE

__all__ = ["Inputs", "category_codes", "gather_inputs"]

Array = npt.NDArray[Any]

_APART: Final = 8


@dataclass(frozen=True)
class Inputs:
    """A reduction and the columns it reads, row k of each belonging to key k of the order.

    `dtype` is the dtype of the accumulators, `own` that of the column, `labels` the categories (None without).
    """

    reduction: Reduction
    dtype: np.dtype[Any]
    own: np.dtype[Any]
    labels: tuple[str, ...] | None = None
    numbers: Callable[[slice | Array], Array] | None = None
    values: VerifiedArray | None = None
    valid: VerifiedArray | None = None
    codes: VerifiedArray | None = None

    @property
    def counts_rows(self) -> bool:
        """Whether the cells hold plain numbers of rows, which need no column."""
        return self.reduction.traits.counts and not self.reduction.columns

    @property
    def many(self) -> int:
        """The rows above which a tile is worth keeping: as many as a plane has cells, more where planes weigh more.

        A kept tile of values takes 600 KB, one of 8 categories 400 KB, and 10^8 rows make 2,000 of them; scanning four
        times as many rows takes 1 ms.
        """
        planes = max(len(self.labels or ()), 1)
        weight = 2 * planes if self.values is not None else planes / 2
        return int(CELLS * max(weight, 4 if self.values is not None else 1))

    @property
    def many_apart(self) -> int:
        """The same for tiles whose axes are at different levels: a view of them may cost a few times a square one."""
        return _APART * self.many

    @property
    def columns(self) -> tuple[VerifiedArray, ...]:
        """The gathered columns."""
        return tuple(column for column in (self.values, self.valid, self.codes) if column is not None)

    @property
    def row_bytes(self) -> int:
        """Bytes read for each row, its key included."""
        return 8 + sum(column.array.itemsize for column in self.columns)

    @property
    def kept_planes(self) -> tuple[int, int]:
        """How many planes a tile is kept as: of values, and others."""
        return kept_planes(self.reduction, len(self.labels or ()))

    def create(self, side: int = SIDE, look: Look = NEVER.check) -> Planes:
        """Empty accumulators of side x side cells; with a `look` before those of each category."""
        return self.reduction.create((side, side), self.dtype, len(self.labels or ()), look)

    def append(self, planes: Planes, cells: npt.NDArray[np.int32], rows: slice | Array) -> None:
        """Add ordered rows, given by a slice or by positions (at most a slice's number), to their cells."""
        self.reduction.append(planes, cells, self.rows(rows))

    def rows(self, rows: slice | Array) -> Rows:
        """What a reduction knows of ordered rows, given by a slice or by positions."""
        if not self.reduction.columns:
            return CELLS_ONLY
        return Rows(
            None if self.values is None else widen(self.values.take(rows)),
            None if self.valid is None else self.valid.take(rows).view(np.bool_),
            None if self.numbers is None else self.numbers(rows),
            None if self.codes is None else self.codes.take(rows),
        )


def gather_inputs(order: Order, reduction: Reduction, columns: dict[str, Column], crew: Crew) -> Inputs:
    """Bring a reduction's columns into an order; `columns` holds them by name."""
    dtype = own = np.dtype(np.uint32)
    values = valid = codes = labels = None
    if reduction.column is not None:
        column = columns[reduction.column]
        dtype, own = reduction.accumulator(column.values), column.values.dtype
        values = order.gather(f"{column.info.name}\0values", column.values, crew)
        if column.valid is not None:
            valid = order.gather(f"{column.info.name}\0valid", column.valid, crew)
    if reduction.category is not None:
        category = columns[reduction.category]
        labels = category.categories or ()
        codes = order.gather(f"{category.info.name}\0codes", category_codes(category, len(labels)), crew)
    numbers = order.row_numbers if reduction.ordered else None
    return Inputs(reduction, dtype, own, labels, numbers, values, valid, codes)


def category_codes(column: Column, labels: int) -> Array:
    """A category's codes, -1 for null, in the narrowest type: one byte a row for what `by` shows."""
    narrow = np.dtype(np.int8) if labels <= 127 else column.values.dtype
    if column.valid is None:
        return column.values.astype(narrow, copy=False)
    return np.where(column.valid, column.values.astype(narrow), narrow.type(-1))
