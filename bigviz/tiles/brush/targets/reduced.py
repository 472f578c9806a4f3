"""What a reduction reads of the rows, brought into a source's order."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.reductions.base import Reduction
from bigviz.aggregate.reductions.counts import Count, Presence
from bigviz.aggregate.reductions.sums import Sum
from bigviz.common.jit import frozen
from bigviz.common.workers import Crew
from bigviz.data.columns.column import Column
from bigviz.tiles.brush.orders.source_order import SourceOrder
from bigviz.tiles.brush.prepared import Prepared
from bigviz.tiles.brush.targets.cells import Bins, labels_of
from bigviz.tiles.brush.targets.fixed_point import fixed_point_of
from bigviz.tiles.brush.targets.in_order import filled, in_order
from bigviz.tiles.brush.targets.values import Values

__all__ = ["Beside", "Reduced", "reduced"]

Array = npt.NDArray[Any]
T = TypeVar("T")


@dataclass(frozen=True)
class Beside:
    """What lies beside the rows of a source's order: `keep(what, bytes a row, make)` finds or makes a column."""

    prepared: Prepared
    order: SourceOrder
    keep: Callable[[Hashable, int, Callable[[Crew], Any]], Any]

    def column(self, name: str) -> Column:
        """A column of the rows, as it was read."""
        return self.prepared.column(name)

    def numbers(self, positions: Array) -> npt.NDArray[np.int64]:
        """The row numbers at positions."""
        return self.prepared.numbers(self.order.rows_at(positions))

    def labels(self, name: str) -> Bins:
        """The codes of a category."""
        column = self.column(name)
        found: Bins = self.keep(("labels", name), 4, lambda crew: labels_of(column, self.order, crew))
        return found


@dataclass(frozen=True)
class Reduced:
    """A reduction with the columns it reads. `dtype` is its accumulator's, `numbers` gives row numbers at positions;
    `labels` and `codes` are those of `by`."""

    reduction: Reduction
    dtype: np.dtype[Any]
    numbers: Callable[[Array], Array]
    labels: tuple[str, ...] | None = None
    codes: Bins | None = None
    values: Values | None = None

    @property
    def counts_rows(self) -> bool:
        """Whether nothing but the number of a cell's rows is asked for."""
        return isinstance(self.reduction, Count | Presence) and self.values is None


def reduced(reduction: Reduction, beside: Beside) -> Reduced:
    """Bring what a reduction (bound to its dataset) reads into the source's order."""
    dtype, values, codes, labels = np.dtype(np.uint32), None, None, None
    if reduction.category is not None:
        labels = beside.column(reduction.category).categories or ()
        codes = beside.labels(reduction.category)
    if reduction.column is not None or reduction.plane.column is not None:
        name = reduction.plane.column or reduction.column
        assert name is not None
        column = beside.column(name)
        dtype = reduction.accumulator(column.values)
        if isinstance(reduction.plane, Count | Presence):
            values = _present(name, column, beside)
        else:
            values = _values(name, column, isinstance(reduction.plane, Sum), beside)
    return Reduced(reduction, dtype, beside.numbers, labels, codes, values)


def _present(name: str, column: Column, beside: Beside) -> Values | None:
    """Where a column has a value (uint8); None: everywhere."""
    if column.values.dtype.kind != "f" and column.valid is None:
        return None

    def read(start: int, stop: int) -> Array:
        if column.valid is not None:
            return column.valid[start:stop].view(np.uint8)
        some: Array = ~np.isnan(column.values[start:stop])
        return some.view(np.uint8)

    def make(crew: Crew) -> Values:
        found = filled(len(column), np.dtype(np.uint8), read, crew)
        return Values(frozen(in_order(beside.order, found, crew)))

    made: Values = beside.keep(("present", name), 1, make)
    return made


def _values(name: str, column: Column, sums: bool, beside: Beside) -> Values:
    """A column's values, and for sums of floats how they are cut into whole numbers."""

    def make(crew: Crew) -> Values:
        values = frozen(in_order(beside.order, column.values, crew))
        valid = None if column.valid is None else frozen(in_order(beside.order, column.valid.view(np.uint8), crew))
        fixed = fixed_point_of(column.values, crew) if sums and column.values.dtype.kind == "f" else None
        return Values(values, valid, fixed)

    kind = "summed" if sums and column.values.dtype.kind == "f" else "values"
    made: Values = beside.keep((kind, name), column.values.itemsize + 1, make)
    return made
