"""Files of one column: written in any order, whole Arrow files at the end, mapped without a copy."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.ipc as ipc
import pytest

from bigviz.common.errors import Unreadable
from bigviz.tiles.store.files.column_file import ColumnFile, map_column, write_column


@pytest.mark.parametrize("rows", [0, 1, 3, 8, 1000, 100_003])
@pytest.mark.parametrize("dtype", [np.uint64, np.uint32, np.int8, np.uint8, np.int16, np.float32, np.float64, np.int64])
def test_a_column_is_an_arrow_file(tmp_path: Path, rows: int, dtype: type) -> None:
    values = np.random.default_rng(rows).integers(0, 100, rows).astype(dtype)
    write_column(tmp_path / "c.arrow", values)
    mapped = map_column(tmp_path / "c.arrow", values.dtype)
    assert mapped.dtype == values.dtype and np.array_equal(mapped, values) and not mapped.flags.writeable
    with pa.memory_map(str(tmp_path / "c.arrow")) as source:
        table = ipc.open_file(source).read_all()
        table.validate(full=True)
        assert table.num_rows == rows and table.column("column").to_pylist() == values.tolist()


def test_parts_are_written_in_any_order_and_room_after_the_column_goes_away(tmp_path: Path) -> None:
    path, values = tmp_path / "c.arrow", np.arange(5000, dtype=np.uint32)
    with ColumnFile(path, values.dtype, 5000, 777) as file:
        file.write(3000, values[3000:])
        file.write(5000, np.full(777, 9, np.uint32))
    with ColumnFile(path, values.dtype, 5000, 777) as file:  # as after a kill: what was written is still there
        file.write(0, values[:3000])
        back = np.empty(100, np.uint32)
        file.read(4950, back)
        assert back.tolist() == [*range(4950, 5000), *[9] * 50]
        file.sync()
        file.finish()
    assert np.array_equal(map_column(path, values.dtype), values)
    with ColumnFile(path, values.dtype, 10) as file, pytest.raises(Unreadable, match="shorter"):
        os.truncate(path, 100)
        file.read(0, np.empty(10, np.uint32))


@pytest.mark.parametrize("dtype", [np.uint64, np.uint8, np.float32])
@pytest.mark.parametrize("rows", [0, 1, 7, 4999, 5000])
def test_a_column_ends_where_its_rows_do(tmp_path: Path, rows: int, dtype: type) -> None:
    path, values = tmp_path / "c.arrow", np.arange(rows).astype(dtype)
    with ColumnFile(path, values.dtype, 5000) as file:
        if rows:
            file.write(0, values)
        file.finish(rows)
    assert np.array_equal(map_column(path, values.dtype), values)
    assert ipc.open_file(path).read_all().num_rows == rows


def test_a_column_larger_than_memory_is_begun_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "posix_fallocate", lambda descriptor, start, size: os.ftruncate(descriptor, size))
    rows = (1 << 32) - 1
    with ColumnFile(tmp_path / "c.arrow", np.dtype(np.uint64), rows) as file:
        file.write(rows - 1, np.array([7], np.uint64))
        file.finish()
    mapped = map_column(tmp_path / "c.arrow", np.dtype(np.uint64))
    assert len(mapped) == rows and mapped[-1] == 7 and mapped[0] == 0


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.arrow"
    path.write_bytes(b"ARROW1\0\0 not at all")
    with pytest.raises(Unreadable, match="damaged"):
        map_column(path, np.dtype(np.uint64))
    write_column(path, np.arange(3))
    with pytest.raises(Unreadable, match="uint64 numbers"):
        map_column(path, np.dtype(np.uint64))
    with pytest.raises(Unreadable):
        map_column(tmp_path / "none", np.dtype(np.uint64))
