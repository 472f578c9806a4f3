"""One HTTP/1.1 connection of a client: heads and bodies are read as far as somebody needs them, and no further."""

from __future__ import annotations

import asyncio
import io
import ssl
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from functools import lru_cache
from http.client import HTTPException, parse_headers
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

__all__ = ["IDLE", "Body", "Connection", "Head", "Incoming", "Place", "proxy_of"]

_HEAD: Final = 1 << 16
_KEPT: Final = 64
_DEFAULT: Final = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Place:
    """Where a connection leads: scheme, host and port; through a proxy, if there is one; or to a known number of the
    host."""

    scheme: str
    host: str
    port: int
    proxy: str | None = None
    number: str | None = None

    @classmethod
    def of(cls, parts: SplitResult, number: str | None = None) -> Place:
        """The place of an address."""
        host = parts.hostname or ""
        return cls(parts.scheme, host, parts.port or _DEFAULT[parts.scheme], proxy_of(parts.scheme, host), number)

    @property
    def name(self) -> str:
        """As `Host` has it."""
        return self.whole.removesuffix(f":{_DEFAULT[self.scheme]}")

    @property
    def whole(self) -> str:
        """As CONNECT has it: always with the port."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Head:
    """Status and headers of an answer."""

    status: int
    headers: Message


class Incoming(asyncio.BufferedProtocol):
    """What comes over a connection: straight to where a body is read to, and else into a buffer of the size of a head,
    beyond which nothing is taken in. Raises EOFError where it ends, and OSError where it breaks."""

    def __init__(self) -> None:
        self._kept = bytearray(_HEAD)
        self._begin = self._end = 0
        self._into: memoryview | None = None  # where a body is read to
        self._count = 0
        self._waiter: asyncio.Future[None] | None = None
        self._transport: asyncio.Transport | None = None
        self._over = False
        self._error: Exception | None = None

    @property
    def at_end(self) -> bool:
        """Whether nothing more comes."""
        return self._over

    @property
    def has_more(self) -> bool:
        """Whether something came that nobody has read."""
        return self._begin != self._end

    async def some(self, view: memoryview) -> int:
        """Read at least one byte into `view`, which has room; 0 at the end."""
        kept = min(self._end - self._begin, len(view))
        if kept:
            view[:kept] = memoryview(self._kept)[self._begin : self._begin + kept]
            self._begin += kept
            return kept
        self._into, self._count = view, 0
        try:
            while not self._count and not self._over:
                await self._wait()
            if not self._count and self._error is not None:
                raise self._error
            return self._count
        finally:
            self._into = None

    async def until(self, mark: bytes) -> bytes:
        """All to a mark, and the mark. Raises ValueError where 64 KiB come without it."""
        seen = self._begin
        while (at := self._kept.find(mark, max(self._begin, seen - len(mark) + 1), self._end)) < 0:
            if self._over:
                raise self._error or EOFError("the connection was closed within a line")
            seen = self._end - self._begin
            self._make_room()
            if self._end == len(self._kept):
                raise ValueError("a line or a head without an end")
            await self._wait()
        start, self._begin = self._begin, at + len(mark)
        return bytes(self._kept[start : self._begin])

    async def _wait(self) -> None:
        """Until something came, or the end."""
        self._waiter = asyncio.get_running_loop().create_future()
        if self._transport is not None:
            self._transport.resume_reading()
        try:
            await self._waiter
        finally:
            self._waiter = None
        if self._error is not None:
            raise self._error

    def _make_room(self) -> None:
        kept = self._kept[self._begin : self._end]
        self._kept[: len(kept)] = kept
        self._begin, self._end = 0, len(kept)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """As asyncio calls it; again where TLS begins."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where the next bytes go."""
        if self._into is not None and not self._count:
            return self._into
        if self._begin == self._end:
            self._begin = self._end = 0
        elif self._end == len(self._kept):
            self._make_room()
        return memoryview(self._kept)[self._end :]

    def buffer_updated(self, nbytes: int) -> None:
        """So many came."""
        if self._into is not None and not self._count:
            self._count = nbytes
        else:
            self._end += nbytes
            if self._end - self._begin == len(self._kept) and self._transport is not None:
                self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        """Nothing more comes."""
        self._over = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is closed, or broke."""
        self._over, self._error = True, exc
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Body:
    """The body of an answer, which is read as far as somebody needs it."""

    def __init__(self, incoming: Incoming, head: Head) -> None:
        """Raises ValueError where its length is no number."""
        self._incoming = incoming
        self._chunked = "chunked" in head.headers.get("Transfer-Encoding", "").lower()
        length = head.headers.get("Content-Length")
        self._left = 0 if self._chunked else None if length is None else _number(length)
        self._first = True
        self.is_whole = False
        """It was read to its end, and says itself where that is."""

    async def some(self, view: memoryview) -> int:
        """Read at least one byte into `view`, which has room; 0 at the end. Raises EOFError where it is cut."""
        if self._left is None:
            return await self._incoming.some(view)
        if self._left == 0 and self._chunked and not self.is_whole:
            await self._next_chunk()
        if self._left == 0:
            self.is_whole = True
            return 0
        count = await self._incoming.some(view[: self._left])
        if not count:
            raise EOFError("the connection was closed within a body")
        self._left -= count
        return count

    async def _next_chunk(self) -> None:
        if not self._first:
            await self._line()
        self._first = False
        self._left = _number((await self._line()).partition(";")[0], 16)
        if self._left:
            return
        for _ in range(100):
            if not await self._line():  # after the last chunk there may be headers
                self.is_whole = True
                return
        raise ValueError("a trailer without an end")

    async def _line(self) -> str:
        return (await self._incoming.until(b"\r\n")).decode("latin-1").strip()


class Connection:
    """A connection to one place, for one request after the other. Raises OSError, EOFError (closed) or ValueError (no
    HTTP)."""

    def __init__(self, place: Place, incoming: Incoming, transport: asyncio.Transport) -> None:
        self.place = place
        self.used = False
        self._incoming = incoming
        self._transport = transport
        self._last = False  # its server closes it after the last answer
        self._body: Body | None = None  # the last one: when it is read to its end another request may follow

    @classmethod
    async def to(cls, place: Place) -> Connection:
        """A new one."""
        loop, incoming = asyncio.get_running_loop(), Incoming()
        if place.proxy is None:
            tls, name = (_tls(), place.host) if place.scheme == "https" else (None, None)
            transport, _ = await loop.create_connection(
                lambda: incoming, place.number or place.host, place.port, ssl=tls, server_hostname=name
            )
            return cls(place, incoming, transport)
        proxy = urlsplit(place.proxy)
        transport, _ = await loop.create_connection(lambda: incoming, proxy.hostname or "", proxy.port or 80)
        found = cls(place, incoming, transport)
        try:
            if place.scheme == "https":
                await found._through(proxy)
        except BaseException:
            found.close()
            raise
        return found

    @property
    def number(self) -> str | None:
        """The number of the host that it leads to; None through a proxy."""
        peer = None if self.place.proxy else self._transport.get_extra_info("peername")
        return None if peer is None else str(peer[0])

    @property
    def is_idle(self) -> bool:
        """Whether another request may be sent: not where something came behind the last answer, which would be taken
        for the next one."""
        whole = self._body is not None and self._body.is_whole and not self._last
        rest = self._incoming.at_end or self._incoming.has_more
        return whole and not rest and not self._transport.is_closing()

    def close(self) -> None:
        """Close it at once, whatever is under way."""
        self._transport.abort()

    async def get(self, target: str, headers: Mapping[str, str]) -> Head:
        """Ask for `target`, a path with its query. What comes before the answer (103) is passed over."""
        self.used, self._body = True, None
        if self.place.proxy is not None and self.place.scheme == "http":
            target = f"http://{self.place.name}{target}"
            headers = {**headers, **_for_proxy(urlsplit(self.place.proxy))}
        self._send(f"GET {target} HTTP/1.1", {"Host": self.place.name, **headers})
        while True:
            head = await self._head()
            if not 100 <= head.status < 200:
                return head

    def body(self, head: Head) -> Body:
        """The body of an answer. Raises ValueError where its length is no number."""
        self._last = head.headers.get("Connection", "").lower() == "close"
        self._body = Body(self._incoming, head)
        return self._body

    async def pass_over(self, head: Head) -> None:
        """Read a short body, of which its server says that it is short, so that another request may follow."""
        if len(length := head.headers.get("Content-Length", "")) in range(1, 5) and _number(length) <= _HEAD:
            body, room = self.body(head), memoryview(bytearray(_HEAD))
            while await body.some(room):
                pass

    async def _head(self) -> Head:
        text = await self._incoming.until(b"\r\n\r\n")
        first, _, rest = text.partition(b"\r\n")
        words = first.split(None, 2)
        if len(words) < 2 or not words[0].startswith(b"HTTP/1."):
            raise ValueError("what came is no answer in HTTP/1.1")
        try:
            return Head(_number(words[1].decode("latin-1")), parse_headers(io.BytesIO(rest)))
        except HTTPException as error:
            raise ValueError("more headers than one answer has") from error

    def _send(self, first: str, headers: Mapping[str, str]) -> None:
        lines = [first, *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        self._transport.write("\r\n".join(lines).encode("latin-1"))

    async def _through(self, proxy: SplitResult) -> None:
        """Let a proxy connect to the place, and speak TLS with that."""
        whole = self.place.whole
        self._send(f"CONNECT {whole} HTTP/1.1", {"Host": whole, **_for_proxy(proxy)})
        head = await self._head()
        if head.status != 200:
            raise ConnectionRefusedError(f"the proxy answered {head.status}")
        loop, host = asyncio.get_running_loop(), self.place.host
        found = await loop.start_tls(self._transport, self._incoming, _tls(), server_hostname=host)
        if found is None:
            raise ConnectionResetError("closed while TLS began")
        self._transport = found
        self._incoming.connection_made(found)


class IdleConnections:
    """Connections over which another request may be sent, of one loop: the last ones to be used, to any place."""

    def __init__(self) -> None:
        self._kept: list[Connection] = []

    def take(self, place: Place) -> Connection | None:
        """One to a place, for the caller alone."""
        for connection in self._kept[::-1]:
            if connection.place == place:
                self._kept.remove(connection)
                if connection.is_idle:
                    return connection
                connection.close()
        return None

    def put(self, connection: Connection) -> None:
        """Keep it if it is of use, else close it."""
        if not connection.is_idle:
            connection.close()
            return
        self._kept.append(connection)
        if len(self._kept) > _KEPT:
            self._kept.pop(0).close()

    def forget(self) -> None:
        """They are a parent's, which goes on with them: to close them here would take them from its loop."""
        self._of_parent, self._kept = self._kept, []

    def clear(self) -> None:
        """Close all of them."""
        while self._kept:
            self._kept.pop().close()


IDLE: Final = IdleConnections()


def proxy_of(scheme: str, host: str) -> str | None:
    """The address of the proxy that the environment names for a host, which is one of http:// without a scheme too."""
    found = getproxies().get(scheme, "")
    found = found if not found or "://" in found else f"http://{found}"
    return found if found.startswith("http://") and not proxy_bypass(host) else None


def _for_proxy(proxy: SplitResult) -> dict[str, str]:
    if proxy.username is None:
        return {}
    pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": "Basic " + b64encode(pair.encode()).decode()}


def _number(text: str, base: int = 10) -> int:
    """A number without sign, spaces and underscores. Raises ValueError."""
    text = text.strip()
    if not text.isascii() or not text.isalnum():
        raise ValueError("a number is expected in an answer")
    return int(text, base)


@lru_cache(1)
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()
