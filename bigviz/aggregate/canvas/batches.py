"""Tables that are not in memory, read in batches of rows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from bigviz.aggregate.canvas.table import is_a
from bigviz.common.memory import available_memory
from bigviz.common.workers import slices
from bigviz.data.columns.column import label_text, readable_names
from bigviz.data.dataset import Dataset
from bigviz.data.open import open as open_source

__all__ = ["Batches", "batches_of", "collected"]

_ROWS: Final = 1 << 22  # of a batch, about
_VALUE: Final = 16  # bytes of a value as it is read and as it is drawn


@dataclass(frozen=True)
class Batches:
    """A table that can be read more than once. `read(names)` gives its rows in order as tables in memory, at least one,
    with those of the columns `names` that there are."""

    read: Callable[[Collection[str]], Iterator[object]]


def batches_of(source: Any, names: Collection[str]) -> Batches | None:
    """Lazy frames of polars and dask, pyarrow's datasets and scanners, one-dimensional datasets of xarray, and opened
    files whose columns `names` would take more than half of the free memory; None for other sources."""
    if is_a(source, "polars", "LazyFrame"):
        return Batches(lambda names: _of_polars(source, names))
    if is_a(source, "pyarrow", "Dataset"):
        return Batches(lambda names: _of_scanner(source.scanner(columns=_known(source.schema.names, names)), names))
    if is_a(source, "pyarrow", "Scanner"):
        return Batches(lambda names: _of_scanner(source, names))
    if is_a(source, "dask", "DataFrame"):
        return Batches(lambda names: _of_dask(source, names))
    if is_a(source, "xarray", "Dataset"):
        return Batches(lambda names: _of_xarray(source, names))
    if isinstance(source, Dataset) and source.files and _is_large(source, names):
        return Batches(lambda names: _of_files(source, names))
    return None


def _known(all_names: Iterable[str], wanted: Collection[str]) -> list[str]:
    return [name for name in all_names if name in wanted]


def _of_polars(frame: Any, names: Collection[str]) -> Iterator[object]:
    some = frame.select(_known(frame.collect_schema().names(), names))
    yield some.limit(0).collect()
    if hasattr(some, "collect_batches"):  # since polars 1.34
        yield from some.collect_batches(chunk_size=_ROWS)
    else:
        yield some.collect()


def _of_scanner(scanner: Any, names: Collection[str]) -> Iterator[pa.Table]:
    schema = scanner.projected_schema
    known = _known(schema.names, names)
    yield _gathered([], schema, known)
    held: list[pa.RecordBatch] = []
    for batch in scanner.to_batches():
        held.append(batch)
        if sum(each.num_rows for each in held) >= _ROWS:
            yield _gathered(held, schema, known)
            held = []
    yield _gathered(held, schema, known)


def _gathered(held: list[pa.RecordBatch], schema: pa.Schema, known: list[str]) -> pa.Table:
    return pa.Table.from_batches(held, schema).select(known)


def _of_dask(frame: Any, names: Collection[str]) -> Iterator[object]:
    some = frame[[label for label in frame.columns if label_text(label) in names]]
    for number in range(some.npartitions):
        yield some.partitions[number].compute()


def _of_xarray(table: Any, names: Collection[str]) -> Iterator[object]:
    """Variables and coordinates as columns: those along the one dimension."""
    (dim,) = table.sizes
    some = [name for name, each in table.variables.items() if str(name) in names and each.dims == (dim,)]
    for start, stop in slices(table.sizes[dim], _ROWS) or [(0, 0)]:
        yield {str(name): table[name].isel({dim: slice(start, stop)}).values for name in some}


def _of_files(dataset: Dataset, names: Collection[str]) -> Iterator[pa.Table]:
    known = [name for name in readable_names(dataset.columns()) if name in names]
    first = dataset.first_row
    for start, stop in slices(dataset.num_rows, _ROWS) or [(0, 0)]:
        columns = {}
        for name in known:
            arrays = [array for _, array in dataset.values(name, first + start, first + stop)]
            columns[name] = pa.chunked_array(arrays, arrays[0].type if arrays else dataset.schema.field(name).type)
        yield pa.table(columns)


def collected(source: Any, names: Collection[str]) -> object:
    """The columns `names` of a source that is read in batches, as one table; other sources as they are."""
    lazy = batches_of(source, names)
    if lazy is None:
        return source
    datasets = [open_source(each) for each in lazy.read(names)]
    tables = [each.arrow([name for name in readable_names(each.columns()) if name in names]) for each in datasets]
    return pa.concat_tables(tables, promote_options="permissive")


def _is_large(dataset: Dataset, names: Collection[str]) -> bool:
    unread = len(names) - len({column.info.name for column in dataset.loaded()} & set(names))
    return dataset.num_rows * unread * _VALUE > available_memory() // 2
