"""Heads and bodies as servers may send them, and as none should."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlsplit

import pytest

from bigviz.data.remote.http_connection import IDLE, Connection, Place

OK = b"HTTP/1.1 206 Partial Content\r\n"


class Sink:
    """Where requests go."""

    def __init__(self) -> None:
        self.text = b""
        self.transport = self

    def write(self, data: bytes) -> None:
        self.text += data

    def is_closing(self) -> bool:
        return False

    def abort(self) -> None:
        """It is closed."""


def answered(data: bytes, ends: bool = True, size: int = 1 << 18) -> tuple[int, bytes, bool]:
    """Status, body, and whether another request may follow."""

    async def run() -> tuple[int, bytes, bool]:
        reader = asyncio.StreamReader(size)
        reader.feed_data(data)
        if ends:
            reader.feed_eof()
        sink: Any = Sink()
        connection = Connection(Place("http", "a", 80), reader, sink)
        head = await connection.get("/x?y", {"Range": "bytes=0-1"})
        assert sink.text == b"GET /x?y HTTP/1.1\r\nHost: a\r\nRange: bytes=0-1\r\n\r\n"
        body = b"".join([piece async for piece in connection.body(head)])
        return head.status, body, connection.is_idle

    return asyncio.run(run())


def test_bodies():
    assert answered(OK + b"Content-Length: 3\r\n\r\nabc", ends=False) == (206, b"abc", True)
    assert answered(OK + b"Content-Length: 3\r\n\r\nabc") == (206, b"abc", False)
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
            reader = asyncio.StreamReader()
            reader.feed_data(OK + b"Content-Length: 0\r\n\r\n")
            sink: Any = Sink()
            made.append(Connection(Place("http", host, 80), reader, sink))
            async for _ in made[-1].body(await made[-1].get("/", {})):
                pass
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
