"""One socket of a page in a cell, as a transport of a viewer: frames leave as custom messages of the widget.

A notebook's channel has no flow control, so the page says how much has come: what it did not take in yet waits here.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

from bigviz.server.access.credentials import Credentials
from bigviz.server.access.principal import Principal
from bigviz.server.site import Site
from bigviz.server.websocket.viewer import Viewer
from bigviz.wire.frames import UNREAD, Bytes

__all__ = ["OPERATOR", "Channel", "ChannelGone", "Send"]

Send = Callable[[dict[str, Any], list[bytes]], None]
"""Sends a custom message to the page; raises ChannelGone if there is nobody to send it to."""

OPERATOR: Final = Principal("", None, True, kind="operator")
"""Whoever looks at a plot in a notebook: they run its kernel."""

_WINDOW: Final = 8 << 20  # bytes on their way
_REPORTED: Final = 1 << 20  # the page says that it has so many more, and nothing of fewer: see static/widget.js
_SELF: Final = Credentials("", local=True)


class ChannelGone(Exception):
    """The page, or the notebook's channel, has ended."""


class Channel:
    """Begins with a viewer of the site's document, and ends with it. Lives on the loop."""

    gone = ChannelGone

    def __init__(self, site: Site, document: str, send: Send, ended: Callable[[], None]) -> None:
        """`ended` is called once, whoever ends it."""
        self._send = send
        self._ended = ended
        self._on_the_way = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._texts: asyncio.Queue[str] = asyncio.Queue()
        self._open = True
        self._viewer = Viewer(site, document, _SELF, OPERATOR, self)
        self._reading = asyncio.ensure_future(self._read())
        self._viewer.open()

    def take(self, text: str) -> None:
        """A message of the page."""
        self._texts.put_nowait(text)

    def took(self, count: int) -> None:
        """The page has so many bytes more."""
        self._on_the_way -= count
        while self._waiting and self._on_the_way < _WINDOW:
            future = self._waiting.popleft()
            if not future.done():
                future.set_result(None)

    def send_frames(self, frames: Sequence[Sequence[Bytes]]) -> asyncio.Future[None]:
        """Send frames; done at once, or when the page has taken in more of what came before."""
        if not self._open:
            raise ChannelGone
        for pieces in frames:
            frame = b"".join(pieces)
            self._send({}, [frame])
            self._on_the_way += len(frame)
        sent = asyncio.get_running_loop().create_future()
        if self._on_the_way < _WINDOW:
            sent.set_result(None)
        else:
            self._waiting.append(sent)
        return sent

    def unread(self) -> int:
        """Bytes that were sent and that the page would have acknowledged if it had them."""
        return max(0, self._on_the_way - _REPORTED)

    def hang_up(self, code: int, reason: str) -> None:
        """Tell the page that the connection ends, and end."""
        if self._open:
            with suppress(ChannelGone):
                self._send({"close": [code, reason]}, [])
            asyncio.get_running_loop().call_soon(self.end)

    def cut_off(self) -> None:
        """The same: this channel has no room that could be full, so the page hears of it once it listens."""
        self.hang_up(UNREAD, "read faster")

    def end(self) -> None:
        """The connection has ended; a second call does nothing."""
        if not self._open:
            return
        self._open = False
        self._reading.cancel()
        for future in self._waiting:
            future.cancel()
        self._viewer.closed()
        self._ended()

    async def _read(self) -> None:
        while True:
            await self._viewer.receive(await self._texts.get())
