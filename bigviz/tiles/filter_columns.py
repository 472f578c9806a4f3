"""Columns that filters read and an order of rows does not keep: brought into the order once, for all filters."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.errors import TooLarge
from bigviz.common.workers import Crew
from bigviz.data.columns.column import Column
from bigviz.data.columns.numbers import axis_dtype
from bigviz.data.dataset import Dataset
from bigviz.tiles.brush.held import BrushMemory
from bigviz.tiles.grid.row_filter import RowFilter
from bigviz.tiles.morton.order import Order, OrderedColumn
from bigviz.tiles.morton.small_pages import in_small_pages

__all__ = ["FilterColumns"]

Held = Mapping[str, OrderedColumn | None]

_SHARE: Final = 4  # of the memory for layers such columns take at most a part of so many


class FilterColumns:
    """At most a quarter of `memory` bytes of columns; the least recently used are dropped first. Safe to use from any
    number of threads."""

    def __init__(self, memory: int) -> None:
        self._kept = BrushMemory(memory // _SHARE)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self._kept.nbytes

    def drop_dataset(self, dataset: Dataset) -> None:
        """Forget the columns of a version of a dataset."""
        self._kept.drop_dataset(dataset)

    def with_lacking(
        self, keep: RowFilter, order: Order, held: Held, but: Collection[str], key: tuple[Hashable, ...], crew: Crew
    ) -> Held:
        """The columns of a filter: those that are `held` in an order, and those that were read from the dataset, now
        or before, `but` some. The same as `held` where memory does not hold them, or where they would not decide what
        is kept. `key` names the order. Raises what reading does, and Cancelled."""
        lacking = [name for name in keep.names if held.get(name) is None and name not in but]
        if order.has_columns or not lacking or not keep.decided(lambda name: True):
            return held
        found = dict(held)
        for name in lacking:
            size = len(order.guard) * (axis_dtype(keep.dataset.info(name).type).itemsize + 1)
            try:
                made = self._kept.get((*key, name), size, _Making(keep.dataset, order, name), crew)
            except TooLarge:
                return held
            found[name] = made.column
        return found


@dataclass(frozen=True, eq=False)
class _Gathered:
    """A column in an order."""

    column: OrderedColumn

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return sum(each.nbytes for each in self.column[:3] if each is not None)


@dataclass(frozen=True)
class _Making:
    """Reads a column and brings it into an order."""

    dataset: Dataset
    order: Order
    name: str

    def __call__(self, crew: Crew) -> _Gathered:
        info, rows = self.dataset.info(self.name), self.dataset.num_rows
        labels = self.dataset.labels(self.name, crew.cancel) if info.kind == "category" else None
        narrow = np.int8 if labels is not None and len(labels) <= 127 else axis_dtype(info.type)
        read = _Read(in_small_pages(rows, narrow), in_small_pages(rows, np.uint8), labels is not None)
        pieces = self.dataset.chunks()

        def look(piece: int) -> int:
            for first, (column,) in crew.paced(self.dataset.read(piece, [self.name], crew.cancel)):
                read.add(first, column)
            return pieces[piece][1]

        crew.run(f"reading {self.name}", look, range(len(pieces)), rows)
        values = self.order.gather(f"{self.name}\0{'values' if labels is None else 'codes'}", read.values, crew)
        if labels is not None:
            return _Gathered(OrderedColumn(codes=values, labels=labels))
        valid = self.order.gather(f"{self.name}\0valid", read.valid, crew) if read.lacking else None
        return _Gathered(OrderedColumn(values, valid))


@dataclass
class _Read:
    """A column in file order: numbers, and 1 where they are valid; or codes, -1 for none."""

    values: npt.NDArray[Any]
    valid: npt.NDArray[np.uint8]
    are_codes: bool
    lacking: list[int] = field(default_factory=list)  # first rows of the batches that lack a number

    def add(self, first: int, column: Column) -> None:
        """Add a batch of rows."""
        part = slice(first, first + len(column))
        if self.are_codes:
            self.values[part] = column.values if column.valid is None else np.where(column.valid, column.values, -1)
            return
        self.values[part] = column.values
        self.valid[part] = 1 if column.valid is None else column.valid
        if column.valid is not None and not column.valid.all():
            self.lacking.append(first)
