"""Requests over HTTP that end whatever a server does: in time, in bytes, and in how often they are sent.

What goes wrong is told in the words of `obstore`, which `failures` knows.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final, TypeVar
from urllib.parse import SplitResult

from bigviz.data.remote import settings
from bigviz.data.remote.facts import Facts
from bigviz.data.remote.http_connection import IDLE, Body, Connection, Head, Place

__all__ = ["AskedRange", "WebError", "answer", "is_redirect", "patiently", "refusal", "whole_body"]

T = TypeVar("T")

_RANGE: Final = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")
_PIECE: Final = 1 << 18
_ROOM: Final = (1 << 22) + 1  # one more than most ranges have, which shows that more came
_AGAIN: Final = frozenset({408, 429})  # and 5xx


class Passing(Exception):
    """A failure that may pass: the request is sent again."""


class WebError(OSError):
    """What a request raises."""


async def patiently(once: Callable[[], Awaitable[T]]) -> T:
    """What a request gives. What may pass is asked for again, as often and as long as `PATIENCE` says."""
    limits = settings.PATIENCE
    began, wait, tries = time.monotonic(), limits.wait, 0
    while True:
        try:
            async with asyncio.timeout(limits.request):
                return await once()
        except (Passing, TimeoutError) as error:
            what = "timed out" if isinstance(error, TimeoutError) else str(error)
            if tries == limits.retries or time.monotonic() - began > limits.total:
                raise WebError(f"{what}, after {tries} retries") from None
        tries += 1
        await asyncio.sleep(wait)
        wait = min(2 * wait, limits.most_wait)


@asynccontextmanager
async def answer(
    parts: SplitResult, headers: Mapping[str, str], number: str | None = None
) -> AsyncIterator[tuple[Connection, Head]]:
    """A connection, and the head of what came over it for an address; its body is read within the block. `number` is
    that of the host, if it is known. Raises `WebError`, `Passing` or TimeoutError."""
    connection = None
    try:
        connection, head = await _asked(parts, headers, number)
        yield connection, head
    except (EOFError, ValueError, OSError) as error:
        raise _failed(error, connection is not None) from None
    finally:
        if connection is not None:
            IDLE.put(connection)


async def whole_body(connection: Connection, head: Head, most: int) -> bytes:
    """The body of an answer of at most `most` bytes. Raises `WebError` for a longer one."""
    data, room, body = bytearray(), memoryview(bytearray(_PIECE)), _Steady(connection.body(head))
    while count := await body.some(room):
        data += room[:count]
        if len(data) > most:
            raise WebError("more came than a list has")
    return bytes(data)


def is_redirect(head: Head) -> bool:
    """Whether a server leads on."""
    return head.status in (301, 302, 303, 307, 308)


def refusal(head: Head) -> Exception:
    """What an answer means that has not what was asked for."""
    status = head.status
    phrase = next((each.phrase for each in HTTPStatus if each == status), "")
    error = WebError if status < 500 and status not in _AGAIN else Passing
    return error(f"status code: {status} {phrase}")


class AskedRange:
    """A range that is asked for, and what of it came so far."""

    def __init__(self, start: int, stop: int, etag: str | None) -> None:
        self._start, self._stop, self._etag = start, stop, etag
        self._full: list[bytearray] = []
        self._room = bytearray()  # the last piece of what came, filled up to `_filled`
        self._filled = 0
        self._facts: Facts | None = None

    def headers(self) -> dict[str, str]:
        """Those of the next request."""
        first = self._start + self._had
        headers = {"Range": f"bytes={first}-{self._stop - 1}", "Accept": "*/*", "Accept-Encoding": "identity"}
        known = self._facts.etag if self._facts else None
        etag = self._etag or (known if known and not known.startswith("W/") else None)
        return {**headers, **({"If-Match": etag} if etag else {})}

    async def read(self, connection: Connection, head: Head) -> tuple[bytes, Facts]:
        """What came before, and what this answer has. Raises `WebError`, `Passing` or what connections do."""
        facts = self._checked(head)
        if self._facts is not None and facts != self._facts:
            raise WebError("status code: 412 Precondition Failed")  # else it would be put together of two
        self._facts = facts
        body, most = _Steady(connection.body(head)), self._stop - self._start
        while self._had <= most:
            if self._filled == len(self._room):
                self._full += [self._room]
                self._room, self._filled = bytearray(min(_ROOM, most + 1 - self._had)), 0
            count = await body.some(memoryview(self._room)[self._filled :])
            if not count:
                break
            self._filled += count
        return b"".join((*self._full, memoryview(self._room)[: self._filled])), facts

    @property
    def _had(self) -> int:
        return sum(map(len, self._full)) + self._filled

    def _checked(self, head: Head) -> Facts:
        """What the head says of the object, if it is that of the range."""
        if head.status == 200:
            raise WebError("RangeNotSupported")
        if head.status != 206:
            raise refusal(head)
        found = _RANGE.fullmatch(head.headers.get("Content-Range", "").strip())
        if found is None:
            raise WebError("no usable Content-Range")
        first, last, size = map(int, found.groups())
        begin, end = self._start + self._had, min(self._stop, size)
        if (first, last + 1) != (begin, end):
            raise WebError(f"Requested {begin}..{end}, got {first}..{last + 1}")
        try:
            modified = int(parsedate_to_datetime(head.headers.get("Last-Modified", "")).timestamp())
        except (ValueError, OverflowError):
            modified = 0
        etag = head.headers.get("ETag", "")  # which is sent with the next request
        return Facts("", size, etag if etag and etag.isprintable() else None, modified * 10**9)


class _Steady:
    """A body that may not be silent, nor come byte by byte."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self._since = time.monotonic()
        self._count = 0  # that came since then

    async def some(self, view: memoryview) -> int:
        """As of the body. Raises TimeoutError where it is silent or trickles."""
        limits = settings.PATIENCE
        async with asyncio.timeout(limits.silence):
            count = await self._body.some(view)
        self._count += count
        now = time.monotonic()
        if self._count >= _PIECE:
            self._since, self._count = now, 0
        elif now - self._since > limits.piece:
            raise TimeoutError
        return count


async def _asked(parts: SplitResult, headers: Mapping[str, str], number: str | None) -> tuple[Connection, Head]:
    """A connection, and the head of what came over it."""
    limits, place = settings.PATIENCE, Place.of(parts, number)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    while True:
        connection = IDLE.take(place)
        if connection is None:
            try:
                async with asyncio.timeout(limits.connect):
                    connection = await Connection.to(place)
            except TimeoutError:
                raise ConnectionError from None
        again = connection.used
        try:
            async with asyncio.timeout(limits.silence):
                return connection, await connection.get(target, headers)
        except BaseException as error:
            connection.close()
            if not again or not isinstance(error, EOFError | ConnectionError):
                raise  # else it was closed while nobody used it


def _failed(error: Exception, connected: bool) -> Exception:
    """What became of a connection, in words that are known."""
    if isinstance(error, WebError | TimeoutError):
        return error
    if isinstance(error, ssl.SSLCertVerificationError):
        return WebError(f"certificate: {error.verify_message}")
    if isinstance(error, socket.gaierror):
        return Passing("dns error")
    if isinstance(error, ValueError):
        return WebError("what came is no HTTP body")
    return Passing("the body was cut" if connected else "kind: Connect")
