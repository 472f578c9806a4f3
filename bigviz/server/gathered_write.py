"""Bytes in pieces to a connection, without putting them together first."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from tornado.iostream import IOStream, SSLIOStream

from bigviz.wire.frames import Bytes

__all__ = ["write_gathered"]


def write_gathered(stream: IOStream, pieces: Sequence[Bytes]) -> asyncio.Future[None]:
    """Write some pieces one after the other; done when the kernel has taken them all. Raises StreamClosedError.

    The kernel gathers them in one call. What it has no room for waits as `IOStream.write` has it, as views of the
    pieces: to put a head before a tile of 256 KiB costs as much as to send it. TLS copies anyway.
    """
    sent = 0
    if not (stream.closed() or stream.writing() or isinstance(stream, SSLIOStream)):
        with suppress(OSError):  # no room; or the connection is lost, and `write` says so
            sent = stream.socket.sendmsg(pieces)
    written: asyncio.Future[None] = stream.write(b"")  # done, unless others wait
    for piece in pieces:
        if sent < len(piece):
            written = stream.write(memoryview(piece)[sent:])
        sent = max(0, sent - len(piece))
    return written
