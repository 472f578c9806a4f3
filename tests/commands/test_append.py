"""`bigviz append`: files and pipes of each format, whole lines and whole batches at a time."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pyarrow as pa
import pytest

from bigviz.client.connect import connect
from bigviz.commands import append_rows
from bigviz.commands.append_rows import Input, append_file, bodies
from bigviz.common.errors import BadInput, Conflict, NotFound, Unreadable

from ..server.running import Running, running

TABLE = pa.table({"x": [1, 2, 3], "kind": ["a", "b\nc", None]})
NDJSON = b'{"x": 1, "kind": "a"}\n{"x": 2, "kind": "b\\nc"}\n{"x": 3}'
CSV = b'kind,x\na,1\n"b\nc",2\n,3'


@pytest.fixture
def plots(tmp_path: Path):
    with running([], library=tmp_path / "library") as found:
        found.await_event("loaded")
        connect(found.url).stream("rows", TABLE.schema)
        yield found


def arrow(*tables: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, TABLE.schema) as writer:
        for table in tables:
            writer.write_table(table)
    return bytes(sink.getvalue())


def cut(data: bytes, size: int) -> list[bytes]:
    """The bodies of data that comes through a pipe, `size` bytes at a time."""
    read, write = os.pipe()

    def send() -> None:
        for at in range(0, len(data), size):
            os.write(write, data[at : at + size])
        os.close(write)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        return [body for body, _ in bodies(Input(read))]
    finally:
        sender.join()
        os.close(read)


@pytest.mark.parametrize("data", [NDJSON, CSV, arrow(TABLE, TABLE.slice(1))], ids=["ndjson", "csv", "arrow"])
def test_a_file_of_each_format(plots: Running, tmp_path: Path, data: bytes):
    path = tmp_path / "rows.any"
    path.write_bytes(data)
    server = connect(plots.url)
    told = append_file(server, "rows", str(path), lambda text: None)
    rows = 5 if data.startswith(b"\xff") else 3
    assert told.startswith(f"Appended {rows} rows, ") and told.endswith(" rows/s to rows, version 2.")
    assert server.datasets()[0]["rows"] == rows


@pytest.mark.parametrize("size", [1, 7, 1 << 16])
@pytest.mark.parametrize("least", [1, 12, 1 << 20])
def test_bodies_are_whole_lines(monkeypatch, size, least):
    monkeypatch.setattr(append_rows, "_BODY_BYTES", least)
    assert b"".join(cut(NDJSON, size)) == NDJSON
    assert all(body.endswith((b"}\n", b"}")) for body in cut(NDJSON, size))
    parts = cut(CSV, size)
    assert all(part.startswith(b"kind,x\n") for part in parts)
    assert b"".join(part.removeprefix(b"kind,x\n") for part in parts) == CSV.removeprefix(b"kind,x\n")
    assert all(part.count(b'"') % 2 == 0 for part in parts)
    streams = [pa.ipc.open_stream(part).read_all() for part in cut(arrow(TABLE, TABLE), size)]
    assert pa.concat_tables(streams) == pa.concat_tables([TABLE, TABLE])


def test_nothing_is_no_append(tmp_path: Path):
    assert cut(b"", 1) == []
    with pytest.raises(Unreadable, match="takes a stream"):
        cut(b"ARROW1\0\0", 8)
    with pytest.raises(Unreadable, match="This is a Parquet file"):
        cut(b"PAR1\x15\0", 1)
    with pytest.raises(Unreadable):
        cut(arrow(TABLE)[:100], 50)


def test_the_command(plots: Running, tmp_path: Path):
    command = [sys.executable, "-m", "bigviz", "append", "rows", "-", "--url", plots.url]
    done = subprocess.run(command, input=NDJSON, capture_output=True, check=True)
    assert done.stdout.startswith(b"Appended 3 rows") and done.stderr == b""
    bad = subprocess.run(command, input=b'{"x": 4}\n{"y": 1}\n', capture_output=True)
    assert bad.returncode != 0 and b"no column 'y'" in bad.stderr and b"Rows appended before: 0." in bad.stderr


def test_what_cannot_be_appended(plots: Running, tmp_path: Path):
    server = connect(plots.url)
    with pytest.raises(NotFound, match="no file"):
        append_file(server, "rows", str(tmp_path / "none"), print)
    (tmp_path / "other.csv").write_bytes(b"x\n1\n")
    with pytest.raises(Conflict, match="kind"):
        append_file(server, "rows", str(tmp_path / "other.csv"), print)
    (tmp_path / "other.csv").write_bytes(b"hello\n")
    with pytest.raises(Conflict, match="no column 'hello'"):
        append_file(server, "rows", str(tmp_path / "other.csv"), print)
    (tmp_path / "other.csv").write_bytes(b"kind,x\na,one\n")
    with pytest.raises(BadInput) as refused:
        append_file(server, "rows", str(tmp_path / "other.csv"), print)
    assert re.search(r"[^.]\. Rows appended before: 0\.$", refused.value.message)
    (tmp_path / "other.csv").write_bytes(b"kind,x\n")
    assert append_file(server, "rows", str(tmp_path / "other.csv"), print).startswith("Appended 0 rows")
    assert server.datasets()[0]["rows"] == 0
