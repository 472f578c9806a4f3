"""The apps and the sessions of pages in a process that has none itself: see `home.py`, to which it passes on what its
pages say."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections import deque
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from tornado.iostream import StreamClosedError

from bigviz.apps.process.handover import mapped_table
from bigviz.apps.script_failure import Failure
from bigviz.common.daemon_thread import in_thread
from bigviz.common.errors import BigvizError, Busy
from bigviz.common.process.remote_errors import error_of
from bigviz.document.bind import bind
from bigviz.document.json import from_json
from bigviz.server.apps.selected import principal_json, selected_by
from bigviz.server.apps.session import no_session
from bigviz.server.processes.front_end import WRITER, FrontEnd
from bigviz.server.processes.inner import SESSIONS, connected
from bigviz.server.processes.link import Link
from bigviz.server.websocket.session_requests import SelectionRequest, session_json
from bigviz.wire.frames import RESTART

if TYPE_CHECKING:
    from bigviz.data.dataset import Dataset
    from bigviz.document.spec import Document
    from bigviz.server.apps.session import Page
    from bigviz.server.documents.opened import Shown
    from bigviz.server.site import Site
    from bigviz.server.websocket.session_requests import SessionRequest
    from bigviz.server.websocket.viewer import Viewer

__all__ = ["AwaySessions"]

_log = logging.getLogger("bigviz")

_PAUSE: Final = 0.05
_GONE: Final = "The process that has the sessions of this server starts again: try again in a second."

Answers = deque["asyncio.Future[Any]"]


class _Joined:
    """A page that has a session there, and what it waits for, the oldest first."""

    def __init__(self, number: int, page: Page) -> None:
        self.number, self.page = number, page
        self.answers: Answers = deque()
        self.turn = asyncio.Lock()  # what the page says is passed on in its order

    def answered(self, message: Mapping[str, Any]) -> None:
        """The oldest question is answered."""
        future = self.answers.popleft()
        if future.done():  # whoever asked is gone
            return
        if "error" in message:
            future.set_exception(error_of(message["error"]))
        else:
            future.set_result(message["answer"])


class AwaySessions:
    """Lives on the event loop. `shared`: all documents that the server was started with have sessions."""

    def __init__(self, front_end: FrontEnd, site: Site, names: Sequence[str], shared: bool) -> None:
        """`names`: the documents of the apps."""
        self.names = tuple(names)
        self._front_end, self._site, self._shared = front_end, site, shared
        self._numbers = itertools.count(1)
        self._pages: dict[Page, _Joined] = {}
        self._by_number: dict[int, _Joined] = {}
        self._link: asyncio.Future[Link] = asyncio.get_running_loop().create_future()
        self._apps: dict[str, dict[str, Any]] = {}  # what was told of each last, and is served
        self._turn = asyncio.Lock()
        self._told = asyncio.Event()

    async def keep_joined(self) -> None:
        """Have a link for as long as this process lives."""
        while True:
            try:
                link = Link(await connected(self._front_end.place_of(WRITER), SESSIONS))
                try:
                    await self._hear(link)
                finally:
                    link.close()
                    self._lost()
            except (StreamClosedError, OSError):
                pass
            except Exception:
                _log.exception("the process that has the sessions could not be followed")
            await asyncio.sleep(_PAUSE)

    async def told(self) -> None:
        """Wait until it is known of each app what it shows, if its script has run."""
        await self._told.wait()

    # --- pages -------------------------------------------------------------------------------------------------------

    async def join(self, page: Page, shown: Shown, wanted: str | None) -> dict[str, Any] | None:
        """See `Apps`."""
        if not self._has_sessions(page.name):
            return None
        while not self._link.done():  # it may be lost again before this goes on
            await asyncio.shield(self._link)
        joined = _Joined(next(self._numbers), page)
        self._pages[page] = self._by_number[joined.number] = joined
        asked = {"name": page.name, "wanted": wanted, "as": principal_json(page.principal)}
        told = await self._ask(joined, {"page": joined.number, "join": asked})
        return cast("dict[str, Any] | None", told)

    def leave(self, page: Page) -> None:
        """See `Apps`."""
        joined = self._pages.pop(page, None)
        if joined is not None:
            del self._by_number[joined.number]
            if self._link.done():
                self._link.result().send({"page": joined.number, "leave": True})

    async def take(self, page: Page, request: SessionRequest) -> None:
        """See `Apps`."""
        if not self._has_sessions(page.name):
            raise no_session()
        joined, selected = self._pages.get(page), None
        if joined is None:
            raise Busy(_GONE)
        async with joined.turn:
            if isinstance(request, SelectionRequest) and request.selection is not None:
                selected = await selected_by(self._site, page, request.selection)
            if self._pages.get(page) is not joined or not self._link.done():
                raise Busy(_GONE)
            asked = {"take": session_json(request), "as": principal_json(page.principal), "selected": selected}
            answer = self._ask(joined, {"page": joined.number, **asked})
        await answer

    def _has_sessions(self, document: str) -> bool:
        return document in self.names or (self._shared and self._site.has(document))

    def _ask(self, joined: _Joined, message: Mapping[str, Any]) -> asyncio.Future[Any]:
        """Send a message of a page; what it is answered."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._link.result().send(message)
        joined.answers.append(future)
        return future

    # --- what the other process says ---------------------------------------------------------------------------------

    async def _hear(self, link: Link) -> None:
        while True:
            message, _ = await link.receive()
            if "app" in message:
                self._site.spawn(self._show(message))
            elif "page" in message:
                self._take(message)
            else:
                self._link.set_result(link)
                self._site.spawn(self._all_told())

    def _take(self, message: Mapping[str, Any]) -> None:
        joined = self._by_number.get(message["page"])
        if joined is None:  # its page is gone
            return
        if "push" in message:
            joined.page.push(message["push"])
        else:
            joined.answered(message)

    def _lost(self) -> None:
        """The other process has ended, and the sessions with it: pages begin new ones, as after a restart."""
        if self._link.done():
            self._link = asyncio.get_running_loop().create_future()
        before, self._pages, self._by_number = self._pages, {}, {}
        for page, joined in before.items():
            for future in joined.answers:
                if not future.done():
                    future.set_exception(Busy(_GONE))
            cast("Viewer", page).leave(RESTART, "the process that had the session has ended")

    async def _all_told(self) -> None:
        async with self._turn:
            self._told.set()

    async def _show(self, told: dict[str, Any]) -> None:
        """Serve what an app shows now, one after the other."""
        async with self._turn:
            name, before = told["app"], self._apps.get(told["app"])
            failure = told["failure"]
            self._site.fail(name, None if failure is None else Failure(**failure | {"files": frozenset()}))
            if told["document"] is None:
                return
            if before is not None and all(before[key] == told[key] for key in ("document", "tables")):
                self._site.epoch = told["epoch"]
                return
            document = self._site.documents.get(name)
            known = {} if before is None or document is None else document.sources
            same = {
                each: cast("Dataset", known[each])
                for each, table in told["tables"].items()
                if before is not None and each in known and before["tables"].get(each) == table and "file" in table
            }
            try:
                opened = await in_thread(partial(_opened, told, same, self._front_end.folder))
                self._site.put(opened, told["epoch"])
            except (BigvizError, OSError) as error:
                _log.error("what the app %s shows cannot be opened: %s", name, error)
                return
            self._apps[name] = told


def _opened(told: Mapping[str, Any], same: Mapping[str, Dataset], folder: Path) -> Document:
    """The document of an app, with its tables open; tables in the app's memory are mapped."""
    tables = told["tables"].items()
    opened = {name: same[name] if name in same else mapped_table(name, table, folder) for name, table in tables}
    return bind(from_json(told["document"]), opened)
