"""Arrow IPC streams that grow."""

import io
import os
import struct
from itertools import chain, pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pytest

from bigviz.common.errors import BadInput, NotFound
from bigviz.data.following.ipc_messages import messages
from bigviz.data.following.table import FollowedTable
from bigviz.data.formats.delimited.dialect import CsvOptions
from bigviz.data.formats.sniff import format_of
from bigviz.data.formats.stable_file import StableFile

from .files import grow, looked, values_of

SCHEMA = pa.schema([("v", pa.int64()), ("s", pa.dictionary(pa.int8(), pa.string())), ("w", pa.float64())])


def batch_of(values: list[int], labels: list[str]) -> pa.RecordBatch:
    words = pa.array([labels[value % len(labels)] for value in values]).dictionary_encode().cast(SCHEMA.field("s").type)
    return pa.record_batch([pa.array(values), words, pa.array(values, pa.float64())], schema=SCHEMA)


def stream_of(batches: list[pa.RecordBatch], **options: bool) -> tuple[bytes, list[int]]:
    """A stream without its end, and where its schema and each batch (with its dictionary before it) end."""
    sink = io.BytesIO()
    ends = []
    writer = pa.ipc.new_stream(sink, batches[0].schema, options=pa.ipc.IpcWriteOptions(**options))
    for batch in batches:
        writer.write_batch(batch)
        ends.append(sink.tell())
    whole = sink.getvalue()
    writer.close()
    return whole, ends


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def test_a_file_may_be_written_to_while_it_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    whole, ends = stream_of([batch_of([1, 2], ["a", "b"]), batch_of([3], ["a", "b"])])
    path = tmp_path / "t.arrows"
    path.write_bytes(whole[: ends[0]])

    def sniffed(file: StableFile) -> tuple[str, str | None]:
        append(path, whole[ends[0] :])
        return format_of(file)

    monkeypatch.setattr("bigviz.data.following.table.format_of", sniffed)
    assert values_of(FollowedTable(str(path), "t").open()) == [1, 2, 3]


def test_each_byte_of_a_torn_batch_waits(tmp_path: Path):
    whole, ends = stream_of([batch_of([1, 2], ["a", "b"]), batch_of([3, 4, 5], ["a", "b"])])
    path = tmp_path / "t.arrows"
    path.write_bytes(whole[: ends[0]])
    table = FollowedTable(str(path), "t")
    first = table.open()
    assert values_of(first) == [1, 2]
    for at in range(ends[0], ends[1] - 1):
        append(path, whole[at : at + 1])
        assert table.look() is None
    append(path, whole[ends[1] - 1 : ends[1]])
    second = grow(table, first)
    assert values_of(second) == [1, 2, 3, 4, 5] and values_of(first) == [1, 2]
    assert values_of(second, "s") == ["b", "a", "b", "a", "b"]


@pytest.mark.parametrize("options", [{}, {"emit_dictionary_deltas": True}, {"compression": "zstd"}])
def test_dictionaries_may_be_replaced_and_added_to(tmp_path: Path, options: dict[str, bool]):
    lots = [["a"], ["a", "b"], ["a", "b", "c"], ["z", "y"], ["z", "y"]]
    batches = [batch_of(list(range(4 * number, 4 * number + 4)), labels) for number, labels in enumerate(lots)]
    whole, ends = stream_of(batches, **options)
    path = tmp_path / "t.arrows"
    path.write_bytes(whole[: ends[0]])
    table = FollowedTable(str(path), "t")
    found = table.open()
    for start, stop in pairwise(ends):
        append(path, whole[start:stop])
        found = grow(table, found)
    assert values_of(found) == list(range(20))
    assert values_of(found, "s") == [word for batch in batches for word in batch.column("s").to_pylist()]
    assert values_of(found, "w") == [float(value) for value in range(20)]


def test_pieces_of_any_size_hold_all_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("bigviz.data.following.arrow_stream._PIECE_ROWS", 10)
    monkeypatch.setattr("bigviz.data.following.arrow_stream._AT_ONCE", 3)
    generator = np.random.default_rng(3)
    blocks = [list(range(int(size))) for size in generator.integers(0, 9, 40)]
    whole, ends = stream_of([batch_of(block, ["a", "b"]) for block in blocks])
    path = tmp_path / "t.arrows"
    path.write_bytes(whole[: ends[4]])
    table = FollowedTable(str(path), "t")
    first = table.open()
    assert first.num_rows < sum(map(len, blocks[:5])) and table.more  # three messages a look
    append(path, whole[ends[4] :])
    found = looked(table)
    expected = [value for block in blocks for value in block]
    assert values_of(found) == expected and len(found.chunks()) > 5
    read = [batch for number in range(len(found.chunks())) for batch in found.read(number, ["w", "v"])]
    assert np.concatenate([columns[1].values for _, columns in read]).tolist() == expected
    assert [first for first, _ in read][1:] == np.cumsum([len(columns[0]) for _, columns in read])[:-1].tolist()
    rows = [columns[0].values.tolist() for _, columns in found.read_rows(["v"], 7, 31)]
    assert list(chain(*rows)) == expected[7:31]


def test_the_marker_ends_a_stream(tmp_path: Path):
    whole, ends = stream_of([batch_of([1], ["a"]), batch_of([2], ["a"])])
    path = tmp_path / "t.arrows"
    path.write_bytes(whole[: ends[0]] + b"\xff\xff\xff\xff\0\0\0\0")
    table = FollowedTable(str(path), "t")
    table.open()
    append(path, whole[ends[0] :])
    assert table.look() is None and table.take_told() == []


@pytest.mark.parametrize("change", ["replaced", "cut short", "written anew", "gone"])
def test_a_stream_that_is_another_one_is_opened_anew(tmp_path: Path, change: str):
    whole, ends = stream_of([batch_of([1, 2], ["a"]), batch_of([3], ["a"]), batch_of([4], ["a"])])
    other, others = stream_of([batch_of([7, 8, 9] * 100, ["a"])])
    path = tmp_path / "t.arrows"
    path.write_bytes(whole[: ends[1]])
    table = FollowedTable(str(path), "t")
    before = table.open()
    if change == "replaced":
        (tmp_path / "other").write_bytes(other[: others[0]])
        (tmp_path / "other").rename(path)
    elif change == "cut short":
        os.truncate(path, ends[0])
    elif change == "written anew":
        with path.open("r+b") as file:  # the same inode, and more bytes than were read
            file.truncate(0)
            file.write(other[: others[0]])
    else:
        path.unlink()
        assert table.look() is None
        assert any("is gone. The rows that were read are still shown" in note for note in before.notes)
        path.write_bytes(other[: others[0]])
    after = looked(table)
    assert values_of(after) == ([1, 2] if change == "cut short" else [7, 8, 9] * 100)
    assert after.lineage != before.lineage and after.version > before.version
    assert any(f"t.arrows {'is ' * (change == 'gone')}" in note and "opened anew" in note for note in after.notes)


@pytest.mark.parametrize(
    "damage", [b"\0" * 16, b"\xff\xff\xff\xff\xff\xff\xff\x7f", b"\xff\xff\xff\xff\x08\0\0\0" + b"\xee" * 8]
)
def test_nothing_is_read_beyond_damage_which_is_told_once(tmp_path: Path, damage: bytes):
    whole, ends = stream_of([batch_of([1, 2], ["a"]), batch_of([3], ["a"])])
    path = tmp_path / "t.arrows"
    path.write_bytes(whole[: ends[0]])
    table = FollowedTable(str(path), "t")
    first = table.open()
    append(path, damage)
    assert table.look() is None
    append(path, damage)
    assert table.look() is None
    [told] = table.take_told()
    assert told.startswith("t.arrows is damaged: ") and f"byte {ends[0]:,}" in told
    assert first.notes[-1] == told and values_of(first) == [1, 2]
    os.truncate(path, ends[0])  # somebody mends it
    append(path, whole[ends[0] :])
    assert values_of(grow(table, first)) == [1, 2, 3]


def test_a_stream_without_its_whole_schema_is_nothing_to_begin_with(tmp_path: Path):
    whole, _ = stream_of([batch_of([1], ["a"])])
    path = tmp_path / "t.arrows"
    path.write_bytes(whole[:40])
    with pytest.raises(NotFound, match="its schema is not written yet"):
        FollowedTable(str(path), "t").open()


def test_options_of_csv_files_are_refused(tmp_path: Path):
    whole, _ = stream_of([batch_of([1], ["a"])])
    (tmp_path / "t.arrows").write_bytes(whole)
    with pytest.raises(BadInput, match="delimiter is for CSV files only"):
        FollowedTable(str(tmp_path / "t.arrows"), "t", CsvOptions(None, ";")).open()


def test_flipped_bytes_of_metadata_are_an_error_and_nothing_else():
    whole, _ = stream_of([batch_of([1, 2], ["a"]), batch_of([3], ["a"])])
    generator = np.random.default_rng(11)
    for _ in range(400):
        data = bytearray(whole)
        at, bits = int(generator.integers(len(data))), int(generator.integers(1, 256))
        data[at] ^= bits
        try:
            found = list(messages(lambda start, size: bytes(data[start : start + size]), 0, len(data)))  # noqa: B023
        except ValueError as error:
            assert "message at byte" in str(error)
        else:
            assert all(each.rows >= 0 and each.at < each.stop <= len(data) for each in found)
    head = struct.pack("<4si", b"\xff\xff\xff\xff", 0)
    assert [each.kind for each in messages(lambda start, size: head[start : start + size], 0, 8)] == [0]
