"""A websocket of a client in some hundred bytes: the handshake, frames both ways, pings answered.

Of a message only its kind and request are looked at, so that thousands of viewers cost less than the server they are
to measure.
"""

from __future__ import annotations

import asyncio
import re
import struct
from asyncio.trsock import TransportSocket
from base64 import b64encode
from collections.abc import Callable
from typing import Final, NamedTuple, cast

from bigviz.wire.frames import HEADER, Type

__all__ = ["Head", "Opcode", "Reader", "Viewer", "frame_of", "head_of", "upgrade"]

_FINAL: Final = 0x80
_MASKED: Final = 0x80
_NO_MASK: Final = b"\0\0\0\0"  # a mask that changes nothing
_STATUS: Final = re.compile(rb"HTTP/1\.1 (\d{3})")
_NORMAL: Final = struct.pack(">H", 1000)
_PLACE: Final = slice(4, 12)  # of kind, flags, layer and request in a frame's header
_FIELDS: Final = struct.Struct("<BBHI")


class Opcode:
    """The kinds of websocket frames that are met here."""

    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


class Head(NamedTuple):
    """What a frame of bigviz's protocol is, and the request that it answers."""

    kind: int
    request: int


def head_of(payload: bytes) -> Head:
    """The kind and request of a frame. ValueError for what is shorter than its header."""
    if len(payload) < HEADER.size:
        raise ValueError(f"a frame has at least {HEADER.size} bytes, got {len(payload)}")
    kind, _, _, request = _FIELDS.unpack(payload[_PLACE])
    return Head(kind, request)


def frame_of(opcode: int, payload: bytes) -> bytes:
    """A websocket frame as a client sends it."""
    size = len(payload)
    if size < 126:
        start = struct.pack(">BB", _FINAL | opcode, _MASKED | size)
    elif size < 1 << 16:
        start = struct.pack(">BBH", _FINAL | opcode, _MASKED | 126, size)
    else:
        start = struct.pack(">BBQ", _FINAL | opcode, _MASKED | 127, size)
    return start + _NO_MASK + payload


class Reader:
    """Bytes from a server in any pieces, as frames."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """The frames, opcode and payload, that are whole now."""
        rest, found = self._rest, []
        rest += data
        while (place := _payload(rest)) is not None:
            start, end = place
            found.append((rest[0] & 0x0F, bytes(rest[start:end])))
            del rest[:end]
        return found


def _payload(data: bytearray) -> tuple[int, int] | None:
    """Where the payload of the first frame begins and ends; None while the frame is not whole."""
    if len(data) < 2:
        return None
    size, start = data[1] & 0x7F, 2
    if size >= 126:
        start = 4 if size == 126 else 10
        if len(data) < start:
            return None
        size = int.from_bytes(data[2:start], "big")
    return None if len(data) < start + size else (start, start + size)


class Viewer(asyncio.Protocol):
    """One viewer's socket. `status` is the HTTP status of the upgrade (0: none came), `is_open` until either side ends
    it; `heard` gets the head of each frame."""

    def __init__(self, host: str, path: str, heard: Callable[[Head], None]) -> None:
        self.status = 0
        self.is_open = False
        self.greeted: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.heard = heard
        self._request = upgrade(host, path)
        self._reader: Reader | None = None
        self._start = b""

    @property
    def socket(self) -> TransportSocket | None:
        """The socket; None once it is closed."""
        found: TransportSocket | None = self._transport.get_extra_info("socket")
        return found

    def say(self, text: str) -> None:
        """Send a message."""
        self._transport.write(frame_of(Opcode.TEXT, text.encode()))

    def stop_reading(self) -> None:
        """Read nothing more: what comes stays in the kernel."""
        self._transport.pause_reading()

    async def leave(self) -> None:
        """Close the connection as a browser does, and wait until the server has."""
        if self.is_open and self._transport.is_reading():
            self._transport.write(frame_of(Opcode.CLOSE, _NORMAL))
        else:
            self._transport.close()
        await self.gone

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Read the answer to the upgrade, then frames."""
        if self._reader is None:
            self._start += data
            head, end, data = self._start.partition(b"\r\n\r\n")
            if not end:
                return
            found = _STATUS.match(head)
            self.status = int(found[1]) if found else 0
            if self.status != 101:
                self._transport.close()
                return
            self.is_open, self._reader, self._start = True, Reader(), b""
        for opcode, payload in self._reader.feed(data):
            self._take(opcode, payload)

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode == Opcode.PING:
            self._transport.write(frame_of(Opcode.PONG, payload))
        elif opcode == Opcode.CLOSE:
            self.is_open = False
            self._transport.close()
        elif opcode == Opcode.BINARY:
            head = head_of(payload)
            if head.kind == Type.HELLO and not self.greeted.done():
                self.greeted.set_result(True)
            self.heard(head)

    def connection_lost(self, error: Exception | None) -> None:
        """Either side has ended it."""
        self.is_open = False
        if not self.greeted.done():
            self.greeted.set_result(False)
        self.gone.set_result(None)


def upgrade(host: str, path: str) -> bytes:
    """The request with which a websocket begins."""
    key = b64encode(bytes(16)).decode()
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: {host}",
        f"Origin: http://{host}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
    ]
    return "\r\n".join([*lines, "", ""]).encode()
