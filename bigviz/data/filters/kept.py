"""The rows that a filter keeps, from the values themselves, in file order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.types as pt

from bigviz.common.cancel import Cancel
from bigviz.common.workers import SLICE, Crew
from bigviz.data.columns.column import own_name
from bigviz.data.columns.kinds import is_bytes, storage_type
from bigviz.data.filters.arrow_cells import cells_of_array
from bigviz.data.filters.cells import Cells, cells_of, part
from bigviz.data.filters.predicate import Predicate
from bigviz.data.filters.table import Table

__all__ = ["Slice", "kept", "slices"]


def kept(dataset: Table, predicate: Predicate, crew: Crew) -> npt.NDArray[np.bool_]:
    """True for each row of a dataset that is kept, in file order (its first row is `dataset.first_row`).

    It is read piece by piece on the crew's threads, and nothing of it is held but the mask. Raises what
    `dataset.column` does, and `Cancelled`.
    """
    found = np.zeros(dataset.num_rows, np.bool_)

    def work(piece: tuple[int, int]) -> int:
        start, count = piece
        for each in slices(dataset, predicate, start, start + count, crew.cancel):
            found[each.start : each.start + len(each.mask)] = each.mask
        return count

    crew.run("filtering rows", work, dataset.chunks(), dataset.num_rows)
    return found


class Slice(NamedTuple):
    """Some rows from `start` on (counted from 0): which of them are kept, and the values of further columns there."""

    start: int
    mask: npt.NDArray[np.bool_]
    values: tuple[pa.Array, ...]


def slices(
    dataset: Table, predicate: Predicate, start: int, stop: int, cancel: Cancel, also: Sequence[str] = ()
) -> Iterator[Slice]:
    """The rows `start` to `stop` (exclusive) in order, at most 2^20 at a time, with the values of the columns `also`
    in their own types, or as those types' dictionaries. Where statistics say that none of all the rows can be kept,
    none is read, and null stands for the values."""
    names = predicate.columns
    first, last = dataset.first_row + start, dataset.first_row + stop
    if predicate.excludes(lambda name: dataset.statistics(name, first, last)):
        yield from _none(start, stop, len(also), cancel)
        return
    columns: list[Iterator[Cells | pa.Array]] = [_column(dataset, name, first, last, cancel) for name in names]
    columns += [(array for _, array in dataset.values(name, first, last, cancel)) for name in also]
    for pieces in _aligned(columns) if columns else ([each] for each in _empty(stop - start)):
        cancel.check()
        rows = dict(zip(names, pieces, strict=False))
        mask = predicate.mask(rows.__getitem__, _length(pieces[0]))
        yield Slice(start, mask, tuple(pieces[len(names) :]))
        start += len(mask)


def _none(start: int, stop: int, also: int, cancel: Cancel) -> Iterator[Slice]:
    """Slices of rows of which none can be kept: they are not read, and nulls stand for their values."""
    for first in range(start, stop, SLICE):
        cancel.check()
        count = min(SLICE, stop - first)
        yield Slice(first, np.zeros(count, np.bool_), (pa.nulls(count),) * also)


def _empty(count: int) -> Iterator[pa.Array]:
    """So many rows of no column."""
    for start in range(0, count, SLICE):
        yield pa.nulls(min(SLICE, count - start))


def _column(dataset: Table, name: str, start: int, stop: int, cancel: Cancel) -> Iterator[Cells]:
    """The values of one column in the rows with the numbers `start` to `stop` (exclusive)."""
    info = dataset.info(name)
    type_ = storage_type(info.type)
    labels = type_.value_type if pt.is_dictionary(type_) else type_
    # Whether bytes are read as text depends on all of a column's; labels of numbers are a view of it.
    if info.kind == "category" and (is_bytes(labels) or pt.is_fixed_size_binary(labels) or own_name(name) != name):
        for _, (column,) in dataset.read_rows([name], start, stop, cancel):
            yield cells_of(column)
    else:
        for _, array in dataset.values(name, start, stop, cancel):
            yield cells_of_array(info, array)


def _aligned(columns: Sequence[Iterator[Cells | pa.Array]]) -> Iterator[list[Any]]:
    """Columns of the same rows, cut differently, in pieces of equal length, at most 2^20 rows."""
    rest: list[Any] = [None] * len(columns)
    while True:
        for at, column in enumerate(columns):
            if rest[at] is None:
                rest[at] = next((piece for piece in column if _length(piece)), None)
                if rest[at] is None:
                    return
        count = min(SLICE, *map(_length, rest))
        yield [_cut(piece, 0, count) for piece in rest]
        rest = [None if _length(piece) == count else _cut(piece, count, _length(piece)) for piece in rest]


def _length(piece: Cells | pa.Array) -> int:
    return len(piece.values if isinstance(piece, Cells) else piece)


def _cut(piece: Cells | pa.Array, start: int, stop: int) -> Cells | pa.Array:
    return part(piece, start, stop) if isinstance(piece, Cells) else piece.slice(start, stop - start)
