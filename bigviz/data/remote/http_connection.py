"""One HTTP/1.1 connection of a client: heads and bodies are read as far as somebody needs them, and no further."""

from __future__ import annotations

import asyncio
import io
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from email.message import Message
from functools import lru_cache
from http.client import HTTPException, parse_headers
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

__all__ = ["IDLE", "Connection", "Head", "Place", "proxy_of"]

_HEAD: Final = 1 << 16
_READ: Final = 1 << 18
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


class Connection:
    """A connection to one place, for one request after the other. Raises OSError, EOFError (closed) or ValueError (no
    HTTP)."""

    def __init__(self, place: Place, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.place = place
        self.used = False
        self._reader = reader
        self._writer = writer
        self._whole = False  # the last body was read to its end, and another request may follow

    @classmethod
    async def to(cls, place: Place) -> Connection:
        """A new one."""
        if place.proxy is None:
            number = place.number or place.host
            secure = {"ssl": _tls(), "server_hostname": place.host} if place.scheme == "https" else {}
            return cls(place, *await asyncio.open_connection(number, place.port, limit=_READ, **secure))  # type: ignore[arg-type]
        proxy = urlsplit(place.proxy)
        through = await asyncio.open_connection(proxy.hostname, proxy.port or 80, limit=_READ)
        found = cls(place, *through)
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
        peer = None if self.place.proxy else self._writer.get_extra_info("peername")
        return None if peer is None else str(peer[0])

    @property
    def is_idle(self) -> bool:
        """Whether another request may be sent."""
        return self._whole and not self._reader.at_eof() and not self._writer.is_closing()

    def close(self) -> None:
        """Close it at once, whatever is under way."""
        self._writer.transport.abort()

    async def get(self, target: str, headers: Mapping[str, str]) -> Head:
        """Ask for `target`, a path with its query. What comes before the answer (103) is passed over."""
        self.used, self._whole = True, False
        if self.place.proxy is not None and self.place.scheme == "http":
            target = f"http://{self.place.name}{target}"
            headers = {**headers, **_for_proxy(urlsplit(self.place.proxy))}
        self._send(f"GET {target} HTTP/1.1", {"Host": self.place.name, **headers})
        while True:
            head = await self._head()
            if not 100 <= head.status < 200:
                return head

    async def body(self, head: Head) -> AsyncIterator[bytes]:
        """The body of an answer, in pieces of at most 256 KiB. Raises EOFError where it is cut."""
        if "chunked" in head.headers.get("Transfer-Encoding", "").lower():
            async for piece in self._chunks():
                yield piece
        elif (length := head.headers.get("Content-Length")) is not None:
            async for piece in self._exactly(_number(length)):
                yield piece
        else:
            while piece := await self._reader.read(_READ):
                yield piece
            return
        self._whole = head.headers.get("Connection", "").lower() != "close"

    async def pass_over(self, head: Head) -> None:
        """Read a short body, of which its server says that it is short, so that another request may follow."""
        if len(length := head.headers.get("Content-Length", "")) in range(1, 5) and _number(length) <= _HEAD:
            async for _ in self.body(head):
                pass

    async def _chunks(self) -> AsyncIterator[bytes]:
        while size := _number((await self._line()).partition(";")[0], 16):
            async for piece in self._exactly(size):
                yield piece
            await self._line()
        for _ in range(100):
            if not await self._line():  # behind the last chunk there may be headers
                return
        raise ValueError("a trailer without an end")

    async def _exactly(self, size: int) -> AsyncIterator[bytes]:
        while size:
            piece = await self._reader.read(min(size, _READ))
            if not piece:
                raise EOFError("the connection was closed within a body")
            size -= len(piece)
            yield piece

    async def _line(self) -> str:
        try:
            return (await self._reader.readuntil(b"\r\n")).decode("latin-1").strip()
        except asyncio.LimitOverrunError as error:
            raise ValueError("a line without an end") from error

    async def _head(self) -> Head:
        try:
            text = await self._reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError as error:
            raise ValueError("a head without an end") from error
        first, _, rest = text.partition(b"\r\n")
        words = first.split(None, 2)
        if len(text) > _HEAD or len(words) < 2 or not words[0].startswith(b"HTTP/1."):
            raise ValueError("what came is no answer in HTTP/1.1")
        try:
            return Head(_number(words[1].decode("latin-1")), parse_headers(io.BytesIO(rest)))
        except HTTPException as error:
            raise ValueError("more headers than one answer has") from error

    def _send(self, first: str, headers: Mapping[str, str]) -> None:
        lines = [first, *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        self._writer.write("\r\n".join(lines).encode("latin-1"))

    async def _through(self, proxy: SplitResult) -> None:
        """Let a proxy connect to the place, and speak TLS with that."""
        whole = self.place.whole
        self._send(f"CONNECT {whole} HTTP/1.1", {"Host": whole, **_for_proxy(proxy)})
        head = await self._head()
        if head.status != 200:
            raise ConnectionRefusedError(f"the proxy answered {head.status}")
        await self._writer.start_tls(_tls(), server_hostname=self.place.host)


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
