"""All apps and sessions of a server, between its sockets and the processes of the apps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from bigviz.common.daemon_thread import in_thread
from bigviz.common.errors import BadInput, BigvizError
from bigviz.data.ipc_stream import ipc_stream
from bigviz.document.controls.spec import ColumnOptions
from bigviz.document.controls.values import check_values, initial_values
from bigviz.server.apps.answers import answer
from bigviz.server.apps.app import App, AppOptions
from bigviz.server.apps.selected import Selected, selected_by
from bigviz.server.apps.session import Page, Session, no_session
from bigviz.server.apps.sessions import Sessions
from bigviz.server.websocket.session_requests import ControlRequest, RangeRequest, SelectionRequest, SessionRequest

if TYPE_CHECKING:
    from bigviz.apps.script_failure import Failure
    from bigviz.document.spec import Document
    from bigviz.server.apps.callbacks import Call
    from bigviz.server.apps.process import Ready
    from bigviz.server.documents.opened import Shown
    from bigviz.server.site import Site

__all__ = ["Hub"]


class Hub:
    """The apps and sessions of one server. Lives on the event loop. Documents without an app have sessions only where
    the server is `--shared`."""

    def __init__(self, site: Site, options: AppOptions, scripts: Sequence[tuple[str, str]] = ()) -> None:
        """`scripts`: the (document name, path) of each app."""
        self._site = site
        self._options = options
        self._loop = asyncio.get_running_loop()
        self.sessions = Sessions(options.session_seconds, self._ended, options.shared)
        self.changed: Callable[[App], None] = lambda app: None
        """Called with an app that has another document, or whose script has failed, or fails no more."""
        self.opened: Callable[[Document], None] = lambda document: None
        """Called with the document of each app when it is served first."""
        self.apps = {name: App(name, path, options, self) for name, path in scripts}

    @property
    def names(self) -> Sequence[str]:
        """The documents of the apps."""
        return tuple(self.apps)

    async def close(self) -> None:
        """End all processes."""
        await asyncio.gather(*(app.close() for app in self.apps.values()))

    # --- pages -------------------------------------------------------------------------------------------------------

    async def join(self, page: Page, shown: Shown, wanted: str | None) -> dict[str, Any] | None:
        """What a page gets of its session in `hello`, None for a document without. Raises Busy for one too many."""
        app = self.apps.get(page.name)
        if app is None and not (self._options.shared and self._site.has(page.name)):
            return None
        session, is_new = self.sessions.join(page, wanted, initial_values(shown.document))
        page.session = session
        told = session.as_json()
        told["shared"] = self._options.shared
        if app is not None:
            told["app"] = app.as_json()
            app.opened(session, is_new)
        told["ranged"] = self._options.shared or (app is not None and app.has_any("range"))
        return told

    def leave(self, page: Page) -> None:
        """A page is gone."""
        if page.session is not None:
            self.sessions.leave(page, page.session)

    async def take(self, page: Page, request: SessionRequest, selected: Selected | None = None) -> None:
        """Take what a page says of its session; `selected` is what a selection of it is, where that was looked up.
        Raises BadInput, TooLarge and Conflict."""
        session, shown = page.session, page.shown
        if session is None or page not in session.pages or shown is None:
            raise no_session()
        async with session.turn:
            if isinstance(request, ControlRequest):
                await self._control(page, session, shown.document, request)
            elif isinstance(request, RangeRequest):
                self._ranges(page, session, shown.document, request)
            else:
                await self._selection(page, session, shown, request, selected)

    async def _control(self, page: Page, session: Session, document: Document, request: ControlRequest) -> None:
        name = request.control
        check = partial(check_values, document, {name: request.value})
        spec = document.controls.get(name)
        is_long = spec is not None and isinstance(spec.options, ColumnOptions)  # reads the column when it is first used
        value = (await in_thread(check) if is_long else check())[name]
        app = self.apps.get(page.name)
        if spec is not None and spec.type == "button":
            if app is not None:
                app.changed(session, "click", name, value, page)
            return
        session.change(values={name: value}, origin=page, request=request.id)
        if app is not None:
            app.changed(session, "change", name, value, page)

    def _ranges(self, page: Page, session: Session, document: Document, request: RangeRequest) -> None:
        for name in request.ranges:
            if name not in document.ranges:
                raise BadInput(f"There is no range {name[:60]!r} in this document.", "ranges", name[:60])
        session.change(ranges={name: list(ends) for name, ends in request.ranges.items()}, origin=page,
                       request=request.id)  # fmt: skip
        app = self.apps.get(page.name)
        for figure in document.figures() if app is not None else ():
            if app is not None and not request.ranges.keys().isdisjoint((figure.x_range, figure.y_range)):
                app.changed(session, "range", figure.id, None, page)

    async def _selection(
        self, page: Page, session: Session, shown: Shown, request: SelectionRequest, selected: Selected | None
    ) -> None:
        if request.figure not in {figure.id for figure in shown.document.figures()}:
            name = request.figure[:60]
            raise BadInput(f"There is no figure {name!r} in this document.", "figure", name)
        if selected is None and request.selection is not None:
            selected = await selected_by(self._site, page, request.selection)
        session.selections[request.figure] = session.fresh.selections[request.figure] = selected
        app = self.apps.get(page.name)
        if app is not None:
            app.changed(session, "select", request.figure, None, page)

    # --- apps --------------------------------------------------------------------------------------------------------

    def sessions_of(self, document: str) -> list[Session]:
        """The sessions of a document."""
        return self.sessions.of(document)

    def session(self, id: str) -> Session | None:
        """The session of that id."""
        return self.sessions.get(id)

    def reading(self, stage: str, done: float, rows: int) -> None:
        """An app reads files."""
        self._site.read({"stage": stage, "done": done, "rows": rows, "seconds": 0.0})

    def replaced(self, app: App, before: Ready | None) -> None:
        """The app has a new process: its document is served, if it is another one than before."""
        assert app.ready is not None
        document = app.ready.document
        for session in self.sessions.of(app.name):
            session.values = {**initial_values(document), **_fitting(document, session.values)}
            session.fresh.values = dict(session.values)
        same = before is not None and before.document == document and before.document.sources == document.sources
        if not same:
            is_first = before is None and not self._options.dev  # no page shows another one
            self._site.put(document, self._site.epoch if is_first else None)
            self.changed(app)
        if before is None:
            self.opened(document)
        self._site.hear_appends(self.append if any(each.appends for each in self.apps.values()) else None)

    def failed(self, app: App, failure: Failure | None) -> None:
        """The script of the app failed, or does not fail any more."""
        self._site.fail(app.name, failure)
        self.changed(app)

    async def answer(self, app: App, call: Call, message: Mapping[str, Any]) -> tuple[Any, bytes]:
        """The answer to a question of a callback, with the rights of its viewer."""
        return await answer(self._site, call, message)

    def event(self, name: str, **facts: Any) -> None:
        """Report to the operator."""
        self._site.event(name, **facts)

    def append(self, name: str, version: int, rows: pa.Table) -> None:
        """Call `on_append` of the apps that have one, from another thread, and wait until they have ended."""
        body = ipc_stream(rows)

        async def call() -> None:
            await asyncio.gather(*(app.append(name, version, body) for app in self.apps.values() if app.appends))

        asyncio.run_coroutine_threadsafe(call(), self._loop).result()

    def _ended(self, session: Session) -> None:
        app = self.apps.get(session.document)
        if app is not None:
            app.closed(session)


def _fitting(document: Document, values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the values that the controls of a document may have."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        try:
            found |= check_values(document, {name: value})
        except BigvizError:
            continue
    return found
