"""Requests to one HTTP server for ranges of a file, with what must not be left to servers: ends, and other places.

`obstore` would do it, but reads what comes with an error status into memory, however long it is, and follows redirects
wherever they lead. What goes wrong here is told in its words, which `failures` knows.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final
from urllib.parse import SplitResult, urljoin, urlsplit

from bigviz.common.errors import Unreadable
from bigviz.data.remote import object_store
from bigviz.data.remote.address import Address, shown_source
from bigviz.data.remote.failures import failure_of
from bigviz.data.remote.http_connection import IDLE, Connection, Head, Place
from bigviz.data.remote.object_store import Facts

__all__ = ["WebServer"]

_RANGE: Final = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
_GLOBAL: Final = ipaddress.ip_network("2000::/3")  # of IPv6: all else is a network's own, or stands for IPv4
_REDIRECTS: Final = 5
_PIECE: Final = 1 << 18
_AGAIN: Final = frozenset({408, 429})  # and 5xx


class _Passing(Exception):
    """What may not happen the next time."""


class WebError(OSError):
    """What a request raises."""


class WebServer:
    """The server of one address."""

    errors: tuple[type[Exception], ...] = (WebError,)

    def __init__(self, address: Address) -> None:
        self._address = address

    def words(self, address: Address, error: Exception) -> Exception:
        """What requests raise as an error of bigviz; all others as they are."""
        return failure_of(error, address) if isinstance(error, self.errors) else error

    async def part(self, key: str, start: int, stop: int, etag: str | None) -> tuple[bytes, Facts]:
        """As `Store.part`. What may pass is asked for again, from where a body was cut."""
        patience = object_store.PATIENCE
        began, wait, tries = time.monotonic(), patience.wait, 0
        asked = _Asked(start, stop, etag)
        while True:
            try:
                async with asyncio.timeout(patience.request):
                    return await self._once(asked)
            except (_Passing, TimeoutError) as error:
                what = "timed out" if isinstance(error, TimeoutError) else str(error)
                if tries == patience.retries or time.monotonic() - began > patience.total:
                    raise WebError(f"{what}, after {tries} retries") from None
            tries += 1
            await asyncio.sleep(wait)
            wait = min(2 * wait, patience.most_wait)

    async def _once(self, asked: _Asked) -> tuple[bytes, Facts]:
        parts, number = urlsplit(self._address.root), None
        for _ in range(_REDIRECTS + 1):
            connection = None
            try:
                connection, head = await self._asked(parts, number, asked.headers(self._secrets(parts)))
                if head.status not in (301, 302, 303, 307, 308):
                    return await asked.read(connection, head)
                number = connection.number  # its name may be another one's by the next request
                async with asyncio.timeout(object_store.PATIENCE.silence):
                    await connection.pass_over(head)
            except (EOFError, ValueError, OSError) as error:
                raise _failed(error, connection is not None) from None
            finally:
                if connection is not None:
                    IDLE.put(connection)
            parts, number = await self._elsewhere(parts, head, number)
        raise WebError("too many redirects")

    async def _asked(
        self, parts: SplitResult, number: str | None, headers: Mapping[str, str]
    ) -> tuple[Connection, Head]:
        """A connection, and the head of what came over it."""
        patience, place = object_store.PATIENCE, Place.of(parts, number)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        while True:
            connection = IDLE.take(place)
            if connection is None:
                async with asyncio.timeout(patience.connect):
                    connection = await Connection.to(place)
            again = connection.used
            try:
                async with asyncio.timeout(patience.silence):
                    return connection, await connection.get(target, headers)
            except BaseException as error:
                connection.close()
                if not again or not isinstance(error, EOFError | ConnectionError):
                    raise  # else it was closed while nobody used it

    def _secrets(self, parts: SplitResult) -> dict[str, str]:
        """User and password, for the server that they were given for."""
        own = urlsplit(self._address.root)
        if self._address.authorization is None or not _is_same(own, parts):
            return {}
        return {"Authorization": self._address.authorization}

    async def _elsewhere(
        self, parts: SplitResult, head: Head, number: str | None = None
    ) -> tuple[SplitResult, str | None]:
        """Where a redirect leads: on the same server anywhere, else to a public address only, whose number is kept, so
        that it is the same one that is connected to. `number` is that of the server which leads on, if it was kept."""
        try:
            target = urlsplit(urljoin(parts.geturl(), head.headers.get("Location", "")))
            host = target.hostname or ""
            fine = target.scheme in ("http", "https") and bool(host) and target.geturl().isascii()
            Place.of(target)
        except (ValueError, KeyError):
            fine = False
        if not fine or re.search(r"[\s\x00-\x1f]", target.geturl()) or target.username is not None:
            raise WebError("a redirect without a usable Location")
        if _is_same(parts, target):
            return target, number
        shown = shown_source(target.geturl())
        refused = Unreadable(
            f"{self._address.shown} leads on to {shown}, which is no public address or less secure. bigviz does not "
            "follow there: name that address itself, if you trust it.",
            field="source",
            got=self._address.shown,
        )
        if target.scheme == "http" and parts.scheme == "https":
            raise refused
        found = await _public_number(target)
        if found is None:
            raise refused
        return target, found


class _Asked:
    """A range that is asked for, and what of it came so far."""

    def __init__(self, start: int, stop: int, etag: str | None) -> None:
        self._start, self._stop, self._etag = start, stop, etag
        self._data = bytearray()
        self._facts: Facts | None = None

    def headers(self, secrets: Mapping[str, str]) -> dict[str, str]:
        """Those of the next request."""
        first = self._start + len(self._data)
        headers = {"Range": f"bytes={first}-{self._stop - 1}", "Accept": "*/*", "Accept-Encoding": "identity"}
        known = self._facts.etag if self._facts else None
        etag = self._etag or (known if known and not known.startswith("W/") else None)
        return {**headers, **secrets, **({"If-Match": etag} if etag else {})}

    async def read(self, connection: Connection, head: Head) -> tuple[bytes, Facts]:
        """What the answer has, behind what came before. Raises `WebError`, `_Passing` or what connections do."""
        facts = self._checked(head)
        if self._facts is not None and facts != self._facts:
            raise WebError("status code: 412 Precondition Failed")  # else it would be put together of two
        self._facts = facts
        body, most = connection.body(head), self._stop - self._start
        while len(self._data) <= most:
            enough = min(len(self._data) + _PIECE, most + 1)
            async with asyncio.timeout(object_store.PATIENCE.piece):
                while len(self._data) < enough:
                    async with asyncio.timeout(object_store.PATIENCE.silence):
                        piece = await anext(body, None)
                    if piece is None:
                        return bytes(self._data), facts
                    self._data += piece
        return bytes(self._data), facts

    def _checked(self, head: Head) -> Facts:
        """What the head says of the object, if it is that of the range."""
        status = head.status
        if status == 200:
            raise WebError("RangeNotSupported")
        if status != 206:
            phrase = next((each.phrase for each in HTTPStatus if each == status), "")
            error = WebError if status < 500 and status not in _AGAIN else _Passing
            raise error(f"status code: {status} {phrase}")
        found = _RANGE.fullmatch(head.headers.get("Content-Range", "").strip())
        if found is None:
            raise WebError("no usable Content-Range")
        first, last, size = map(int, found.groups())
        begin, end = self._start + len(self._data), min(self._stop, size)
        if (first, last + 1) != (begin, end):
            raise WebError(f"Requested {begin}..{end}, got {first}..{last + 1}")
        try:
            modified = int(parsedate_to_datetime(head.headers.get("Last-Modified", "")).timestamp())
        except (ValueError, OverflowError):
            modified = 0
        etag = head.headers.get("ETag", "")  # which is sent with the next request
        return Facts("", size, etag if etag and etag.isprintable() else None, modified * 10**9)


def _failed(error: Exception, connected: bool) -> Exception:
    """What became of a connection, in words that are known."""
    if isinstance(error, WebError | TimeoutError):
        return error
    if isinstance(error, ssl.SSLCertVerificationError):
        return WebError(f"certificate: {error.verify_message}")
    if isinstance(error, socket.gaierror):
        return _Passing("dns error")
    if isinstance(error, ValueError):
        return WebError("what came is no HTTP body")
    return _Passing("the body was cut" if connected else "kind: Connect")


def _is_same(one: SplitResult, other: SplitResult) -> bool:
    """Whether two addresses are of one server, or of its secure side."""
    here, there = Place.of(one), Place.of(other)
    secured = (here.scheme, there.scheme) == ("http", "https") and (here.port, there.port) == (80, 443)
    return here.host == there.host and ((here.scheme, here.port) == (there.scheme, there.port) or secured)


async def _public_number(target: SplitResult) -> str | None:
    """The number of a host all of whose numbers are public; through a proxy, which asks for it itself, its name."""
    place = Place.of(target)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    except OSError:
        return place.host if place.proxy is not None and not re.fullmatch(r"[\d.:]+", place.host) else None
    numbers = [str(each[4][0]).partition("%")[0] for each in found]
    public = bool(numbers) and all(_is_public(ipaddress.ip_address(each)) for each in numbers)
    return numbers[0] if public else None


def _is_public(number: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    mapped = getattr(number, "ipv4_mapped", None) or getattr(number, "sixtofour", None)
    if number in _NAT64:
        return _is_public(ipaddress.IPv4Address(int(number) & 0xFFFFFFFF))
    if number.version == 6 and mapped is None and number not in _GLOBAL:
        return False
    return number.is_global and not number.is_multicast and (mapped is None or _is_public(mapped))
