"""The rows that a filter keeps, from the values themselves, in file order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.types as pt

from bigviz.common.cancel import Cancel
from bigviz.common.workers import SLICE, Crew
from bigviz.data.columns.arrow_arrays import fixed_view, plain, valid_mask
from bigviz.data.columns.categories import label_texts, own_codes
from bigviz.data.columns.column import ColumnInfo, own_name
from bigviz.data.columns.kinds import is_bytes, nanoseconds_per_unit, storage_type
from bigviz.data.columns.numbers import Numbers
from bigviz.data.filters.cells import Cells, cells_of
from bigviz.data.filters.predicate import Predicate
from bigviz.data.filters.table import Table

__all__ = ["cells_of_array", "kept", "masks"]


def kept(dataset: Table, predicate: Predicate, crew: Crew) -> npt.NDArray[np.bool_]:
    """True for each row of a dataset that is kept, in file order (its first row is `dataset.first_row`).

    It is read piece by piece on the crew's threads, and nothing of it is held but the mask. Raises what
    `dataset.column` does, and `Cancelled`.
    """
    found = np.zeros(dataset.num_rows, np.bool_)

    def work(piece: tuple[int, int]) -> int:
        start, count = piece
        for first, mask in masks(dataset, predicate, start, start + count, crew.cancel):
            found[first : first + len(mask)] = mask
        return count

    crew.run("filtering rows", work, dataset.chunks(), dataset.num_rows)
    return found


def masks(
    dataset: Table, predicate: Predicate, start: int, stop: int, cancel: Cancel
) -> Iterator[tuple[int, npt.NDArray[np.bool_]]]:
    """(first row, mask) of slices of at most 2^20 rows that cover the rows `start` to `stop` (exclusive), which count
    from 0."""
    names = predicate.columns
    if not names:
        for first in range(start, stop, SLICE):
            cancel.check()
            yield first, predicate.mask(_nothing, min(SLICE, stop - first))
        return
    before = dataset.first_row
    columns = [_column(dataset, name, before + start, before + stop, cancel) for name in names]
    first = start
    for cells in _aligned(columns):
        cancel.check()
        rows = dict(zip(names, cells, strict=True))
        mask = predicate.mask(rows.__getitem__)
        yield first, mask
        first += len(mask)


def _nothing(name: str) -> Cells:
    raise AssertionError(f"{name} is no column of the predicate")


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


def cells_of_array(info: ColumnInfo, array: pa.Array) -> Cells:
    """An array of a column as cells that say all about its values: null among floats, times in their own steps,
    decimals."""
    array = plain(array)
    if info.kind == "category":
        codes, labels = own_codes(array)
        return Cells(codes, None if not (codes < 0).any() else codes >= 0, tuple(label_texts(labels)))
    if pt.is_temporal(array.type):
        stored = fixed_view(array, np.dtype(np.int32 if array.type.bit_width == 32 else np.int64))
        return Cells(stored, valid_mask(array), None, nanoseconds_per_unit(array.type))
    if pt.is_integer(array.type) or pt.is_float32(array.type) or pt.is_float64(array.type):
        return Cells(fixed_view(array, _dtype(array.type)), valid_mask(array))
    numbers = Numbers(info, len(array))
    numbers.add(0, array)
    exact = array if pt.is_decimal(array.type) else None
    return Cells(numbers.values, valid_mask(array), None, 1, exact)


def _dtype(type_: pa.DataType) -> np.dtype[np.generic]:
    return np.dtype("float64" if pt.is_float64(type_) else "float32" if pt.is_float32(type_) else str(type_))


def _aligned(columns: Sequence[Iterator[Cells]]) -> Iterator[list[Cells]]:
    """Columns of the same rows, cut differently, in cells of equal length, at most 2^20."""
    rest: list[Cells | None] = [None] * len(columns)
    while True:
        for at, column in enumerate(columns):
            if rest[at] is None:
                rest[at] = next((cells for cells in column if len(cells.values)), None)
                if rest[at] is None:
                    return
        now = [cells for cells in rest if cells is not None]
        count = min(SLICE, *(len(cells.values) for cells in now))
        yield [_part(cells, 0, count) for cells in now]
        rest = [None if len(cells.values) == count else _part(cells, count, len(cells.values)) for cells in now]


def _part(cells: Cells, start: int, stop: int) -> Cells:
    return cells._replace(
        values=cells.values[start:stop],
        valid=None if cells.valid is None else cells.valid[start:stop],
        exact=None if cells.exact is None else cells.exact.slice(start, stop - start),
    )
