"""Pieces over a real connection."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest
from tornado.iostream import IOStream, StreamClosedError

from bigviz.server.gathered_write import write_gathered

from ..patience import PATIENCE


def connected(test: Callable[[IOStream, IOStream], Awaitable[None]]) -> None:
    async def run() -> None:
        ends = socket.socketpair()
        writer, reader = map(IOStream, ends)
        try:
            await asyncio.wait_for(test(writer, reader), PATIENCE)
        finally:
            writer.close()
            reader.close()

    asyncio.run(run())


def test_what_the_kernel_has_room_for_is_done_at_once():
    async def test(writer: IOStream, reader: IOStream) -> None:
        written = write_gathered(writer, [b"head", b"", memoryview(b"body")])
        assert written.done() and not writer.writing()
        assert await reader.read_bytes(8) == b"headbody"

    connected(test)


@pytest.mark.parametrize("sizes", [(100, 5 << 20), (3 << 20, 3 << 20), (5 << 20, 0), (1, 1, 5 << 20)])
def test_what_it_has_no_room_for_comes_later_and_what_is_written_meanwhile_after_it(sizes: tuple[int, ...]):
    async def test(writer: IOStream, reader: IOStream) -> None:
        pieces = [bytes([number + 1]) * size for number, size in enumerate(sizes)]
        first, second = write_gathered(writer, pieces), write_gathered(writer, [b"and", b"more"])
        assert not first.done() and not second.done()
        whole = b"".join(pieces) + b"andmore"
        assert await reader.read_bytes(len(whole)) == whole
        await first
        await second

    connected(test)


def test_a_connection_that_has_ended():
    async def test(writer: IOStream, reader: IOStream) -> None:
        reader.close()
        with pytest.raises(StreamClosedError):
            await write_gathered(writer, [b"head", bytes(1 << 20)])
        assert writer.closed()
        with pytest.raises(StreamClosedError):
            write_gathered(writer, [b"head"])

    connected(test)
