"""The HTTP server of one of several processes behind a port."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import Counter
from typing import Any, Final

from tornado.iostream import IOStream
from tornado.web import Application

from bigviz.server.limits import Limits
from bigviz.server.processes.accepting import Accepting
from bigviz.server.processes.front_end import FrontEnd
from bigviz.server.run.listener import Listener, peer_of
from bigviz.server.site import Site

__all__ = ["SharedListener"]

_SECONDS_BETWEEN_COUNTS: Final = 0.1


class SharedListener(Listener):
    """Its limits on connections are those of all processes together. A connection that another one has closed counts
    for up to a tenth of a second more."""

    def initialize(  # type: ignore[override]
        self,
        app: Application,
        site: Site,
        limits: Limits,
        tls: ssl.SSLContext | None,
        front_end: FrontEnd,
    ) -> None:
        super().initialize(app, site, limits, tls)
        self._front_end = front_end
        self._counted: set[int] = set()

    def add_sockets(self, sockets: Any) -> None:
        """Take connections from these, in turn with the other processes."""
        for each in sockets:
            accepting = Accepting(each, self._front_end, self._taken)
            self._sockets[each.fileno()] = each
            self._handlers[each.fileno()] = accepting.stop
        self._front_end.counts.accepts(self._front_end.number)

    async def keep_counting(self) -> None:
        """Tell the other processes what is open, ten times a second."""
        while True:
            self.count()
            await asyncio.sleep(_SECONDS_BETWEEN_COUNTS)

    def count(self) -> None:
        """Tell the other processes what is open."""
        counts, number = self._front_end.counts, self._front_end.number
        found: Counter[int] = Counter()
        for peer, open in self.by_address.items():
            found[counts.slot(peer)] += open
        counts.has_at(number, {**dict.fromkeys(self._counted, 0), **found})
        self._counted = set(found)
        counts.has(number, found.total(), len(self._site.viewers))

    @property
    def others(self) -> int:
        return self._front_end.counts.others(self._front_end.number)

    def others_at(self, peer: str) -> int:
        counts = self._front_end.counts
        return counts.others_at(self._front_end.number, counts.slot(peer))

    def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:
        """A new connection."""
        super().handle_stream(stream, address)
        counts = self._front_end.counts
        slot = counts.slot(peer_of(stream, address))
        self._counted.add(slot)
        counts.took(self._front_end.number, slot)

    def _taken(self, connection: socket.socket, address: Any) -> None:
        connection.setblocking(False)
        self._handle_connection(connection, address)
