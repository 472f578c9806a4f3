"""Arrow IPC files and streams: batches, dictionaries that change, truncation and damage."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.ipc as ipc
import pytest

from bigviz.common.errors import TooLarge, Unreadable
from bigviz.data import limits
from bigviz.data.open import open as open_table
from bigviz.data.open import open_part

from .damage import outcomes


def write(path: Path, table: pa.Table, stream: bool, rows: int | None = None, codec: str | None = None) -> None:
    options = ipc.IpcWriteOptions(compression=codec, emit_dictionary_deltas=True)
    with (ipc.new_stream if stream else ipc.new_file)(str(path), table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=rows)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("codec", [None, "zstd"])
@pytest.mark.parametrize("rows", [0, 1, 1000])
def test_batches(tmp_path: Path, stream: bool, codec: str | None, rows: int) -> None:
    table = pa.table(
        {"s": pa.array([f"{row % 7}" for row in range(rows)], pa.string()), "x": pa.array(range(rows), pa.int32())}
    )
    path = tmp_path / "t.arrow"
    write(path, table, stream, 64, codec)
    dataset = open_table(path)
    assert dataset.num_rows == rows and dataset.name == "t"
    calls: list[tuple[str, float, int]] = []
    assert np.array_equal(dataset.column("x", lambda *call: calls.append(call)).values, np.arange(rows))
    assert not rows or calls[-1] == ("reading x", 1.0, rows)
    assert dataset.arrow(["x", "s"]).equals(table.select(["x", "s"]))
    assert dataset.take(np.arange(rows)[::-1], ["s"]).equals(table.select(["s"]).take(np.arange(rows)[::-1]))


def test_no_columns_and_no_batches(tmp_path: Path) -> None:
    for stream in (False, True):
        path = tmp_path / "t.arrow"
        write(path, pa.table({}), stream)
        assert open_table(path).num_rows == 0


def test_a_stream_whose_dictionary_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "t.arrows"
    first = pa.DictionaryArray.from_arrays(pa.array([0, 1]), pa.array(["b", "a"]))
    second = pa.DictionaryArray.from_arrays(pa.array([0, 1]), pa.array(["c", "b"]))
    with ipc.new_stream(str(path), pa.schema([("c", first.type)])) as writer:
        for array in (first, second):
            writer.write_batch(pa.record_batch([array], names=["c"]))
    column = open_table(path).column("c")
    assert column.categories == ("a", "b", "c") and column.values.tolist() == [1, 0, 2, 1]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("keep", [0.1, 0.5, 0.95])
def test_truncated(tmp_path: Path, stream: bool, keep: float) -> None:
    path = tmp_path / "t.arrow"
    write(path, pa.table({"x": np.arange(10_000.0), "y": np.arange(10_000.0)}), stream)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    with pytest.raises(Unreadable, match=f"{path} cannot be read as an Arrow IPC {'stream' if stream else 'file'}"):
        open_table(path)


def test_codes_beyond_the_dictionary_never_reach_a_kernel(tmp_path: Path) -> None:
    bad = pa.DictionaryArray.from_arrays(pa.array([0, 1_000_000, -5], pa.int32()), pa.array(["a"]), safe=False)
    path = tmp_path / "t.arrow"
    write(path, pa.table({"c": bad}), False)
    for source in (path, pa.table({"c": bad})):
        with pytest.raises(Unreadable, match=r"Column 'c' of .* cannot be read"):
            open_table(source).column("c")


def test_text_that_is_not_utf8_never_reaches_a_label() -> None:
    bad = pa.Array.from_buffers(
        pa.string(), 1, [None, pa.py_buffer(np.array([0, 2], np.int32)), pa.py_buffer(b"\xff\xfe")]
    )
    with pytest.raises(Unreadable, match="UTF8"):
        open_table(pa.table({"c": bad})).column("c")


def test_a_null_column_can_declare_any_number_of_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.arrow"
    nulls = [pa.nulls(2**31 - 1)] * 3
    write(path, pa.table({"n": pa.chunked_array(nulls)}), False)
    with pytest.raises(TooLarge, match="has 6,442,450,941 rows"):
        open_table(path)
    write(path, pa.table({"n": pa.chunked_array(nulls[:1])}), False)
    monkeypatch.setattr(limits, "available_memory", lambda: 10**9)
    with pytest.raises(TooLarge, match=r"needs 8\.6 GB of memory and 1\.0 GB are free"):
        open_table(path).column("n")


@pytest.mark.parametrize("stream", [False, True])
def test_damaged_bytes_are_refused_or_read(tmp_path: Path, stream: bool) -> None:
    path = tmp_path / "t.arrow"
    table = pa.table(
        {
            "f": np.arange(100.0),
            "s": [f"k{row % 9}é" for row in range(100)],
            "c": pa.array([f"{row % 5}" for row in range(100)]).dictionary_encode(),
            "t": pa.array(range(100), pa.timestamp("us", "UTC")),
        }
    )
    write(path, table, stream, 40)
    size = path.stat().st_size
    found = outcomes(path, 3, 300, [1, 2, 5], lambda source: source.randrange(size))
    assert found["Unreadable"] > 20 and found["read"] > 20


@pytest.mark.parametrize("codec", ["zstd", "lz4"])
def test_text_that_unpacks_to_more_than_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, codec: str):
    """A few rows may hold any number of bytes, of which the file says how many there are."""
    path = tmp_path / "a.arrow"
    rows = pa.table({"n": [1, 2, 3], "k": ["a" * 12_000_000, "b" * 12_000_000, "c"]})
    with ipc.new_file(path, rows.schema, options=ipc.IpcWriteOptions(compression=codec)) as writer:
        writer.write_table(rows)
    assert path.stat().st_size < 1_000_000
    part = open_part(path)
    assert [len(each) for each in next(iter(part.arrays(1, part.pieces[0]))).to_pylist()] == [12_000_000] * 2 + [1]
    monkeypatch.setattr(limits, "available_memory", lambda: 20_000_000)
    with pytest.raises(TooLarge, match=r"Column 'k' of .*a.arrow, unpacked, needs"):
        list(part.arrays(1, part.pieces[0]))
    assert next(iter(part.arrays(0, part.pieces[0]))).to_pylist() == [1, 2, 3]
