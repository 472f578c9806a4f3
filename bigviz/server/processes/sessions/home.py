"""The process that has the apps and the sessions of pages, and what it does for pages that others have connected to.

Each of the others has one link to it, on which it is told first of the apps, each as
`{"app", "document", "tables", "failure", "epoch"}` (the first two null before its script has run), and then `{}`. From
then on it says of a page that it numbers itself `{"page", "join": …}`, `{"page", "take": …, "as": …}` and
`{"page", "leave": true}`. The first two are answered by `{"page", "answer": …}` or `{"page", "error": …}`, in their
order; `{"page", "push": …}` may come between, and an app again whenever it has changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tornado.iostream import IOStream, StreamClosedError

from bigviz.common.errors import BigvizError
from bigviz.server.apps.selected import principal_of
from bigviz.server.processes.link import Link
from bigviz.server.websocket.session_requests import read_session

if TYPE_CHECKING:
    from bigviz.server.access.principal import Principal
    from bigviz.server.apps.app import App
    from bigviz.server.apps.hub import Hub
    from bigviz.server.apps.session import Session
    from bigviz.server.documents.opened import Shown
    from bigviz.server.site import Site

__all__ = ["SessionHome"]


class _Page:
    """A page that another process has connected to."""

    def __init__(self, site: Site, link: Link, number: int, name: str, principal: Principal) -> None:
        self.name, self.principal = name, principal
        self.shown: Shown | None = None
        self.session: Session | None = None
        self.turn = asyncio.Lock()
        self.is_gone = False
        self._site, self._link, self._number = site, link, number

    def push(self, what: Mapping[str, Any]) -> None:
        """See `Page`."""
        self._link.send({"page": self._number, "push": dict(what)})

    async def look(self) -> None:
        """See `Page`."""
        try:
            self.shown = await self._site.show(self.name, self.principal)
        except BigvizError:
            self.shown = None


class SessionHome:
    """Lives on the event loop. Tables in the memory of apps are files in `folder`, for as long as their documents show
    them."""

    def __init__(self, site: Site, hub: Hub, folder: Path) -> None:
        self._site, self._hub, self._folder = site, hub, folder
        self._links: set[Link] = set()
        self._files: set[str] = set()  # of tables that apps show; one that an app opens now is not among them yet
        hub.changed = self._changed
        self.close()  # what a process before this one has left

    def welcome(self, stream: IOStream) -> None:
        """Another process has connected."""
        self._site.spawn(self._serve(Link(stream)))

    def close(self) -> None:
        """Files of tables are removed, also where the process that has started all is gone."""
        self._remove(path.name for path in self._folder.glob("*.arrow"))

    async def _serve(self, link: Link) -> None:
        pages: dict[int, _Page] = {}
        for app in self._hub.apps.values():
            link.send(self._facts(app))
        link.send({})
        self._links.add(link)
        try:
            while True:
                self._take(link, pages, (await link.receive())[0])
        except StreamClosedError:
            pass
        finally:
            self._links.discard(link)
            link.close()
            for page in pages.values():
                self._leave(page)

    def _take(self, link: Link, pages: dict[int, _Page], message: Mapping[str, Any]) -> None:
        number = message["page"]
        if "join" in message:
            wanted = message["join"]
            pages[number] = _Page(self._site, link, number, wanted["name"], principal_of(wanted["as"]))
            self._site.spawn(self._join(link, number, pages[number], wanted["wanted"]))
        elif "leave" in message:
            self._leave(pages.pop(number))
        else:
            self._site.spawn(self._say(link, number, pages[number], message))

    async def _join(self, link: Link, number: int, page: _Page, wanted: str | None) -> None:
        async with page.turn:
            try:
                page.shown = await self._site.show(page.name, page.principal)
                told = None if page.is_gone else await self._hub.join(page, page.shown, wanted)
                link.send({"page": number, "answer": told})
            except Exception as error:
                link.fail(error, page=number)

    async def _say(self, link: Link, number: int, page: _Page, message: Mapping[str, Any]) -> None:
        async with page.turn:
            try:
                page.principal = principal_of(message["as"])
                await page.look()
                await self._hub.take(page, read_session(message["take"], message["take"]["id"]), message["selected"])
                link.send({"page": number, "answer": None})
            except Exception as error:
                link.fail(error, page=number)

    def _leave(self, page: _Page) -> None:
        page.is_gone = True
        self._hub.leave(page)

    # --- apps --------------------------------------------------------------------------------------------------------

    def _changed(self, app: App) -> None:
        told = self._facts(app)
        for link in self._links:
            link.send(told)
        tables = [each.ready.tables for each in self._hub.apps.values() if each.ready is not None]
        shown = {table["file"] for some in tables for table in some.values() if "file" in table}
        self._remove(self._files - shown)
        self._files = shown

    def _remove(self, files: Iterable[str]) -> None:
        for name in files:
            with suppress(OSError):
                (self._folder / name).unlink()

    def _facts(self, app: App) -> dict[str, Any]:
        ready, failure = app.ready, self._site.failures.get(app.name)
        told = None if failure is None else asdict(failure) | {"files": sorted(failure.files)}
        facts: dict[str, Any] = {"app": app.name, "failure": told, "epoch": self._site.epoch}
        if ready is None:
            return facts | {"document": None, "tables": None}
        return facts | {"document": ready.document.to_json(), "tables": dict(ready.tables)}
