"""One process of several, as its server has it: its listeners, and what it hears from and tells the others."""

from __future__ import annotations

import asyncio
import os
import ssl
from typing import TYPE_CHECKING

from tornado.iostream import IOStream, StreamClosedError
from tornado.web import Application

from bigviz.server.limits import Limits
from bigviz.server.processes.front_end import FrontEnd
from bigviz.server.processes.inner import METRICS, QUESTION, SESSIONS, VERSIONS, InnerListener
from bigviz.server.processes.others import OtherProcesses, selection_prefix
from bigviz.server.processes.shared_listener import SharedListener
from bigviz.server.site import Site
from bigviz.server.site_members import Apps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bigviz.data.appending.log import Durability
    from bigviz.server.apps.hub import Hub
    from bigviz.server.documents.followed import Followed
    from bigviz.server.documents.shelf import Shelf
    from bigviz.server.jobs.service import Backend
    from bigviz.server.processes.sessions.away import AwaySessions
    from bigviz.server.processes.sessions.shared import SharedSessions
    from bigviz.server.processes.shared_streams import SharedStreams
    from bigviz.server.processes.told_versions import Teller
    from bigviz.server.run.options import Options

__all__ = ["Joined"]


class Joined:
    """Lives on the event loop. The first process that writes takes connections at once, the others once they are
    loaded: whoever comes is answered by one that can."""

    def __init__(
        self, front_end: FrontEnd, app: Application, site: Site, limits: Limits, tls: ssl.SSLContext | None
    ) -> None:
        self._front_end = front_end
        self._site = site
        self._teller: Teller | None = None
        self._waiting: list[IOStream] = []
        self._others = site.others = OtherProcesses(front_end)
        self.listener = SharedListener(app, site, limits, tls, front_end)
        self._sessions: SharedSessions | None = None
        self._away: AwaySessions | None = None
        answers = {VERSIONS: self._welcome, METRICS: self._count, SESSIONS: self._welcome_pages, QUESTION: self._answer}
        self._inner = InnerListener(app, limits, answers)
        if front_end.speaks:
            self.listener.add_sockets(front_end.bound.sockets)
            self._inner.add_socket(front_end.inner[front_end.number])
        self.tasks = [asyncio.ensure_future(self.listener.keep_counting())]

    async def share(self, streams: SharedStreams, shelf: Shelf, durability: Durability) -> list[asyncio.Task[None]]:
        """Read the streams of a library, or write them; what goes on from then on."""
        shelf.is_shared = True
        shelf.cleans = self._front_end.writes
        if not self._front_end.writes:
            self._others.versions = versions = await streams.follow(self._front_end, shelf, durability)
            return [asyncio.ensure_future(versions.keep_hearing())]
        self._teller = await streams.write(self._front_end, shelf, durability)
        shelf.when_appended = self._teller.tell
        for stream in self._waiting:
            self._teller.welcome(stream)
        self._waiting.clear()
        return []

    def share_sessions(self, sessions: SharedSessions, names: Sequence[str], options: Options, hub: Hub | None) -> Apps:
        """Have the apps and the sessions of pages in a `hub`, or pass on what pages say to the process that does;
        `names` are the documents of apps."""
        self._sessions = sessions
        if hub is not None:
            sessions.keep(hub)
            return hub
        self._away, task = sessions.use(names, options.shared)
        self.tasks.append(task)
        return self._away

    def follow(self, tables: Sequence[Followed]) -> None:
        """Tables grow as their files do."""
        self._others.followed = tables

    def opened(self) -> None:
        """The scripts of apps have run too: a process that fails from now on is started again."""
        self._front_end.counts.loaded(self._front_end.number)

    async def loaded(self, backend: Backend) -> None:
        """Everything can be answered, once it is known what apps show."""
        if self._away is not None and self._away.names:
            await self._away.told()
        backend.selections.kept.prefix = selection_prefix(self._front_end.number)
        if not self._front_end.speaks:
            self.listener.add_sockets(self._front_end.bound.sockets)
            self._inner.add_socket(self._front_end.inner[self._front_end.number])
        self._site.event("process", number=self._front_end.number, pid=os.getpid(), done="answers")

    @property
    def in_hand(self) -> int:
        """How many requests are answered now, those of other processes too."""
        return len(self._site.in_hand)

    def stop(self) -> None:
        """Take nothing more of other processes."""
        self._inner.stop()
        if self._sessions is not None:
            self._sessions.close()

    def _welcome(self, stream: IOStream) -> None:
        if self._teller is not None:
            self._teller.welcome(stream)
        elif self._front_end.writes:
            self._waiting.append(stream)
        else:
            stream.close()

    def _welcome_pages(self, stream: IOStream) -> None:
        if self._sessions is None:
            stream.close()
        else:
            self._sessions.welcome(stream)

    def _answer(self, stream: IOStream) -> None:
        if self._sessions is None:
            stream.close()
        else:
            self._sessions.answer(stream)

    def _count(self, stream: IOStream) -> None:
        try:
            stream.write(self._site.metrics.text()).add_done_callback(lambda _: stream.close())
        except StreamClosedError:
            stream.close()
