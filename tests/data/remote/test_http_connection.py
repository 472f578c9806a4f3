"""Heads and bodies as servers may send them, and as none should."""

from __future__ import annotations

import asyncio
from typing import Any, cast
from urllib.parse import urlsplit

import pytest

from bigviz.data.remote.http_connection import IDLE, Connection, Head, Incoming, Place

OK = b"HTTP/1.1 206 Partial Content\r\n"


class Sink:
    """Where requests go."""

    def __init__(self) -> None:
        self.text = b""
        self.paused = False

    def write(self, data: bytes) -> None:
        self.text += data

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

    def is_closing(self) -> bool:
        return False

    def abort(self) -> None:
        """It is closed."""


async def fed(incoming: Incoming, data: bytes, size: int, ends: bool) -> None:
    """Let data come in pieces of at most `size` bytes, as far as there is room for it."""
    while data:
        room = incoming.get_buffer(-1)
        count = min(size, len(room), len(data))
        if count:
            room[:count] = data[:count]
            incoming.buffer_updated(count)
            data = data[count:]
        await asyncio.sleep(0)
    if ends:
        incoming.eof_received()


def answered(data: bytes, ends: bool = True, size: int = 1 << 18) -> tuple[int, bytes, bool]:
    """Status, body, and whether another request may follow."""

    async def run() -> tuple[int, bytes, bool]:
        incoming = Incoming()
        feeding = asyncio.create_task(fed(incoming, data, size, ends))
        try:
            return await read(incoming, feeding)
        finally:
            feeding.cancel()

    async def read(incoming: Incoming, feeding: asyncio.Task[None]) -> tuple[int, bytes, bool]:
        sink: Any = Sink()
        connection = Connection(Place("http", "a", 80), incoming, sink)
        head = await connection.get("/x?y", {"Range": "bytes=0-1"})
        assert sink.text == b"GET /x?y HTTP/1.1\r\nHost: a\r\nRange: bytes=0-1\r\n\r\n"
        body = await all_of(connection, head)
        await feeding
        return head.status, body, connection.is_idle

    return asyncio.run(run())


async def all_of(connection: Connection, head: Head) -> bytes:
    body, room, came = connection.body(head), memoryview(bytearray(7)), b""
    while count := await body.some(room):
        came += room[:count]
    return came


@pytest.mark.parametrize("size", [1, 5, 1 << 18])
def test_any_pieces(size: int):
    chunks = (
        b"Transfer-Encoding: chunked\r\n\r\n"
        + b"1f;x=y\r\n"
        + bytes(31)
        + b"\r\n12c\r\n"
        + b"z" * 300
        + b"\r\n0\r\n\r\n"
    )
    assert answered(OK + chunks, False, size) == (206, bytes(31) + b"z" * 300, True)
    assert answered(OK + b"Content-Length: 331\r\n\r\n" + b"z" * 331, False, size) == (206, b"z" * 331, True)


@pytest.mark.parametrize("waits", [False, True])
def test_a_connection_that_breaks_is_no_end_of_a_body(waits: bool):
    """Of one that has no length its end would be the end of the connection."""

    async def run() -> None:
        incoming, sink = Incoming(), cast("Any", Sink())
        await fed(incoming, OK + b"\r\nab", 99, ends=False)
        connection = Connection(Place("http", "a", 80), incoming, sink)
        head = await connection.get("/", {})
        reading = asyncio.create_task(all_of(connection, head)) if waits else None
        await asyncio.sleep(0)
        incoming.connection_lost(ConnectionResetError())
        with pytest.raises(ConnectionResetError):
            await (reading or all_of(connection, head))

    asyncio.run(run())


def test_a_body_that_nobody_reads_is_not_taken_in():
    """More than a head has room for waits at its sender."""

    async def run() -> None:
        incoming, data = Incoming(), OK + b"Content-Length: 200000\r\n\r\n" + bytes(200_000)
        sink: Any = Sink()
        incoming._transport = sink
        room = incoming.get_buffer(-1)
        room[:] = data[: len(room)]
        incoming.buffer_updated(len(room))
        assert sink.paused
        connection = Connection(Place("http", "a", 80), incoming, sink)
        feeding = asyncio.create_task(fed(incoming, data[len(room) :], 9_999, ends=True))
        assert await all_of(connection, await connection.get("/", {})) == bytes(200_000)
        assert not sink.paused
        await feeding

    asyncio.run(run())


def test_bodies():
    assert answered(OK + b"Content-Length: 3\r\n\r\nabc", ends=False) == (206, b"abc", True)
    assert answered(OK + b"Content-Length: 3\r\n\r\nabc") == (206, b"abc", False)
    assert answered(OK + b"Content-Length: 3\r\n\r\nabc" + OK, ends=False) == (206, b"abc", False)  # to no request
    assert answered(OK + b"Content-Length: 3\r\nConnection: Close\r\n\r\nabc", ends=False) == (206, b"abc", False)
    assert answered(OK + b"\r\nabc") == (206, b"abc", False)
    chunks = b"Transfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\nA\r\n0123456789\r\n0\r\nT: v\r\n\r\n"
    assert answered(OK + chunks, ends=False) == (206, b"ab0123456789", True)
    early = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    assert answered(early + early + OK + b"Content-Length: 0\r\n\r\n", ends=False) == (206, b"", True)


@pytest.mark.parametrize(
    "data",
    [b"", OK, OK + b"Content-Length: 3\r\n\r\nab", OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
     OK + b"Transfer-Encoding: chunked\r\n\r\n"],
)  # fmt: skip
def test_what_is_cut(data: bytes):
    with pytest.raises(EOFError):
        answered(data)


@pytest.mark.parametrize(
    "data",
    [b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1 +20 OK\r\n\r\n", b"HTTP/1.1\r\n\r\n", OK + b"Content-Length: -3\r\n\r\nabc",
     OK + b"Content-Length: 1_0\r\n\r\nabc", OK + b"X: " + b"y" * 70_000 + b"\r\n\r\n",
     OK + b"X: " + b"y" * 400_000 + b"\r\n\r\n",
     OK + b"".join(b"X%d: y\r\n" % at for at in range(200)) + b"\r\n",
     OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n", OK + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n",
     OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"T: v\r\n" * 200],
)  # fmt: skip
def test_what_is_no_http(data: bytes):
    with pytest.raises(ValueError):
        answered(data)


def test_connections_are_kept_for_their_place():
    async def run() -> None:
        made = []
        for host in ("a", "b", "a"):
            incoming = Incoming()
            await fed(incoming, OK + b"Content-Length: 0\r\n\r\n", 99, ends=False)
            sink: Any = Sink()
            made.append(Connection(Place("http", host, 80), incoming, sink))
            assert await all_of(made[-1], await made[-1].get("/", {})) == b""
            IDLE.put(made[-1])
        assert IDLE.take(Place("http", "c", 80)) is None
        assert IDLE.take(Place("http", "a", 80)) is made[2] and IDLE.take(Place("http", "a", 80)) is made[0]
        assert IDLE.take(Place("http", "a", 80)) is None and IDLE.take(Place("http", "b", 80)) is made[1]

    asyncio.run(run())


@pytest.mark.parametrize(
    ("address", "name", "whole"),
    [("http://a/", "a", "a:80"), ("https://a:80/", "a:80", "a:80"), ("https://[::1]/", "[::1]", "[::1]:443"),
     ("http://[::1]:443/", "[::1]:443", "[::1]:443"), ("http://a:8080/", "a:8080", "a:8080")],
)  # fmt: skip
def test_names_of_places(address: str, name: str, whole: str) -> None:
    place = Place.of(urlsplit(address))
    assert (place.name, place.whole) == (name, whole)
