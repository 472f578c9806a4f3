"""Bodies of requests, read piece by piece and bounded; what is too long is refused before it is read."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

from tornado.web import stream_request_body

from bigviz.common.errors import BigvizError, TooLarge
from bigviz.server.http.base import Handler
from bigviz.server.limits import Limits

__all__ = ["BodyHandler", "too_slow"]

_DROPPED: Final = 64 << 20
"""Bytes beyond the limit that are read and dropped before the connection is cut: most clients send all of a body before
they read the answer."""
_DIGITS: Final = 40  # of a length; Tornado refuses longer ones than it can count


@stream_request_body
class BodyHandler(Handler):
    """A route that takes a body. `received` gets its pieces; here they are collected in `body`."""

    def initialize(self, site: Any) -> None:
        super().initialize(site)
        self.body = bytearray()
        self._length = 0
        self._refused = False
        self._stalled: asyncio.TimerHandle | None = None
        self._waiting_since = 0.0
        self._waited = 0.0  # seconds, for the client; what the server does with a piece does not count

    @property
    def most_bytes(self) -> int:
        """The largest body that the route takes."""
        return self.site.limits.body_bytes

    @property
    def declared(self) -> int | None:
        """The bytes that a body is said to have; None where that is not said, or not as one number: then Tornado
        refuses the body, or reads one that several equal numbers tell the length of."""
        text = self.request.headers.get("Content-Length", "").strip()
        return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else None

    async def prepare(self) -> None:
        """Refuse a body that says it is too long, and let others in."""
        checked: Any = super().prepare()
        if checked is not None:
            await checked
        if self._finished:
            return
        if (self.declared or 0) > self.most_bytes:
            self.refuse(self._too_large(self.declared or 0))
            return
        try:
            await self.begin()
        except BigvizError as error:
            self.refuse(error)
            return
        connection: Any = self.request.connection
        connection.set_max_body_size(self.most_bytes + _DROPPED)
        connection.set_body_timeout(self.site.limits.upload_seconds)
        self._await_more()

    async def begin(self) -> None:
        """Called before the body comes. What it raises refuses the request."""

    async def data_received(self, chunk: bytes) -> None:
        """One piece of the body."""
        self._end_waiting()
        if self._finished:
            return
        self._length += len(chunk)
        self._waited += asyncio.get_running_loop().time() - self._waiting_since
        if too_slow(self._length, self._waited, self.site.limits):
            self.request.connection.stream.close()  # type: ignore[union-attr]
            return
        if self._length > self.most_bytes:
            self.refuse(self._too_large(self._length))
            return
        try:
            await self.received(chunk)
        except BigvizError as error:
            self.refuse(error)
        else:
            self._await_more()

    async def received(self, chunk: bytes) -> None:
        """Take a piece; nothing more is read of the socket until this returns."""
        self.body += chunk

    async def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Do what the route does, now that the whole body has come."""
        self._end_waiting()
        await super().run(work)

    def refuse(self, error: BigvizError) -> None:
        """Answer with an error before the body has come; the connection ends with the answer."""
        self._end_waiting()
        if not self._finished:
            self._refused = True
            self.fail(error)

    def restart(self, status: int) -> None:
        super().restart(status)
        if self._refused:
            self.set_header("Connection", "close")

    def on_finish(self) -> None:
        super().on_finish()
        self._end_waiting()

    def on_connection_close(self) -> None:
        self._end_waiting()
        super().on_connection_close()

    def _await_more(self) -> None:
        """Cut off a client that sends nothing for as long as it may take for its headers."""
        self._end_waiting()
        stream, loop = self.request.connection.stream, asyncio.get_running_loop()  # type: ignore[union-attr]
        self._waiting_since = loop.time()
        self._stalled = loop.call_later(self.site.limits.body_seconds, stream.close)

    def _end_waiting(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _too_large(self, size: int) -> TooLarge:
        return TooLarge(f"A body has at most {self.most_bytes:,} bytes here, got {size:,}.", "body", size)


def too_slow(received: int, waited: float, limits: Limits) -> bool:
    """Whether a client that was waited for that many seconds has sent so few bytes that it only holds the connection:
    beyond `body_seconds`, fewer than `slowest_bytes` a second."""
    return received < (waited - limits.body_seconds) * limits.slowest_bytes
