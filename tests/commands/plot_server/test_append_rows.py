"""`bigviz append`: files and pipes of each format, whole lines and whole batches at a time."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pytest

from bigviz.client import streams
from bigviz.client.connect import connect
from bigviz.client.http import Http
from bigviz.client.refusals import Unreachable
from bigviz.commands.plot_server import append_rows
from bigviz.commands.plot_server.append_rows import Input, append_file, bodies
from bigviz.common.errors import BadInput, Conflict, NotFound, Unreadable

from ...patience import PATIENCE
from ...server.running import Running, running

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
    with pytest.raises(Unreadable, match="This is a JSON array"):
        cut(b' [{"x": 1}]', 1)
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


class Forgetful:
    """A way to a server on which every second answer to an append is lost, after the server has acted."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/"
        self.lost = 0
        self._appends = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._socket.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._socket.accept()
                with client:
                    self._pass(client)

    def _pass(self, client: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(1 << 16)
        found = re.search(rb"(?i)content-length: (\d+)", head)
        missing = int(found[1] if found else 0) + head.index(b"\r\n\r\n") + 4 - len(head)
        host = re.sub(rb"(?i)\r\nhost: [^\r]*", b"\r\nHost: 127.0.0.1:%d\r\nConnection: close" % self._port, head)
        with socket.create_connection(("127.0.0.1", self._port)) as server:
            server.sendall(host)
            while missing > 0:
                piece = client.recv(1 << 16)
                server.sendall(piece)
                missing -= len(piece)
            answer = b""
            while piece := server.recv(1 << 16):
                answer += piece
        self._appends += b"/append " in head
        if b"/append " in head and self._appends % 2:
            self.lost += 1
        else:
            client.sendall(answer)


@pytest.mark.parametrize("data", [NDJSON, CSV, arrow(TABLE, TABLE)], ids=["ndjson", "csv", "arrow"])
def test_answers_that_are_lost_cost_no_row_and_double_none(plots: Running, tmp_path: Path, monkeypatch, data: bytes):
    monkeypatch.setattr(append_rows, "_BODY_BYTES", 1)  # an append for each line
    monkeypatch.setattr(streams, "_WAITS", (0.0,) * 7)
    (tmp_path / "rows").write_bytes(data)
    way = Forgetful(plots.server.port)
    try:
        told = append_file(connect(way.url), "rows", str(tmp_path / "rows"), lambda text: None)
    finally:
        way.close()
    rows = 6 if data.startswith(b"\xff") else 3
    assert way.lost > 0 and told.startswith(f"Appended {rows} rows")
    [found] = connect(plots.url).datasets()
    assert found["rows"] == rows


@pytest.mark.parametrize("data", [NDJSON + b"\n", CSV + b"\n", arrow(TABLE)[:-8]], ids=["ndjson", "csv", "arrow"])
def test_ctrl_c_says_what_was_acknowledged(plots: Running, data: bytes):
    command = [sys.executable, "-m", "bigviz", "append", "rows", "-", "--url", plots.url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None and process.stderr is not None
        process.stdin.write(data)
        process.stdin.flush()
        end = time.monotonic() + PATIENCE
        while connect(plots.url).datasets()[0]["rows"] < 3:
            assert time.monotonic() < end and process.poll() is None
        process.stdin.write(data[:9])  # not whole: it is not appended
        process.stdin.flush()
        process.send_signal(signal.SIGINT)
        assert process.stderr.read() == b"Interrupted. Rows appended before: 3.\n"
        assert process.wait(PATIENCE) == 130
    assert connect(plots.url).datasets()[0]["rows"] == 3


def test_what_was_sent_last_is_unknown_where_the_server_is_gone(plots: Running, tmp_path: Path, monkeypatch):
    def gone(http: Http, *args: object, **options: object) -> None:
        raise Unreachable("The server ended the connection: try again.")

    (tmp_path / "rows.csv").write_bytes(CSV)
    server = connect(plots.url)
    monkeypatch.setattr(streams, "_WAITS", ())
    monkeypatch.setattr(Http, "json", gone)
    with pytest.raises(Unreachable) as lost:
        append_file(server, "rows", str(tmp_path / "rows.csv"), lambda text: None)
    assert lost.value.message.endswith("again. Nothing is known of those sent last. Rows appended before: 0.")
