"""Checking files in other processes: what they say of sound ones, and what becomes of a process that a file ends."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bigviz.common.errors import BigvizError, TooLarge, Unreadable
from bigviz.data.uploads.facts import TableFacts
from bigviz.data.uploads.validator import Validator

TABLE = pa.table({"x": np.arange(10.0), "kind": pa.array(list("ab") * 5).dictionary_encode()})
FACTS = TableFacts("arrows", 10, (("x", "double"), ("kind", "dictionary<values=string, indices=int32, ordered=0>")))


@pytest.fixture
def validator() -> Iterator[Validator]:
    found = Validator(256 << 20, processes=2)
    yield found
    found.close()


@pytest.fixture
def stream(tmp_path: Path) -> Path:
    path = tmp_path / "table"
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, TABLE.schema) as writer:
        writer.write_table(TABLE)
    return path


def processes(validator: Validator) -> list[int]:
    return [worker._process.pid for worker in validator._idle]


def test_facts(validator: Validator, stream: Path):
    assert validator.check(stream, "arrows") == FACTS
    assert TableFacts.from_json(FACTS.to_json()) == FACTS
    first = processes(validator)
    assert validator.check(stream, "arrows") == FACTS and processes(validator) == first  # the same process again


def test_many_at_a_time(validator: Validator, stream: Path):
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: validator.check(stream, "arrows"), range(16))) == {FACTS}
    assert 1 <= len(processes(validator)) <= 2


def test_a_table_that_needs_too_much_memory(validator: Validator, tmp_path: Path):
    """A page of 2^26 zeros is 512 MiB when it is read, and 16 KB on the disk."""
    path = tmp_path / "large.parquet"
    table = pa.table({"x": np.zeros(1 << 26, np.int64)})
    pq.write_table(
        table, path, use_dictionary=False, compression="zstd", data_page_size=1 << 30, row_group_size=1 << 26
    )
    with pytest.raises(TooLarge):
        validator.check(path, "parquet")


def test_a_process_that_ends_or_hangs_is_replaced(validator: Validator, stream: Path, tmp_path: Path):
    validator.check(stream, "arrows")
    (gone,) = processes(validator)
    os.kill(gone, signal.SIGKILL)
    with pytest.raises(Unreadable, match="could not be checked"):
        validator.check(stream, "arrows")
    assert validator.check(stream, "arrows") == FACTS
    (hangs,) = processes(validator)
    os.kill(hangs, signal.SIGSTOP)
    with pytest.raises(Unreadable, match="takes too long"):
        validator.check(stream, "arrows", seconds=0.2)
    assert not processes(validator) and validator.check(stream, "arrows") == FACTS


def test_after_a_bad_file_another_process_goes_on(validator: Validator, stream: Path, tmp_path: Path):
    validator.check(stream, "arrows")
    before = processes(validator)
    bad = tmp_path / "bad"
    bad.write_bytes(stream.read_bytes()[:-40])
    with pytest.raises(Unreadable):
        validator.check(bad, "arrows")
    assert validator.check(stream, "arrows") == FACTS and processes(validator) != before


def test_messages_name_no_path(validator: Validator, tmp_path: Path):
    with pytest.raises(Unreadable) as found:
        validator.check(_empty(tmp_path / "secret-place"), "parquet")
    assert "secret-place" not in found.value.message


def _empty(path: Path) -> Path:
    path.touch()
    return path


def test_bodies_that_come_together_fail_one_by_one(validator: Validator, monkeypatch: pytest.MonkeyPatch):
    schema = pa.schema([("x", pa.float64())])

    def answers(bodies: list[bytes]) -> list[object]:
        found = validator.convert_all([(body, "ndjson") for body in bodies], schema)
        return [
            each.message
            if isinstance(each, BigvizError)
            else pa.ipc.read_record_batch(each[0], schema)["x"].to_pylist()
            for each in found
        ]

    bodies = [b'{"x": 1}', b'{"x": "a"}', b'{"y": 1}', b"", b'{"x": 2}\n{"x": null}']
    found = answers(bodies)
    assert [found[0], found[3], found[4]] == [[1.0], [], [2.0, None]]
    assert "which is a number" in str(found[1]) and "'y'" in str(found[2])
    validator.warm()
    (first,) = processes(validator)
    os.kill(first, signal.SIGKILL)  # what ends the process is one body of those: the others are read all the same
    assert answers(bodies) == found
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as writer:
        writer.write_batch(pa.record_batch([np.zeros(1 << 22)], schema))
    many = sink.getvalue().to_pybytes()  # 32 MiB: of bodies that come together no more is read after 64
    read = validator.convert_all([(many, "arrows"), (many, "arrows"), (b'{"x": 5}', "ndjson")], schema)
    assert [each[1] for each in read if isinstance(each, tuple)] == [1 << 22, 1 << 22, 1]
