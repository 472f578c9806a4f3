"""Uploads: what is kept, what is refused, and that nothing of a refused one stays."""

from __future__ import annotations

import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bigviz.data.uploads.validator import Validator
from bigviz.server.documents import publishing
from bigviz.server.limits import Limits

from ...patience import PATIENCE
from ..running import Running, deadline, running
from .calls import ARROW, PARQUET, TABLE, ask, call, document, stream_of, upload


def parquet_of(table: pa.Table, **options: object) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, **options)
    return bytes(sink.getvalue())


def nothing_is_kept(served: Running) -> bool:
    """Whether nothing stays of an upload; a thread removes it once it was answered."""
    waits = deadline(PATIENCE)
    while kept(served) != ([], []) and waits():
        ask(served, "GET", "datasets")
    return kept(served) == ([], [])


def kept(served: Running) -> tuple[list[str], list[str]]:
    """Files that are on their way, and files that are kept."""
    assert served.server.library is not None
    directory = served.server.library.directory
    return sorted(each.name for each in (directory / "incoming").iterdir()), sorted(
        each.name for each in (directory / "files").iterdir()
    )


def test_arrow_and_parquet(plots):
    assert upload(plots, "a") == (201, {"name": "a", "version": 1, "rows": 4})
    told = call(plots, "PUT", "datasets/b", parquet_of(TABLE), Content_Type=PARQUET)
    assert told == (201, {"name": "b", "version": 1, "rows": 4})
    facts = call(plots, "GET", "datasets/b")[1]
    assert facts["columns"] == [
        {"name": "x", "type": "double"},
        {"name": "y", "type": "double"},
        {"name": "secret", "type": "int64"},
        {"name": "kind", "type": "string"},
    ]
    assert facts.keys() == {"name", "columns", "rows", "bytes", "version", "owner"}
    listed = call(plots, "GET", "datasets?sort=name")[1]["datasets"]
    assert [(each["name"], each["rows"], each["role"]) for each in listed] == [("a", 4, "owner"), ("b", 4, "owner")]
    call(plots, "PUT", "documents/plot", document("a", "b"))
    assert plots.get("/plot/layers/1/rows.arrow?x0=0&x1=9&y0=0&y1=9").status == 200


def test_replacing_needs_the_version(plots):
    upload(plots, "a")
    status, told = upload(plots, "a")
    assert (status, told["version"], told["field"]) == (412, 1, "If-Match")
    assert upload(plots, "a", If_None_Match="*")[0] == 412
    assert upload(plots, "a", If_Match='"2"')[0] == 412
    assert upload(plots, "none", If_Match='"1"')[0] == 412
    more = pa.concat_tables([TABLE, TABLE])
    assert upload(plots, "a", more, If_Match='"1"') == (200, {"name": "a", "version": 2, "rows": 8})


def test_a_dataset_goes_when_nothing_names_it(plots):
    upload(plots, "a")
    call(plots, "PUT", "documents/plot", document("a"))
    status, told = call(plots, "DELETE", "datasets/a")
    assert status == 409 and "1 document" in told["error"]
    ask(plots, "DELETE", "documents/plot")
    assert ask(plots, "DELETE", "datasets/a").status == 204
    assert call(plots, "GET", "datasets/a")[0] == 404


def test_equal_content_is_kept_once(plots):
    upload(plots, "a")
    upload(plots, "b")
    assert len(kept(plots)[1]) == 1


def bad_codes() -> bytes:
    """A stream whose dictionary codes lie outside the dictionary."""
    codes = pa.py_buffer(np.array([0, 1, 2, 1 << 30], np.int32).tobytes())
    indices = pa.Array.from_buffers(pa.int32(), 4, [None, codes])
    return stream_of(pa.table({"k": pa.DictionaryArray.from_arrays(indices, pa.array(["a"]), safe=False)}))


def bad_offsets() -> bytes:
    """A stream of texts one of which ends before it begins."""
    offsets = pa.py_buffer(np.array([0, 5, 2, 6], np.int32).tobytes())
    return stream_of(pa.table({"t": pa.Array.from_buffers(pa.string(), 3, [None, offsets, pa.py_buffer(b"abcdef")])}))


def bomb() -> bytes:
    """A small Parquet file of a large table: 2^28 zeros."""
    sink = pa.BufferOutputStream()
    schema = pa.schema([("x", pa.int64())])
    with pq.ParquetWriter(sink, schema, compression="zstd", use_dictionary=False) as writer:
        batch = pa.table({"x": np.zeros(1 << 22, np.int64)}, schema=schema)
        for _ in range(64):
            writer.write_table(batch)
    return bytes(sink.getvalue())


def damaged(body: bytes, at: float) -> bytes:
    place = int(len(body) * at)
    return body[:place] + bytes([body[place] ^ 0xFF]) + body[place + 1 :]


REFUSED = {
    "nothing": (ARROW, b"", 422),
    "no stream": (ARROW, b"PAR1" * 100, 422),
    "no parquet": (PARQUET, stream_of(TABLE), 422),
    "cut off": (ARROW, stream_of(TABLE)[:-8], 400),
    "cut off in a batch": (ARROW, stream_of(TABLE)[:-200], 422),
    "codes": (ARROW, bad_codes(), 422),
    "offsets": (ARROW, bad_offsets(), 422),
    "footer": (PARQUET, damaged(parquet_of(TABLE), 0.9), 422),
    "columns": (ARROW, stream_of(pa.table({f"c{at}": [1] for at in range(5_000)})), 413),
}


@pytest.mark.parametrize("case", REFUSED)
def test_files_that_are_not_sound(plots, case):
    kind, body, status = REFUSED[case]
    answer = ask(plots, "PUT", "datasets/a", body, Content_Type=kind)
    assert answer.status == status and json.loads(answer.body)["field"] == "body", answer.body
    assert call(plots, "GET", "datasets/a")[0] == 404
    assert nothing_is_kept(plots)


def test_a_bomb(plots):
    body = bomb()
    assert len(body) < 2_000_000
    status, told = call(plots, "PUT", "datasets/a", body, Content_Type=PARQUET)
    assert status == 413 and "MiB" in told["error"]
    assert nothing_is_kept(plots)


@pytest.mark.parametrize("kind", ["null", "runs"])
def test_a_table_of_a_billion_rows_in_a_thousand_bytes(plots, kind):
    rows = 10**9
    runs = pa.RunEndEncodedArray.from_arrays(pa.array([rows], pa.int32()), pa.array([1.5]))
    body = stream_of(pa.table({"x": pa.nulls(rows) if kind == "null" else runs}))
    assert len(body) < 2_000
    status, told = call(plots, "PUT", "datasets/a", body, Content_Type=ARROW)
    assert status == 413 and "MiB" in told["error"]
    assert nothing_is_kept(plots)


def test_content_types(plots):
    for kind in ("text/csv", "application/octet-stream", ""):
        status, told = call(plots, "PUT", "datasets/a", stream_of(TABLE), Content_Type=kind)
        assert (status, told["field"]) == (415, "Content-Type")


@pytest.fixture
def small(tmp_path: Path):
    """A server that takes uploads of 10 KB."""
    with running([], library=tmp_path / "library", limits=Limits(upload_bytes=10_000, body_seconds=1.0)) as found:
        found.await_event("loaded")
        yield found


def test_uploads_beyond_the_limit(small):
    answer = small.get("/_/api/datasets/a", "PUT", None, Content_Length="10001", Content_Type=ARROW)
    assert answer.status == 413 and answer.headers["Connection"] == "close"
    with socket.create_connection(("127.0.0.1", small.server.port), PATIENCE) as client:
        head = f"PUT /_/api/datasets/a HTTP/1.1\r\nHost: 127.0.0.1:{small.server.port}\r\nContent-Type: {ARROW}\r\n"
        client.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        for _ in range(3):
            client.sendall(b"1000\r\n" + b"x" * 4096 + b"\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 413")
    assert nothing_is_kept(small)


def test_an_upload_that_stops_coming_leaves_nothing(small):
    with socket.create_connection(("127.0.0.1", small.server.port), PATIENCE) as client:
        head = f"PUT /_/api/datasets/a HTTP/1.1\r\nHost: 127.0.0.1:{small.server.port}\r\nContent-Type: {ARROW}\r\n"
        client.sendall(f"{head}Content-Length: 5000\r\n\r\n".encode() + b"x" * 100)
        assert client.recv(1) == b""  # cut off after a second without a byte
    assert nothing_is_kept(small)


def test_chunks(plots):
    body = stream_of(TABLE)
    with socket.create_connection(("127.0.0.1", plots.server.port), PATIENCE) as client:
        head = f"PUT /_/api/datasets/a HTTP/1.1\r\nHost: 127.0.0.1:{plots.server.port}\r\nContent-Type: {ARROW}\r\n"
        client.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        for start in range(0, len(body), 100):
            piece = body[start : start + 100]
            client.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        client.sendall(b"0\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 201")


def head(served: Running, name: str, length: str) -> bytes:
    """The beginning of an upload whose body is said to have this length."""
    host = f"127.0.0.1:{served.server.port}"
    lines = (f"PUT /_/api/datasets/{name} HTTP/1.1", f"Host: {host}", f"Content-Type: {ARROW}")
    return "\r\n".join((*lines, f"Content-Length: {length}", "", "")).encode()


@pytest.mark.parametrize(
    ("length", "status"), [("5, 5", 422), ("5, 6", 400), ("0x5", 400), ("+5", 400), ("٣", 400), ("9" * 60, 400)]
)
def test_lengths_that_are_no_number(plots, length: str, status: int):
    with socket.create_connection(("127.0.0.1", plots.server.port), PATIENCE) as client:
        client.sendall(head(plots, "a", length) + b"hello")
        assert client.recv(100).startswith(f"HTTP/1.1 {status}".encode())
    assert nothing_is_kept(plots)


def test_clients_that_leave_at_once_leave_nothing(plots):
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", plots.server.port), PATIENCE) as client:
            client.sendall(head(plots, "a", "5000"))
    assert nothing_is_kept(plots)


def test_an_upload_leaves_the_database_some_room(plots, monkeypatch):
    body = b"x" * 3_000_000
    room = iter([1 << 40, 1 << 40])  # when it begins, and for the first piece
    usage = SimpleNamespace(disk_usage=lambda path: SimpleNamespace(free=next(room, 64 << 20)))
    monkeypatch.setattr(publishing, "shutil", usage)
    status, told = call(plots, "PUT", "datasets/a", body, Content_Type=ARROW)
    assert (status, told["field"]) == (507, "body")
    assert nothing_is_kept(plots)


def test_files_that_take_long_to_check_hold_nothing_else_up(plots, monkeypatch):
    go_on = threading.Event()
    check = Validator.check

    def slow(self: Validator, *arguments: Any) -> Any:
        assert go_on.wait(PATIENCE)
        return check(self, *arguments)

    monkeypatch.setattr(Validator, "check", slow)
    with ThreadPoolExecutor(8) as threads:
        uploads = [threads.submit(upload, plots, f"t{number}") for number in range(8)]
        assert are_coming(plots, 8)
        assert call(plots, "GET", "datasets") == (200, {"datasets": [], "next": None})
        go_on.set()
        assert [each.result(PATIENCE)[0] for each in uploads] == [201] * 8


def are_coming(served: Running, number: int) -> bool:
    """Whether so many uploads are on their way."""
    waits = deadline(PATIENCE)
    while len(kept(served)[0]) < number and waits():
        served.get("/healthz")
    return len(kept(served)[0]) == number


def test_an_upload_that_trickles_is_cut_off(small):
    """A byte now and then is no pause, but holds the connection, and would for a day."""
    with socket.create_connection(("127.0.0.1", small.server.port), PATIENCE) as client:
        head = f"PUT /_/api/datasets/a HTTP/1.1\r\nHost: 127.0.0.1:{small.server.port}\r\nContent-Type: {ARROW}\r\n"
        client.sendall(f"{head}Content-Length: 5000\r\n\r\n".encode())
        client.settimeout(0.05)
        sent, is_open = 0, True
        while is_open and sent < 5_000:
            try:
                client.sendall(b"x")
                sent += 1
                is_open = client.recv(1) != b""
            except TimeoutError:
                pass
            except (BrokenPipeError, ConnectionResetError):
                is_open = False
    assert not is_open and sent < 5_000
    assert nothing_is_kept(small)
