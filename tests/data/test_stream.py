"""Rows piece by piece: the same axis numbers, validity and labels as whole columns have, from every kind of source."""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.ipc as ipc
import pyarrow.parquet as pq
import pytest

from bigviz.common.cancel import Cancel
from bigviz.common.errors import Cancelled, NotFound, Unplottable, Unreadable
from bigviz.data.dataset import Dataset
from bigviz.data.formats import csv
from bigviz.data.formats import ipc as ipc_part
from bigviz.data.formats import parquet as parquet_part
from bigviz.data.open import open as open_table
from bigviz.data.sources import memory
from bigviz.data.sources.files import FilesSource

Write = Callable[[Path, pa.Table], object]


def mixed(rows: int, seed: int = 0) -> pa.Table:
    """Columns of every kind, with nulls in all but the first two."""
    rng = np.random.default_rng(seed)
    missing = rng.random(rows) < 0.2
    numbers = rng.integers(-1000, 1000, rows)
    labels = [f"label {n % 11}" for n in numbers.tolist()]
    return pa.table(
        {
            "f4": rng.normal(size=rows).astype(np.float32),
            "i8": numbers,
            "f4null": pa.array(rng.normal(size=rows), pa.float32(), mask=missing),
            "u2": pa.array(numbers + 1000, pa.uint16(), mask=missing),
            "flag": pa.array(numbers > 0, mask=missing),
            "stamp": pa.array(numbers * 10**9, pa.timestamp("us"), mask=missing),
            "day": pa.array([datetime.date(1970, 1, 1) + datetime.timedelta(n) for n in numbers.tolist()]),
            "price": pa.array([decimal.Decimal(n) / 100 for n in numbers.tolist()], pa.decimal128(9, 2)),
            "text": pa.array([None if m else label for m, label in zip(missing, labels, strict=True)], pa.string()),
            "kind": pa.array(labels).dictionary_encode(),
        }
    )


def parquet(path: Path, table: pa.Table) -> None:
    pq.write_table(table, path, row_group_size=300)


def arrow_file(path: Path, table: pa.Table, codec: str | None = None) -> None:
    with ipc.new_file(str(path), table.schema, options=ipc.IpcWriteOptions(compression=codec)) as writer:
        writer.write_table(table.unify_dictionaries(), max_chunksize=300)


def arrow_packed(path: Path, table: pa.Table) -> None:
    arrow_file(path, table, "lz4")


def arrow_one_batch(path: Path, table: pa.Table) -> None:
    with ipc.new_file(str(path), table.schema) as writer:
        writer.write_table(table)


def arrow_stream(path: Path, table: pa.Table) -> None:
    with ipc.new_stream(str(path), table.schema) as writer:
        writer.write_table(table, max_chunksize=300)


def comma_separated(path: Path, table: pa.Table) -> None:
    pyarrow.csv.write_csv(table.drop(["kind"]), path)


SOURCES: list[Write] = [parquet, arrow_file, arrow_packed, arrow_one_batch, arrow_stream, comma_separated]


def assert_streams_as_it_loads(dataset: Dataset) -> None:
    names = dataset.schema.names
    chunks = dataset.chunks()
    assert [start for start, _ in chunks] == np.cumsum([0, *(count for _, count in chunks)])[:-1].tolist()
    assert sum(count for _, count in chunks) == dataset.num_rows
    batches = [batch for number in range(len(chunks)) for batch in dataset.read(number, names)]
    row = 0
    for first, columns in batches:
        assert first == row and 0 < len(columns[0]) <= 1 << 20
        assert {len(column) for column in columns} == {len(columns[0])}
        row += len(columns[0])
    assert row == dataset.num_rows
    for at, name in enumerate(names):
        whole = dataset.column(name)
        parts = [columns[at] for _, columns in batches]
        if not parts:
            continue
        assert {part.categories for part in parts} == {whole.categories}
        values = np.concatenate([part.values for part in parts])
        assert values.dtype == whole.values.dtype and np.array_equal(
            values, whole.values, equal_nan=values.dtype.kind == "f"
        )
        valid = np.concatenate([np.ones(len(part), bool) if part.valid is None else part.valid for part in parts])
        assert np.array_equal(valid, np.ones(row, bool) if whole.valid is None else whole.valid)


@pytest.mark.parametrize("write", SOURCES)
@pytest.mark.parametrize("rows", [0, 1, 1000])
def test_files(tmp_path: Path, write: Write, rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv, "_PIECE", 128)
    monkeypatch.setattr(ipc_part, "_PIECE", 128)
    write(tmp_path / "t", mixed(rows))
    if rows or write is not comma_separated:
        path = (tmp_path / "t").rename(tmp_path / "t.csv") if write is comma_separated else tmp_path / "t"
        assert_streams_as_it_loads(open_table(path))


def test_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_PIECE", 130)
    assert_streams_as_it_loads(open_table(pa.concat_tables([mixed(700, 1), mixed(1, 2), mixed(300, 3)])))


def test_several_files_and_columns_of_directories(tmp_path: Path) -> None:
    for year, rows in ((2001, 500), (2002, 0), (2003, 700)):
        (tmp_path / f"year={year}").mkdir()
        table = mixed(rows, year)
        parquet(tmp_path / f"year={year}" / "a.parquet", table if year != 2003 else table.drop(["u2", "text"]))
    assert_streams_as_it_loads(open_table(tmp_path))


def test_what_is_stored_as_axis_numbers_is_not_copied() -> None:
    table = mixed(500)
    ((_, (column,)),) = open_table(table).read(0, ["f4"])
    assert column.values.__array_interface__["data"][0] == table.column("f4").chunk(0).buffers()[1].address
    assert not column.values.flags.writeable


def test_labels_are_found_once_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = open_table(mixed(500))
    (first,) = dataset.read(0, ["text", "kind"])
    monkeypatch.setattr(memory.MemorySource, "read", None)
    (second,) = dataset.read(0, ["text", "kind"])
    assert [each.categories for each in first[1]] == [each.categories for each in second[1]]
    assert first[1][0].categories is second[1][0].categories


def test_errors(tmp_path: Path) -> None:
    parquet(tmp_path / "t", mixed(1000).append_column("list", pa.array([[1]] * 1000)))
    dataset = open_table(tmp_path / "t")
    with pytest.raises(NotFound):
        next(dataset.read(0, ["nothing"]))
    with pytest.raises(Unplottable):
        next(dataset.read(0, ["list"]))
    cancel = Cancel()
    batches = dataset.read(0, ["f4"], cancel)
    next(batches)
    cancel.cancel()
    with pytest.raises(Cancelled):
        next(dataset.read(0, ["f4"], cancel))
    parquet(tmp_path / "t", mixed(10))
    with pytest.raises(Unreadable, match="changed"):
        next(dataset.read(0, ["f4"]))


def test_a_raised_flag_is_seen_between_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parquet(tmp_path / "t", mixed(1000))
    dataset, cancel, read = open_table(tmp_path / "t"), Cancel(), []
    arrays = FilesSource._arrays

    def raising(self: FilesSource, task: Any, index: int, *cancels: Cancel) -> Iterator[pa.Array]:
        for array in arrays(self, task, index, *cancels):
            read.append(index)
            cancel.cancel()
            yield array

    monkeypatch.setattr(FilesSource, "_arrays", raising)
    with pytest.raises(Cancelled):
        list(dataset.read(0, ["f4", "i8"], cancel))
    assert read == [0]


def test_a_large_row_group_is_read_as_a_stream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_part, "_LARGE", 1000)
    pq.write_table(mixed(5000), tmp_path / "t")
    assert_streams_as_it_loads(open_table(tmp_path / "t"))


def test_one_batch_of_everything_is_read_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ipc_part, "_PIECE", 64)
    table = mixed(1000)
    arrow_one_batch(tmp_path / "flat", table)
    assert len(open_table(tmp_path / "flat").chunks()) == 16
    arrow_one_batch(tmp_path / "nested", table.append_column("list", pa.array([[1]] * 1000)))
    arrow_file(tmp_path / "many", table)  # batches of 300, 300, 300 and 100 rows, the last too small to cut
    for name, pieces in (("nested", 1), ("many", 16)):
        dataset = open_table(tmp_path / name)
        assert len(dataset.chunks()) == pieces
        assert np.array_equal(dataset.column("i8").values, table.column("i8").to_numpy())
