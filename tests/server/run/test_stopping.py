"""How a server stops: viewers are told, requests in hand are answered, others are not taken any more."""

from __future__ import annotations

import asyncio
import json
import socket
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from bigviz.document.spec import Document
from bigviz.library.library import Library
from bigviz.wire.frames import AWAY

from ...patience import PATIENCE
from ..api.calls import document, upload
from ..running import Answer, Gated, Running, running
from ..wire import Browser


def stopped(server: Running, seconds: float) -> Future[None]:
    """A server that begins to stop: its end."""
    return asyncio.run_coroutine_threadsafe(server.server.stop(seconds), server.loop)


def told(browser: Browser) -> tuple[int, str]:
    """How a browser's connection was closed."""
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            browser.take()
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code, closed.value.rcvd.reason


def test_viewers_are_told_to_come_again_and_the_tile_in_hand_is_answered(documents: list[Document]):
    engine = Gated()
    with ThreadPoolExecutor() as pool, running(documents[:1], engine) as server, Browser(server.url, "points") as page:
        assert page.layer().value["rows"] == 100_000
        idle = server.connection()
        idle.request("GET", "/healthz")
        idle.getresponse().read()
        engine.open.clear()
        answer: Future[Answer] = pool.submit(server.get, "/points/layers/0/tiles/1/0/0.npy")
        engine.await_(lambda: bool(engine.reached))
        end = stopped(server, PATIENCE)
        assert told(page) == (AWAY, "the server stops: come again")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", server.server.port))
        assert idle.sock.recv(1) == b""
        idle.close()
        assert not answer.done() and not end.done()
        engine.open.set()
        assert answer.result(PATIENCE).status == 200
        end.result(PATIENCE)
        assert not engine.cancelled and not server.server.site.in_hand
        server.await_event("stopped")


def test_a_document_that_is_on_its_way_is_kept(tmp_path: Path):
    with running([], library=tmp_path / "library") as server:
        server.await_event("loaded")
        assert upload(server, "rows")[0] == 201
        body = json.dumps(document("rows", title="Kept")).encode()
        head = f"PUT /_/api/documents/kept HTTP/1.1\r\nHost: 127.0.0.1:{server.server.port}\r\n"
        with socket.create_connection(("127.0.0.1", server.server.port), PATIENCE) as connection:
            connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:10])
            while not server.on_loop(lambda: len(server.server.site.in_hand)):
                pass
            end = stopped(server, PATIENCE)
            with pytest.raises(ConnectionRefusedError):
                while True:
                    socket.create_connection(("127.0.0.1", server.server.port)).close()
            connection.sendall(body[10:])
            assert connection.recv(12) == b"HTTP/1.1 201"
        end.result(PATIENCE)
    with Library.open(tmp_path / "library") as library:
        assert library.documents.get("kept").title == "Kept"


def test_what_does_not_end_is_cancelled(documents: list[Document]):
    engine = Gated()
    with ThreadPoolExecutor() as pool, running(documents[:1], engine) as server:
        server.get("/points/layers/0/tilejson.json")
        engine.open.clear()
        answer = pool.submit(server.get, "/points/layers/0/tiles/1/0/0.npy")
        engine.await_(lambda: bool(engine.reached))
        stopped(server, 0.0).result(PATIENCE)
        with pytest.raises(OSError, match=r"closed|reset"):
            answer.result(PATIENCE)
        engine.await_(lambda: bool(engine.cancelled))


def test_requests_for_what_is_not_loaded_hold_nothing_up(documents: list[Document]):
    def load(progress: object) -> None:
        raise OSError("no file")

    with ThreadPoolExecutor() as pool, running(documents[:1], load=load) as server:
        answer = pool.submit(server.get, "/points/layers/0/tilejson.json")
        while not server.on_loop(lambda: len(server.server.site.in_hand)):
            pass
        stopped(server, PATIENCE).result(PATIENCE)
        with pytest.raises(OSError, match=r"closed|reset"):
            answer.result(PATIENCE)


def test_a_client_that_leaves_is_not_waited_for(documents: list[Document]):
    engine = Gated()
    with running(documents[:1], engine) as server:
        server.get("/points/layers/0/tilejson.json")
        engine.open.clear()
        connection = server.connection()
        connection.request("GET", "/points/layers/0/tiles/1/0/0.npy")
        engine.await_(lambda: bool(engine.reached))
        connection.close()
        engine.await_(lambda: bool(engine.cancelled))
        stopped(server, PATIENCE).result(PATIENCE)
        assert not server.server.site.in_hand
