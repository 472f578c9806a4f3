"""One app of a server: its process, which is started again whenever it ends, and what goes between it and its pages."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from bigviz.apps.reload import Watch
from bigviz.apps.script_failure import Failure, ScriptFailed, failure_of
from bigviz.common.errors import BigvizError, Forbidden
from bigviz.common.process.remote_errors import error_json
from bigviz.server.apps.callback_words import callback_words, error_push
from bigviz.server.apps.callbacks import Call, Callbacks
from bigviz.server.apps.process import AppProcess, Ready
from bigviz.server.apps.session import Page, Session

if TYPE_CHECKING:
    from pathlib import Path

    from bigviz.document.spec import Document

__all__ = ["App", "AppOptions", "Host"]

State = Literal["starting", "running", "stopped"]

_FIRST_WAIT: Final = 0.5  # seconds until an app that has ended is started again
_LONGEST_WAIT: Final = 60.0
_SOUND: Final = 60.0  # an app that ran for so long begins with the first wait again


@dataclass(frozen=True)
class AppOptions:
    """How much memory an app's process may take, in bytes, how long a callback may take, and how long a session waits
    for its page to come back, in seconds; with `dev` apps are run again when their files change. In `shared` mode all
    pages of a document share one session. Tables in the memory of apps are files in `tables`, if other processes show
    them too."""

    memory: int = 4 << 30
    callback_seconds: float = 10.0
    session_seconds: float = 300.0
    dev: bool = False
    shared: bool = False
    tables: Path | None = None


class Host(Protocol):
    """The server, as an app needs it."""

    def sessions_of(self, document: str) -> list[Session]:
        """The sessions of a document."""

    def session(self, id: str) -> Session | None:
        """The session of that id."""

    def reading(self, stage: str, done: float, rows: int) -> None:
        """An app reads files."""

    def replaced(self, app: App, before: Ready | None) -> None:
        """The app has a new process, perhaps of another document."""

    def failed(self, app: App, failure: Failure | None) -> None:
        """The script of the app failed, or does not fail any more."""

    async def answer(self, app: App, call: Call, message: Mapping[str, Any]) -> tuple[Any, bytes]:
        """The answer to a question of a callback."""

    def event(self, name: str, **facts: Any) -> None:
        """Report to the operator."""


class App:
    """One app, with its process and the sessions of its pages. Lives on the event loop."""

    def __init__(self, name: str, path: str, options: AppOptions, host: Host) -> None:
        self.name, self.path, self.options = name, path, options
        self._host = host
        self.ready: Ready | None = None
        self.state: State = "starting"
        self.reason: str | None = None
        self._process: AppProcess | None = None
        self._callbacks = Callbacks(self._called, options.callback_seconds)
        self._watch = Watch(path) if options.dev else None
        self._began = 0.0
        self._wait = _FIRST_WAIT
        self._appends: dict[int, asyncio.Future[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> Ready:
        """Run the script in a new process, which takes the place of the one before once it is ready. Raises
        ScriptFailed."""
        box: list[AppProcess] = []
        process = AppProcess(
            self.name, self.path, self.options.memory, lambda message: self._take(box[0], message), self._host.reading,
            self._log, self.options.tables,
        )  # fmt: skip
        box.append(process)
        try:
            ready = await process.start(self.ready)
        except ScriptFailed as error:
            if self._watch is not None:
                self._watch.cover(error.files | error.failure.files)
            raise
        if self._watch is not None:
            self._watch.cover(ready.files)
        before, old, self.ready = self.ready, self._process, ready
        self._end_calls()
        self._process, self._began = process, time.monotonic()
        self._callbacks.attach(process)
        if old is not None:
            self._spawn(old.close())
        self._enter("running", None)
        self._host.failed(self, None)
        for session in self._host.sessions_of(self.name):
            session.forget_process()
        self._host.replaced(self, before)
        for session in self._host.sessions_of(self.name):
            if session.pages:
                self.opened(session, is_new=True)
        return ready

    async def keep(self) -> None:
        """Start the app again when its process ends, and with `dev` when its files change, until cancelled."""
        while True:
            process = self._process
            changed = asyncio.ensure_future(self._changed())
            waits: list[asyncio.Future[Any]] = [changed]
            if process is not None:
                waits.append(process.ended)
            elif not self.options.dev:
                waits.append(asyncio.ensure_future(asyncio.sleep(self._wait)))
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                if process is not None and process.ended.done():
                    await self._after(process.ended.result(), changed)
            finally:
                changed.cancel()
            try:
                await self.start()
                self._host.event("reloaded" if process else "restarted", path=self.path)
            except Exception as error:  # one that is no ScriptFailed is the server's own: told of, and tried again
                if not isinstance(error, ScriptFailed):
                    error = ScriptFailed(failure_of(error, os.path.abspath(self.path)))
                self.script_failed(error)
                if self._process is None:
                    self._lengthen()

    def script_failed(self, error: ScriptFailed) -> None:
        """Tell of a script that failed; the process before, if there is one, goes on."""
        self._host.event("log", level="error", logger="bigviz", message=error.told)
        if self.options.dev:
            self._host.failed(self, error.failure)
        if self._process is None:
            self._enter("stopped", "The app cannot be started again: its script fails. The server's log says why.")

    async def close(self) -> None:
        """End the process."""
        self._end_calls()
        for task in list(self._tasks):
            task.cancel()
        if self._process is not None:
            process, self._process = self._process, None
            await process.close()

    # --- what pages do -----------------------------------------------------------------------------------------------

    def as_json(self) -> dict[str, Any]:
        """The app's state, for pages."""
        return {"state": self.state, "reason": self.reason}

    def opened(self, session: Session, is_new: bool) -> None:
        """A page has a session, a new one or the one that it had."""
        if is_new:
            self._call(Call(session, "open", None))
        for number in session.timers:
            self._tick(session, number)

    def closed(self, session: Session) -> None:
        """A session is over."""
        if session.known and self._process is not None:
            self._callbacks.call(Call(session, "close", None))
        else:
            self._callbacks.forget(session)

    def changed(self, session: Session, event: str, id: str, value: Any, page: Page) -> None:
        """Something has changed in a page."""
        self._call(Call(session, event, id, value, page))

    def has(self, event: str, id: str = "") -> bool:
        """Whether the app has a callback for this."""
        return self.ready is not None and id in self.ready.handlers.get(event, ())

    def has_any(self, event: str) -> bool:
        """Whether the app has a callback for this of any control or figure."""
        return self.ready is not None and bool(self.ready.handlers.get(event))

    @property
    def appends(self) -> bool:
        """Whether the app wants to be called with what is appended."""
        return self.ready is not None and self.ready.appends

    async def append(self, name: str, version: int, rows: bytes) -> None:
        """Call the app's `on_append`, and wait until it has ended."""
        if self._process is None:
            return
        number = -(len(self._appends) + 1)
        while number in self._appends:
            number -= 1
        self._appends[number] = asyncio.get_running_loop().create_future()
        self._process.send({"op": "append", "call": number, "name": name, "version": version}, rows)
        try:
            await self._appends[number]
        finally:
            del self._appends[number]

    def _call(self, call: Call) -> None:
        if call.event == "timer" or self.has(call.event, str(call.id or "")):
            self._callbacks.call(call)

    # --- what the process says ---------------------------------------------------------------------------------------

    def _take(self, process: AppProcess, message: dict[str, Any]) -> None:
        if process is not self._process:
            return
        op = message["op"]
        if op == "done":
            self._done(message)
        elif op == "ask":
            self._spawn(self._answer(process, message["id"], message["call"], message))
        elif (session := self._host.session(message["session"])) is not None:
            if op == "set":
                self._set(session, message)
            elif op == "notify":
                session.push({"notify": {"text": message["text"]}})
            elif op == "every":
                self._every(session, message["timer"], message["seconds"])

    def _done(self, message: Mapping[str, Any]) -> None:
        number = message["call"]
        if number >= 0:
            self._callbacks.ended(number, message["failures"])
            return
        for failure in message["failures"]:
            self._log(failure["trace"])
        future = self._appends.get(number)
        if future is not None and not future.done():
            future.set_result(None)

    def _set(self, session: Session, message: Mapping[str, Any]) -> None:
        kind, name = message["kind"], message["id"]
        ranges = _ranges_of(self.ready.document, name) if self.ready and kind == "figure" else {}
        try:
            session.set(kind, name, message["properties"], ranges)
        except BigvizError as error:
            self._log(error.message)
            session.push({"error": {"message": error.message}})

    def _every(self, session: Session, number: int, seconds: float | None) -> None:
        handle = session.ticking.pop(number, None)
        if handle is not None:
            handle.cancel()
        if seconds is None:
            session.timers.pop(number, None)
            self._callbacks.drop(session, "timer", number)
            return
        session.timers[number] = seconds
        self._tick(session, number)

    def _tick(self, session: Session, number: int) -> None:
        if not session.pages or number in session.ticking:
            return
        loop = asyncio.get_running_loop()
        session.ticking[number] = loop.call_later(session.timers[number], self._due, session, number)

    def _due(self, session: Session, number: int) -> None:
        session.ticking.pop(number, None)
        if number in session.timers:
            self._call(Call(session, "timer", number))
            self._tick(session, number)

    async def _answer(self, process: AppProcess, id: int, number: int, message: Mapping[str, Any]) -> None:
        """Answer a question that a call asks, whatever becomes of it: the call waits for that."""
        answer: dict[str, Any] = {"op": "answer", "id": id}
        try:
            call = self._callbacks.running(number)
            if call is None or call.session.id != message["session"]:
                raise Forbidden("The callback that asks this is over.")
            value, body = await self._host.answer(self, call, message)
            process.send({**answer, "value": value}, body)
        except Exception as error:
            if not isinstance(error, BigvizError):
                self._log(f"a question of the app failed: {error!r}")
            process.send({**answer, "error": error_json(error)})

    def _called(self, call: Call, failures: list[dict[str, Any]]) -> None:
        """A call has ended."""
        document = self.ready.document if self.ready else None
        for failure in failures:
            words = callback_words(call, failure, document, self._callbacks.seconds)
            self._log(f"{words}\n{failure['trace']}")
            call.session.push(error_push(words, failure, self.options.dev))

    # --- the process ends --------------------------------------------------------------------------------------------

    async def _after(self, words: str, changed: asyncio.Future[None]) -> None:
        """The process has ended: wait a little before the next one, unless the files change."""
        self._process = None
        self._end_calls()
        if time.monotonic() - self._began > _SOUND:
            self._wait = _FIRST_WAIT
        self._log(f"The app {words}.")
        self._enter("stopped", f"The app {words}. It is started again.")
        await asyncio.wait([changed], timeout=self._wait)
        self._lengthen()

    def _lengthen(self) -> None:
        self._wait = min(2 * self._wait, _LONGEST_WAIT)

    async def _changed(self) -> None:
        """Wait until a file changes; for ever without `dev`."""
        if self._watch is None:
            await asyncio.Event().wait()
        else:
            await self._watch.changed()

    def _end_calls(self) -> None:
        self._callbacks.detach()
        for future in self._appends.values():
            if not future.done():
                future.set_result(None)

    def _enter(self, state: State, reason: str | None) -> None:
        self.state, self.reason = state, reason
        for session in self._host.sessions_of(self.name):
            session.push({"app": self.as_json()})

    def _log(self, line: str) -> None:
        self._host.event("app", app=self.name, line=line)

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _ranges_of(document: Document, figure: str) -> dict[str, str]:
    """The names of a figure's ranges by property."""
    found = next(each for each in document.figures() if each.id == figure)
    return {"x_range": found.x_range, "y_range": found.y_range}
