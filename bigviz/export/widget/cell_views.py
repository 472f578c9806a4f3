"""All places where one plot is shown in a notebook: what their pages say is sorted here, and answered.

A place has a page, which connects as often as it likes. Places of which nothing is heard for some minutes have gone
without a word, as when their browser was closed; a page that is there after all connects again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from bigviz.common.errors import BigvizError
from bigviz.document.spec import Document
from bigviz.export.widget.cell_selection import CellSelections
from bigviz.export.widget.channel import Channel, ChannelGone, Send
from bigviz.export.widget.shown_rows import row_json_at
from bigviz.server.error_json import describe, dump, status_of
from bigviz.server.site import Site

__all__ = ["CellViews"]

_log = logging.getLogger("bigviz")

_SECONDS_UNHEARD: Final = 300.0  # the page is heard each minute


@dataclass
class _Place:
    """A page, and its open connections by number."""

    heard: float
    channels: dict[int, Channel] = field(default_factory=dict)

    def ended(self, socket: int) -> None:
        """One of the connections has ended."""
        self.channels.pop(socket, None)


class CellViews:
    """The viewers of one document. Lives on the loop; `send` sends to all pages, which know their own messages."""

    def __init__(
        self, document: Document, site: Site, send: Send, page: Callable[[], bytes], ended: Callable[[], None]
    ) -> None:
        """`ended` is called once, when the last connection has ended for good."""
        self._document = document
        self.site = site
        self._send = send
        self.selections = CellSelections(site, document)
        self._page = page
        self._ended = ended
        self._places: dict[str, _Place] = {}
        self._answering: set[asyncio.Task[None]] = set()
        self._looking: asyncio.Task[None] | None = None
        self._closed = False

    def take(self, content: Mapping[str, Any]) -> None:
        """A message of a page. What is no message of ours is logged, and answered by nothing."""
        if self._closed:
            return
        try:
            self._take(content)
        except ChannelGone:
            self.close()
        except (KeyError, TypeError, ValueError):
            _log.warning("A message of a plot in a notebook could not be read.", exc_info=True)

    def close(self) -> None:
        """End all connections, for good. Pages know it from the end of the widget's channel."""
        if self._closed:
            return
        self._closed = True
        for task in [*self._answering, *([] if self._looking is None else [self._looking])]:
            task.cancel()
        for view in list(self._places):
            self._forget(view)
        asyncio.get_running_loop().call_soon(self._ended)

    @property
    def count(self) -> int:
        """How many connections are open."""
        return len(self.site.viewers)

    def _take(self, content: Mapping[str, Any]) -> None:
        view = str(content["view"])
        if content.get("gone"):
            self._forget(view)
            return
        loop = asyncio.get_running_loop()
        place = self._places.setdefault(view, _Place(loop.time()))
        place.heard = loop.time()
        if self._looking is None:
            self._looking = asyncio.ensure_future(self._look())
        if content.get("page"):
            self._send({"view": view, "page": True}, [self._page()])
        elif "get" in content:
            body = content.get("body")
            text = None if body is None else str(body)
            task = asyncio.ensure_future(self._answer(view, int(content["get"]), str(content["address"]), text))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)
        elif "socket" in content:
            self._hear(view, place, int(content["socket"]), content)

    def _hear(self, view: str, place: _Place, socket: int, content: Mapping[str, Any]) -> None:
        about = {"view": view, "socket": socket}
        channel = place.channels.get(socket)
        if content.get("open") and channel is None:
            send = partial(self._send_of, about)
            place.channels[socket] = Channel(self.site, self._document.id, send, partial(place.ended, socket))
        elif channel is None:
            return
        elif "text" in content:
            channel.take(str(content["text"]))
        elif "took" in content:
            channel.took(int(content["took"]))
        elif content.get("close"):
            channel.end()

    async def _answer(self, view: str, number: int, address: str, sent: str | None) -> None:
        """Answer what a page of a server would fetch over HTTP: all values of one row, and selections."""
        try:
            body = await self.selections.answer(address, sent)
            if body is None:
                body = await row_json_at(self.site, self._document, address)
            status = 200
        except BigvizError as error:
            status, body = status_of(error), dump(describe(error))
        except Exception:  # else the page would wait for ever
            _log.exception("What a plot in a notebook asked for could not be answered.")
            status, body = 500, dump({"error": "The plot's server failed; the log of the kernel says why."})
        with suppress(ChannelGone):
            self._send({"view": view, "got": number, "status": status}, [body])

    def _send_of(self, about: dict[str, Any], content: dict[str, Any], buffers: list[bytes]) -> None:
        self._send({**about, **content}, buffers)

    def _forget(self, view: str) -> None:
        place = self._places.pop(view, None)
        for channel in [] if place is None else list(place.channels.values()):
            channel.end()

    async def _look(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_SECONDS_UNHEARD / 5)
            for view, place in list(self._places.items()):
                if loop.time() - place.heard > _SECONDS_UNHEARD:
                    self._forget(view)
