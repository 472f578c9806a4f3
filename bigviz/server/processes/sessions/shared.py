"""The apps and sessions of a server among its processes: one has them, the others pass on what pages say."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from tornado.iostream import IOStream, StreamClosedError

from bigviz.server.apps.selected import answer_of
from bigviz.server.processes.front_end import FrontEnd
from bigviz.server.processes.link import Link
from bigviz.server.processes.sessions.away import AwaySessions
from bigviz.server.processes.sessions.home import SessionHome

if TYPE_CHECKING:
    from bigviz.server.apps.hub import Hub
    from bigviz.server.site import Site

__all__ = ["SharedSessions"]


class SharedSessions:
    """Loads the engine's formats, so the server does once it listens. Lives on the event loop."""

    def __init__(self, front_end: FrontEnd, site: Site) -> None:
        self._front_end, self._site = front_end, site
        self._home: SessionHome | None = None

    def keep(self, hub: Hub) -> None:
        """Have the apps and the sessions, for the other processes too."""
        self._home = SessionHome(self._site, hub, self._front_end.folder)

    def use(self, names: Sequence[str], shared: bool) -> tuple[AwaySessions, asyncio.Task[None]]:
        """Use those of the process that has them, and the task that does so: see `AwaySessions`."""
        away = AwaySessions(self._front_end, self._site, names, shared)
        return away, asyncio.ensure_future(away.keep_joined())

    def welcome(self, stream: IOStream) -> None:
        """Another process has pages with sessions."""
        if self._home is None:
            stream.close()
        else:
            self._home.welcome(stream)

    def close(self) -> None:
        """The server ends."""
        if self._home is not None:
            self._home.close()

    def answer(self, stream: IOStream) -> None:
        """Another process asks about a selection."""
        self._site.spawn(self._answer(stream))

    async def _answer(self, stream: IOStream) -> None:
        link = Link(stream)
        try:
            with suppress(StreamClosedError):
                question, _ = await link.receive()
                await self._tell(link, question)
                await link.receive()  # what comes is the end of the connection, once the answer is read
        finally:
            link.close()

    async def _tell(self, link: Link, question: Mapping[str, Any]) -> None:
        try:
            value, body = await answer_of(self._site, question)
            link.send({"value": value}, body)
        except Exception as error:
            link.fail(error)
