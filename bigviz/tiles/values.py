"""The value and category columns of a layer, in its order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.reductions import CELLS_ONLY, Planes, Reduction, Rows
from bigviz.data.column import Column, widen
from bigviz.tiles.codec import CELLS, SIDE
from bigviz.tiles.order import Order
from bigviz.tiles.work import Crew

__all__ = ["Inputs", "gather_inputs"]

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Inputs:
    """A reduction and the columns it reads, row k of each belonging to key k of the order.

    `dtype` is the dtype of the accumulators, `own` that of the column, `labels` the categories (None without).
    """

    reduction: Reduction
    dtype: np.dtype[Any]
    own: np.dtype[Any]
    labels: tuple[str, ...] | None = None
    numbers: Array | None = None
    values: Array | None = None
    valid: Array | None = None
    codes: Array | None = None

    @property
    def counts_rows(self) -> bool:
        """Whether the cells hold plain numbers of rows, which need no column."""
        return self.reduction.name == "count" and not self.reduction.columns

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
    def row_bytes(self) -> int:
        """Bytes read for each row, its key included."""
        columns = (self.values, self.valid, self.codes, self.numbers)
        return 8 + sum(column.itemsize for column in columns if column is not None)

    def create(self, side: int = SIDE) -> Planes:
        """Empty accumulators of side x side cells."""
        return self.reduction.create((side, side), self.dtype, len(self.labels or ()))

    def append(self, planes: Planes, cells: npt.NDArray[np.int32], rows: slice | Array) -> None:
        """Add ordered rows, given by a slice or by positions (at most a slice's number), to their cells."""
        self.reduction.append(planes, cells, self._rows(rows))

    def _rows(self, rows: Any) -> Rows:
        if not self.reduction.columns:
            return CELLS_ONLY
        return Rows(
            None if self.values is None else widen(self.values[rows]),
            None if self.valid is None else self.valid[rows],
            None if self.numbers is None else self.numbers[rows],
            None if self.codes is None else self.codes[rows],
        )


def gather_inputs(order: Order, reduction: Reduction, columns: dict[str, Column], crew: Crew) -> Inputs:
    """Bring a reduction's columns into an order; `columns` holds them by name."""
    column = None if reduction.column is None else columns[reduction.column]
    category = None if reduction.category is None else columns[reduction.category]
    codes = None
    if category is not None:
        codes = order.gather(category, crew)
        valid = order.gather_valid(category, crew)
        codes = codes if valid is None else np.where(valid, codes, codes.dtype.type(-1))
    if column is None:
        dtype = own = np.dtype(np.uint32)
        values = checked = None
    else:
        dtype, own = reduction.accumulator(column.values), column.values.dtype
        values, checked = order.gather(column, crew), order.gather_valid(column, crew)
    labels = None if category is None else category.categories
    numbers = order.rows if reduction.ordered else None
    return Inputs(reduction, dtype, own, labels, numbers, values, checked, codes)
