"""Parquet: what is read, in which pieces, and every way in which a file can be wrong."""

from __future__ import annotations

import base64
import datetime
import random
import struct
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe
import pytest

from bigviz.common.cancel import Cancel
from bigviz.common.errors import Cancelled, TooLarge, Unplottable, Unreadable
from bigviz.data import limits
from bigviz.data.formats import parquet, parquet_footer
from bigviz.data.open import open as open_table

from .damage import outcomes

N = 1_234_567


def varint(number: int) -> bytes:
    """A Thrift i64: zigzag, then seven bits a byte."""
    number <<= 1
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def patch(path: Path, old: bytes, new: bytes, count: int = -1) -> None:
    """Replace bytes in the footer."""
    data = path.read_bytes()
    start = len(data) - 8 - struct.unpack("<I", data[-8:-4])[0]
    assert len(old) == len(new) and old in data[start:]
    path.write_bytes(data[:start] + data[start:].replace(old, new, count))


@pytest.fixture
def zeros(tmp_path: Path) -> Path:
    path = tmp_path / "zeros.parquet"
    pq.write_table(pa.table({"x": np.zeros(N, np.int8), "y": np.zeros(N, np.int8)}), path, row_group_size=N)
    return path


@pytest.mark.parametrize("rows", [0, 1, 10, 1000])
@pytest.mark.parametrize("group", [1, 7, 1000])
def test_rows_keep_their_order_over_row_groups_and_threads(
    tmp_path: Path, rows: int, group: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "BATCH", 16)
    path = tmp_path / "t.parquet"
    table = pa.table({"x": np.arange(rows), "s": [f"{number % 7}" for number in range(rows)]})
    table = table.cast(pa.schema([("x", pa.int64()), ("s", pa.string())]))
    pq.write_table(table, path, row_group_size=group)
    dataset = open_table(path)
    calls: list[tuple[str, float, int]] = []
    column = dataset.column("x", lambda *call: calls.append(call))
    assert np.array_equal(column.values, np.arange(rows))
    assert calls == sorted(calls) and {stage for stage, _, _ in calls} <= {"reading x"}
    assert not rows or calls[-1] == ("reading x", 1.0, rows)
    assert dataset.take(np.arange(rows)[::-1], ["s", "x"]).equals(table.take(np.arange(rows)[::-1]).select(["s", "x"]))
    assert dataset.arrow(["s"]).equals(table.select(["s"]))


def test_only_the_column_in_use_is_read(tmp_path: Path) -> None:
    """The pages of y are destroyed; nobody notices until y is read."""
    path = tmp_path / "t.parquet"
    marker = np.full(1000, 0x5A5A5A5A5A5A5A5A)
    pq.write_table(
        pa.table({"x": np.arange(1000), "y": marker}),
        path,
        use_dictionary=False,
        compression="none",
        write_statistics=False,
    )
    data = path.read_bytes()
    at = pq.read_metadata(path).row_group(0).column(1).data_page_offset
    path.write_bytes(data[:at] + b"\xff" * 8 + data[at + 8 :])
    dataset = open_table(path)
    assert dataset.column("x").values.sum() == 499_500
    with pytest.raises(Unreadable, match=str(path)):
        dataset.column("y")
    assert dataset.column("x").values.sum() == 499_500


def test_a_page_with_a_wrong_checksum(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    values = np.arange(1000.0)
    pq.write_table(pa.table({"x": values}), path, use_dictionary=False, compression="none", write_page_checksum=True)
    data = bytearray(path.read_bytes())
    data[data.index(values.tobytes()) + 4000] ^= 1
    path.write_bytes(data)
    with pytest.raises(Unreadable, match="CRC"):
        open_table(path).column("x")


@pytest.mark.parametrize("keep", [0.2, 0.5, 0.9, 0.999])
def test_truncated(zeros: Path, keep: float) -> None:
    data = zeros.read_bytes()
    zeros.write_bytes(data[: int(len(data) * keep)])
    with pytest.raises(Unreadable, match=f"{zeros} is a truncated Parquet file.*write or copy it again"):
        open_table(zeros)


def test_a_footer_longer_than_the_file(zeros: Path) -> None:
    data = zeros.read_bytes()
    zeros.write_bytes(data[:-8] + struct.pack("<I", 2**31) + b"PAR1")
    with pytest.raises(Unreadable, match="declares a footer of 2,147,483,648 bytes"):
        open_table(zeros)


def test_a_footer_beyond_the_limit(zeros: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_footer, "MOST_FOOTER", 100)
    with pytest.raises(TooLarge, match="bigviz reads at most 100"):
        open_table(zeros)


def test_a_damaged_footer(zeros: Path) -> None:
    data = zeros.read_bytes()
    zeros.write_bytes(data[:-200] + b"\x99" * 192 + data[-8:])
    with pytest.raises(Unreadable, match="cannot be read as Parquet"):
        open_table(zeros)


def test_statistics_that_would_end_the_process(tmp_path: Path) -> None:
    """A float's least value of three bytes: asking pyarrow for `statistics` aborts, reading the column does not."""
    path = tmp_path / "t.parquet"
    values = np.array([1.2345678, 2.5, 7.7654321], np.float32)
    pq.write_table(pa.table({"x": values}), path, store_schema=False)
    data = path.read_bytes()
    start = len(data) - 8 - struct.unpack("<I", data[-8:-4])[0]
    least = values[:1].tobytes()
    assert b"\x04" + least in data[start:]
    footer = data[start:-8].replace(b"\x04" + least, b"\x03" + least[:3])
    path.write_bytes(data[:start] + footer + struct.pack("<I", len(footer)) + b"PAR1")
    dataset = open_table(path)
    assert dataset.num_rows == 3
    with pytest.raises(Unreadable, match="damaged"):
        dataset.column("x")


def test_rows_that_do_not_add_up(zeros: Path) -> None:
    patch(zeros, varint(N), varint(N + 1), count=1)
    with pytest.raises(Unreadable, match="declares 1,234,568 rows and its row groups 1,234,567"):
        open_table(zeros)


@pytest.mark.parametrize("declared", [N + 1, 100_000_000])
def test_rows_that_are_not_there(zeros: Path, declared: int) -> None:
    patch(zeros, varint(N), varint(declared))
    dataset = open_table(zeros)
    assert dataset.num_rows == declared
    with pytest.raises(Unreadable, match=r"'x' does not have the rows that the footer declares|cannot be read"):
        dataset.column("x")


def test_more_rows_than_can_be_numbered(zeros: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_ROWS", 1_000_000)
    with pytest.raises(TooLarge, match="has 1,234,567 rows; bigviz opens at most 1,000,000"):
        open_table(zeros)


def test_more_columns_than_the_limit(zeros: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "MOST_COLUMNS", 1)
    with pytest.raises(TooLarge, match="has 2 columns"):
        open_table(zeros)


def test_a_bomb_declares_more_than_codecs_can_pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bomb.parquet"
    table = pa.table({"x": np.zeros(3_000_000)})
    pq.write_table(
        table, path, compression="zstd", use_dictionary=False, data_page_size=1 << 25, write_statistics=False
    )
    assert open_table(path).column("x").values.sum() == 0
    monkeypatch.setattr(parquet, "_SUSPICIOUS", 1 << 20)
    monkeypatch.setattr(parquet, "MOST_RATIO", 100)
    with pytest.raises(TooLarge, match=r"declares 0.0 GB in row group 0, more than 100 times"):
        open_table(path)


def test_a_column_that_memory_cannot_hold(zeros: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    patch(zeros, varint(N), varint(130_000_000))
    monkeypatch.setattr(limits, "available_memory", lambda: 100_000_000)
    with pytest.raises(TooLarge, match=r"Column 'x' of 'zeros' needs 0\.1 GB of memory and 0\.1 GB are free"):
        open_table(zeros).column("x")


class Keys(pe.KmsClient):
    """Wraps keys by doing nothing to them."""

    def __init__(self, _: object) -> None:
        super().__init__()

    def wrap_key(self, key: bytes, _: str) -> bytes:
        return base64.b64encode(key)

    def unwrap_key(self, key: bytes, _: str) -> bytes:
        return base64.b64decode(key)


@pytest.mark.parametrize("plain_footer", [True, False])
def test_encrypted(tmp_path: Path, plain_footer: bool) -> None:
    path = tmp_path / "t.parquet"
    table = pa.table({"x": [1.0, 2.0], "secret": [3.0, 4.0]})
    config = pe.EncryptionConfiguration(
        footer_key="footer", column_keys={"key": ["secret"]}, plaintext_footer=plain_footer
    )
    properties = pe.CryptoFactory(Keys).file_encryption_properties(pe.KmsConnectionConfig(), config)
    with pq.ParquetWriter(path, table.schema, encryption_properties=properties) as writer:
        writer.write_table(table)
    with pytest.raises(Unreadable, match=f"{path}.* encrypted.*no keys"):
        dataset = open_table(path)
        dataset.column("secret")


@pytest.mark.parametrize("unit", ["us", "ns"])
def test_old_stamps_do_not_wrap(tmp_path: Path, unit: str) -> None:
    """INT96 nanoseconds of 9999-12-31 are not int64; pyarrow alone would read 1816."""
    path = tmp_path / "t.parquet"
    stamps = [datetime.datetime(2024, 5, 1, 12), datetime.datetime(9999, 12, 31), None, datetime.datetime(1, 1, 1)]
    table = pa.table({"before": pa.array([[1]] * 4), "t": pa.array(stamps, pa.timestamp("us"))})
    if unit == "ns":
        table = table.slice(0, 1).cast(pa.schema([table.schema.field(0), ("t", pa.timestamp("ns"))]))
    pq.write_table(table, path, use_deprecated_int96_timestamps=True)
    dataset = open_table(path)
    column = dataset.column("t")
    assert column.values[0] == 1_714_564_800 * 10**9
    if unit == "us":
        assert column.valid is not None and column.valid.tolist() == [True, False, False, False]
        assert column.values[1:].tolist() == [0, 0, 0]


def test_names_of_any_kind(tmp_path: Path) -> None:
    """A dot in a name is not a path into a struct."""
    path = tmp_path / "t.parquet"
    table = pa.table(
        {
            "a": pa.array([{"b": 1}, {"b": 2}]),
            "a.b": [10, 20],
            "": [30, 40],
            "a.": [50, 60],
            "ü \U0001f600\n'\"`": [70, 80],
            "x": [1, 2],
        }
    )
    pq.write_table(table, path)
    dataset = open_table(path)
    for name in table.column_names[1:]:
        assert dataset.column(name).values.tolist() == table[name].to_pylist()
        assert dataset.take(np.array([1]), [name])[name].to_pylist() == [table[name][1].as_py()]
    assert dataset.take(np.array([1, 0]), ["a"])["a"].to_pylist() == [{"b": 2}, {"b": 1}]
    with pytest.raises(Unplottable, match="'a' of 't' holds struct<b: int64>"):
        dataset.column("a")


@pytest.mark.parametrize(
    ("array", "labels"),
    [
        (pa.array(["[2]", None, "[1]"], pa.json_(pa.string())), ("[1]", "[2]")),
        (pa.array([b"b" * 16, None, b"a" * 16], pa.uuid()), ("a" * 16, "b" * 16)),
        (pa.array([b"b", None, b"a"], pa.large_binary()), ("a", "b")),
        (pa.array(["b", None, "a"], pa.large_string()).dictionary_encode(), ("a", "b")),
    ],
)
def test_wrapped_and_wide_labels(tmp_path: Path, array: pa.Array, labels: tuple[str, ...]) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"c": array}), path)
    dataset = open_table(path)
    column = dataset.column("c")
    assert column.categories == labels and column.values.tolist() == [1, 0, 0]
    assert dataset.take(np.array([2, 1]), ["c"])["c"].to_pylist() == [array[2].as_py(), None]
    assert dataset.arrow(["c"])["c"].to_pylist() == array.to_pylist()


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("encoding", ["PLAIN", "DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY", None])
@pytest.mark.parametrize("type_", [pa.string(), pa.large_string(), pa.binary(), pa.dictionary(pa.int32(), pa.string())])
def test_text_in_every_encoding(tmp_path: Path, type_: pa.DataType, encoding: str | None, version: str) -> None:
    """pyarrow decodes the delta encodings of text, but not as dictionaries. None: a dictionary that overflows."""
    path = tmp_path / "t.parquet"
    texts = [None if row % 11 == 0 else f"label {row % 7 if encoding else row:05}" for row in range(3000)]
    table = pa.table({"l": [[1]] * 3000, "s": pa.array(texts).cast(type_), "x": np.arange(3000)})
    how = (
        {"use_dictionary": False, "column_encoding": {"s": encoding}}
        if encoding
        else {"dictionary_pagesize_limit": 999}
    )
    pq.write_table(table, path, row_group_size=700, data_page_version=version, data_page_size=2000, **how)
    dataset = open_table(path)
    column = dataset.column("s")
    assert column.categories is not None and column.valid is not None
    assert [column.categories[v] if ok else None for v, ok in zip(column.values, column.valid, strict=True)] == texts
    assert dataset.head("s").categories == column.categories[: len(dataset.head("s").categories or ())]
    taken = dataset.take(np.array([2999, 0, 1500]), ["s"])["s"].cast(pa.string()).to_pylist()
    assert taken == [texts[2999], None, texts[1500]]


@pytest.mark.parametrize("encoding", ["DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT", "PLAIN"])
@pytest.mark.parametrize("type_", [pa.int32(), pa.int64(), pa.timestamp("us"), pa.float32(), pa.float64()])
def test_numbers_in_every_encoding(tmp_path: Path, type_: pa.DataType, encoding: str) -> None:
    if encoding == "DELTA_BINARY_PACKED" and pa.types.is_floating(type_):
        encoding = "PLAIN"
    path = tmp_path / "t.parquet"
    table = pa.table({"x": pa.array(range(3000)).cast(type_)})
    pq.write_table(table, path, use_dictionary=False, column_encoding={"x": encoding}, data_page_version="2.0")
    assert open_table(path).arrow(["x"]).equals(table)


def test_what_duckdb_writes(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    query = "select i x, 'name' || (i % 5) few, 'a long label ' || i many, i / 7 y from range(3000) t(i)"
    with duckdb.connect() as connection:
        connection.sql(f"copy ({query}) to '{path}' (format parquet, parquet_version v2, row_group_size 2048)")
        right = connection.sql(query).arrow().read_all()
    encodings = {pq.read_metadata(path).row_group(0).column(at).encodings for at in range(4)}
    assert ("DELTA_LENGTH_BYTE_ARRAY",) in encodings
    dataset = open_table(path)
    for name in right.column_names:
        dataset.column(name)
    assert dataset.take(np.arange(3000), right.column_names).to_pylist() == right.to_pylist()


def test_intervals_are_not_labels(tmp_path: Path) -> None:
    """pyarrow gives twelve bytes."""
    path = tmp_path / "t.parquet"
    with duckdb.connect() as connection:
        connection.sql(f"copy (select interval (i) day span, i x from range(3) t(i)) to '{path}' (format parquet)")
    dataset = open_table(path)
    assert dataset.column("x").values.tolist() == [0, 1, 2]
    with pytest.raises(Unplottable, match="'span' of 't' holds intervals of months, days and milliseconds"):
        dataset.column("span")


def test_what_pyarrow_lacks_is_not_called_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.parquet"
    text = pa.table({"s": ["a"]})
    pq.write_table(text, path, use_dictionary=False, column_encoding={"s": "DELTA_BYTE_ARRAY"})
    monkeypatch.setattr(parquet, "_DELTA_TEXT", frozenset())
    with pytest.raises(Unreadable, match=r"Not yet implemented.*pyarrow .* does not support this") as caught:
        open_table(path).column("s")
    assert "damaged" not in caught.value.message


def test_repeated_names(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table([[1], [2], [3]], names=["x", "y", "x"]), path)
    dataset = open_table(path)
    assert dataset.column("y").values.tolist() == [2]
    with pytest.raises(Unplottable, match="several columns named 'x'"):
        dataset.column("x")


def test_columns_between_nested_ones_with_odd_names(tmp_path: Path) -> None:
    """Each column is its own, however many Parquet columns those before it take, whatever the names."""
    before = {
        "list": pa.array([[1, 2], []], pa.list_(pa.int8())),
        "struct": pa.array([{"a": 1, "b": {"c": [2.0]}}, None]),
        "map": pa.array([[("k", 1)], []], pa.map_(pa.string(), pa.int64())),
        "fixed": pa.array([[1, 2], [3, 4]], pa.list_(pa.int16(), 2)),
    }
    columns: dict[str, pa.Array] = {}
    for number, (name, nested) in enumerate(before.items()):
        columns |= {f"before.{name}": pa.array([number, 10]), name: nested, f"{name}.a": pa.array([f"{number}", "t"])}
    columns |= {
        "struct.b.c": pa.array([7, 8]),
        "": pa.array([8, 9]),
        "last": pa.array([b"x", b"y"]).dictionary_encode(),
    }
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table(columns), path)
    dataset = open_table(path)
    for name, values in columns.items():
        assert dataset.take(np.arange(2), [name])[name].to_pylist() == values.to_pylist(), name


def test_cancelling_a_reading(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"x": np.arange(3 << 20)}), path, row_group_size=1 << 20)
    dataset = open_table(path)
    cancel = Cancel()
    with pytest.raises(Cancelled):
        dataset.column("x", lambda *_: cancel.cancel(), cancel)
    assert dataset.memory() == 0
    assert dataset.column("x").values[-1] == (3 << 20) - 1


def test_damaged_bytes_are_refused_or_read(tmp_path: Path) -> None:
    """Random damage, most of it in the footer: no error but bigviz's own, and never the end of the process."""
    path = tmp_path / "t.parquet"
    rows = 300
    table = pa.table(
        {
            "f": np.random.default_rng(0).normal(size=rows),
            "i": pa.array([None if row % 7 == 0 else row for row in range(rows)], pa.int16()),
            "s": [f"k{row % 9}é" for row in range(rows)],
            "d": pa.array(range(rows)).cast(pa.decimal128(25, 2)),
            "t": pa.array(range(rows), pa.timestamp("us", "UTC")),
            "l": [[row] for row in range(rows)],
        }
    )
    pq.write_table(table, path, row_group_size=100, data_page_size=256)
    size = path.stat().st_size

    def place(source: random.Random) -> int:
        return -1 - source.randrange(size if source.random() < 0.5 else 4000)

    found = outcomes(path, 7, 250, [1, 2, 5], place)
    assert found["Unreadable"] > 50 and found["read"] > 20
