"""Which rows of a dataset a layer's filter keeps, and what hides the others.

A row that is not kept is hidden by its x: where that is no number, the row lies in no cell, on no line and in no
window, but keeps its number. So passes over a table, samples and lines need to know of no filter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bigviz.aggregate.layer import Layer
from bigviz.common.cancel import Cancel
from bigviz.common.workers import Crew
from bigviz.data.columns.column import Column, own_name
from bigviz.data.dataset import Dataset
from bigviz.data.filters.arrow_cells import cells_of_array
from bigviz.data.filters.cells import Cells, cells_of
from bigviz.data.filters.check import check
from bigviz.data.filters.kept import kept, slices
from bigviz.data.filters.predicate import Predicate

__all__ = ["RowFilter", "hidden", "row_filter"]

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class RowFilter:
    """A checked expression over the columns of a dataset."""

    dataset: Dataset
    predicate: Predicate

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that it reads."""
        return self.predicate.columns

    def mask(self, columns: Mapping[str, Column], rows: int) -> Mask:
        """Which of so many rows are kept, by the axis numbers of its columns, where these are `decided`: else a null
        passes for NaN, or a decimal for the float next to it."""
        return self.predicate.mask(lambda name: cells_of(columns[name]), rows)

    def decided(self, complete: Callable[[str], bool]) -> bool:
        """Whether `mask` is exact. `complete(name)` says whether a column has a number in every row."""
        return self.predicate.decided_by_numbers(complete)

    def excludes(self, start: int, stop: int) -> bool:
        """Whether statistics of the file say that none of the rows with the numbers `start` to `stop` (exclusive) is
        kept."""
        return self.predicate.excludes(lambda name: self.dataset.statistics(name, start, stop))

    def of_file(self, crew: Crew) -> Mask:
        """Which rows of the dataset are kept, in file order. Raises what reading its columns does, and Cancelled."""
        return kept(self.dataset, self.predicate, crew)

    def masks(self, start: int, stop: int, cancel: Cancel) -> Callable[[int], Mask]:
        """A function that tells of the next so many of the rows `start` to `stop`, counted from 0, which are kept."""
        parts = slices(self.dataset, self.predicate, start, stop, cancel)
        return _Masks(each.mask for each in parts).take

    def of_rows(self, rows: Array) -> Mask | None:
        """Which of some rows of a table in memory are kept, by their numbers; None where a column's values have to be
        seen as a whole."""
        found: dict[str, Cells] = {}
        for name in self.names:
            cells = self.cells(name, rows)
            if cells is None:
                return None
            found[name] = cells
        return self.predicate.mask(found.__getitem__, len(rows))

    def cells(self, name: str, rows: Array) -> Cells | None:
        """The values of a column in some rows, by their numbers; None where they have to be seen as a whole. Of a
        table in a file these rows are read."""
        info = self.dataset.info(name)
        if own_name(info.name) != info.name or _is_bytes(info.type):
            return None
        return cells_of_array(info, _one(self.dataset.take(rows, [name])[name]))

    def count(self, crew: Crew) -> int:
        """How many rows of the dataset are kept, by a pass over the filter's columns. Raises as `of_file` does."""
        found: list[int] = []

        def look(piece: tuple[int, int]) -> int:
            start, count = piece
            parts = slices(self.dataset, self.predicate, start, start + count, crew.cancel)
            found.extend(int(np.count_nonzero(each.mask)) for each in crew.paced(parts))
            return count

        crew.run("filtering rows", look, self.dataset.chunks(), self.dataset.num_rows)
        return sum(found)


def row_filter(dataset: Dataset, layer: Layer) -> RowFilter | None:
    """The filter of a layer; None where it keeps every row. Raises BadInput for one that does not go with the
    dataset's columns."""
    expression = layer.expression
    if expression is None:
        return None
    return RowFilter(dataset, check(expression, dataset))


def hidden(column: Column, keep: Mask) -> Column:
    """A column whose rows are numbers only where they are kept."""
    valid = keep if column.valid is None else column.valid & keep
    return Column(column.info, column.values, valid, column.categories)


def _is_bytes(type_: pa.DataType) -> bool:
    """Whether bytes are read as text or not depends on all of a column's."""
    held = type_.value_type if pa.types.is_dictionary(type_) else type_
    return any(test(held) for test in (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary))


def _one(array: pa.ChunkedArray) -> pa.Array:
    return array.combine_chunks() if array.num_chunks != 1 else array.chunk(0)


class _Masks:
    """Masks of rows that follow each other, cut anew."""

    def __init__(self, parts: Iterator[Mask]) -> None:
        self._parts = parts
        self._rest = np.empty(0, np.bool_)

    def take(self, rows: int) -> Mask:
        """The mask of the next so many rows."""
        while len(self._rest) < rows:
            self._rest = np.concatenate([self._rest, next(self._parts)])
        found, self._rest = self._rest[:rows], self._rest[rows:]
        return found
