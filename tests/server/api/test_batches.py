"""Streams of batches are bounded, in number and in what waits for a slow reader, and end with the right to read."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPResponse, IncompleteRead
from pathlib import Path

import numpy as np
import pyarrow as pa

from bigviz.server.limits import Limits

from ...patience import PATIENCE, until
from ..people import People
from ..running import Running, running
from .calls import ARROW, TABLE, call, stream_of, upload


@contextmanager
def opened(served: Running, query: str = "", **headers: str) -> Iterator[HTTPResponse]:
    connection = HTTPConnection("127.0.0.1", served.server.port, timeout=PATIENCE)
    connection.request("GET", f"/_/api/datasets/rows/batches{query}", headers=headers)
    answer = connection.getresponse()
    try:
        yield answer
    finally:
        answer.close()
        connection.close()


def status(served: Running, query: str = "", **headers: str) -> int:
    with opened(served, query, **headers) as answer:
        return answer.status


def append(served: Running, table: pa.Table = TABLE, **headers: str) -> int:
    return call(served, "POST", "datasets/rows/append", stream_of(table), Content_Type=ARROW, **headers)[0]


def test_what_is_read_and_asked_for(plots):
    assert status(plots) == 404
    upload(plots, "rows")
    append(plots)
    with opened(plots, "?after=1") as answer:
        assert (answer.status, answer.headers["Content-Type"], answer.headers["X-Bigviz-Version"]) == (200, ARROW, "1")
        with pa.ipc.open_stream(answer) as reader:
            batch, about = reader.read_next_batch_with_custom_metadata()
            assert batch.to_pydict() == TABLE.to_pydict()
            assert dict(about) == {b"version": b"2", b"offset": b"4", b"rest": b"0"}
    assert [status(plots, f"?after={after}") for after in ("x", "-1", "0", "9")] == [400, 400, 410, 410]


def test_one_caller_reads_a_few_streams(tmp_path: Path):
    with running([], library=tmp_path, limits=Limits(watches=2)) as served:
        served.await_event("loaded")
        upload(served, "rows")
        with opened(served):
            with opened(served):
                assert status(served) == 429
            until(lambda: status(served) == 200)


def test_a_stream_ends_with_the_right_to_read_it(tmp_path: Path):
    people = People.at(tmp_path / "library")
    with running([], library=tmp_path / "library") as served:
        served.await_event("loaded")
        owner, viewer = people.bearer("owner"), people.bearer("viewer")
        upload(served, "rows", **owner)
        people.library.access.set("dataset", "rows", False, {"owner": "owner", "viewer": "viewer"})
        append(served, **owner)
        assert status(served, **people.bearer("stranger")) == 404
        with opened(served, "?after=1", **viewer) as answer, pa.ipc.open_stream(answer) as reader:
            reader.read_next_batch()
            people.library.access.set("dataset", "rows", False, {"owner": "owner"})
            try:
                rest = answer.read()
            except (IncompleteRead, ConnectionError) as error:
                rest = getattr(error, "partial", b"")
        assert rest == b"" and status(served, **viewer) == 404


def test_little_waits_for_a_reader_that_stopped(tmp_path: Path):
    table = pa.table({"x": np.random.default_rng(1).random(1_000_000)})
    with running([], library=tmp_path, limits=Limits(write_seconds=1.0)) as served:
        served.await_event("loaded")
        upload(served, "rows", table.slice(0, 1))
        with socket.create_connection(("127.0.0.1", served.server.port), PATIENCE) as stopped:
            stopped.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 14)
            host = f"127.0.0.1:{served.server.port}"
            stopped.sendall(f"GET /_/api/datasets/rows/batches HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            assert stopped.recv(12) == b"HTTP/1.1 200"
            site = served.server.site
            assert site is not None
            for _ in range(4):  # acknowledged, whoever reads
                assert append(served, table) == 200
            shelf = served.on_loop(lambda: site._shelf)
            assert shelf is not None
            until(lambda: served.on_loop(lambda: not shelf.feeds._readers))  # it was cut off
            received = 0
            with suppress(ConnectionError):
                while piece := stopped.recv(1 << 20):
                    received += len(piece)
            assert 1 << 10 < received < 16 << 20
