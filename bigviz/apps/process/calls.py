"""The callbacks of an app: which there are, and the calls of them that the server asks for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any, Final, cast

import pyarrow as pa

from bigviz.apps.changes import changed
from bigviz.apps.process.channel import Channel
from bigviz.apps.process.remote_selected import RemoteSelected
from bigviz.apps.process.time_limit import Interruptible, TimeLimit
from bigviz.apps.script_failure import failure_of
from bigviz.apps.session import Session
from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import BadInput, BigvizError
from bigviz.data.dataset import Dataset
from bigviz.data.filters.predicate import Predicate
from bigviz.data.filters.selected import Selected, asked_elsewhere
from bigviz.document.controls.handlers import Handler
from bigviz.document.spec import Document

__all__ = ["THREADS", "Calls"]

_MOST_FAILURES: Final = 4
THREADS: Final = 8  # as many calls, of as many sessions, the server has under way
Function = Callable[..., Any]

_in_call: ContextVar[tuple[Session, int] | None] = ContextVar("call", default=None)


class Calls:
    """Runs the calls of an app's callbacks. `take` is called by one thread; callbacks run in others."""

    def __init__(
        self,
        channel: Channel,
        document: Document,
        handlers: Sequence[Handler],
        on_append: Function | None,
        script: str,
    ) -> None:
        """Raises BadInput for a callback of something that is not in the document."""
        self._channel = channel
        self._document = document
        self._script = script
        self._on_append = on_append
        self._datasets = {id(dataset): name for name, dataset in document.sources.items()}
        self._ids = {id(thing): place for place, thing in document.live.items()}
        self._handlers: defaultdict[tuple[str, str | None], list[Function]] = defaultdict(list)
        for each in handlers:
            name = None if each.thing is None else self._named(each.thing, each.event)
            self._handlers[each.event, name].append(each.call)
        self._sessions: dict[str, Session] = {}
        self._running = Interruptible()
        self._threads = ThreadPoolExecutor(THREADS + 1, "bigviz-callback")

    @property
    def known(self) -> dict[str, list[str]]:
        """The ids of the controls and figures that have a callback, by event; one "" for those of the page."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for event, name in self._handlers:
            found[event].append(name or "")
        return dict(found)

    def take(self, message: Mapping[str, Any], body: bytes) -> None:
        """Begin what the server asks for."""
        if message["op"] == "call":
            self._threads.submit(self._call, message)
        elif message["op"] == "interrupt":
            self._interrupt(message["call"])
        elif message["op"] == "append":
            self._threads.submit(self._append, message, body)

    # --- what sessions ask of their app ------------------------------------------------------------------------------

    def id_of(self, thing: object) -> tuple[str, str]:
        """Whether this is a layer, a figure or a control of the document, and its id. Raises BadInput."""
        if isinstance(thing, str):
            for kind in ("layer", "figure", "control"):
                if (kind, thing) in self._document.live:
                    return kind, thing
        elif id(thing) in self._ids:
            return self._ids[id(thing)]
        raise BadInput(
            f"There is no {echoed(thing, 60)} in the app's document: give one of its layers (`figure.layers[0]`), "
            "figures or controls, or the id of one.",
            "thing",
        )

    def change(
        self, document: Document, kind: str, name: str, properties: Mapping[str, Any]
    ) -> tuple[Document, dict[str, Any]]:
        """The document with these properties, and the properties as JSON."""
        return changed(document, kind, name, properties)

    def tell(self, message: Mapping[str, Any]) -> None:
        """Send a message to the server."""
        self._channel.send(message)

    def ask(self, session: Session, message: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
        """The server's answer to a question of a session; BadInput outside of its callbacks."""
        current = _in_call.get()
        if current is None or current[0] is not session:
            raise BadInput("Only a callback of the session can ask this: it is asked with its viewer's rights.")
        return self._channel.ask({"op": "ask", "session": session._name, **message}, current[1])

    # --- calls -------------------------------------------------------------------------------------------------------

    def _named(self, thing: object, event: str) -> str:
        place = self._ids.get(id(thing))
        if place is None:
            kind = type(thing).__name__.lower()
            raise BadInput(f"on_{event} of a {kind} that is not in the document: put it into the layout.", "callback")
        return place[1]

    def _call(self, message: Mapping[str, Any]) -> None:
        number, failures = message["call"], list[dict[str, Any]]()
        try:
            self._running.run(number, partial(self._run, message, failures))
        except BaseException as error:  # nothing that a callback raises, TimeLimit neither, ends its thread
            failures.append(self._failure(error))
        self._channel.send({"op": "done", "call": number, "failures": failures[:_MOST_FAILURES]})

    def _run(self, message: Mapping[str, Any], failures: list[dict[str, Any]]) -> None:
        event, name = message["event"], message["session"]
        session = self._sessions.get(name)
        if session is None:
            session = self._sessions[name] = Session(self, name, self._document, message["user"], {})
            for kind, thing, properties in message["set"]:
                session._restore(kind, thing, properties)
        session._learn(message["values"], message["ranges"], message["selections"])
        if event == "close":
            del self._sessions[name]
        with _called(session, message["call"]), asked_elsewhere(partial(self._elsewhere, session)):
            for call, arguments in self._functions(session, message):
                try:
                    call(session, *arguments)
                except Exception as error:
                    failures.append(self._failure(error))

    def _elsewhere(self, session: Session, dataset: object, predicate: Predicate) -> Selected | None:
        """The rows of a dataset of the document are the server's to look for."""
        name = self._datasets.get(id(dataset))
        if name is None:
            return None
        return RemoteSelected(partial(self.ask, session), name, cast(Dataset, dataset), predicate)

    def _functions(self, session: Session, message: Mapping[str, Any]) -> Iterator[tuple[Function, tuple[Any, ...]]]:
        event, thing = message["event"], message["id"]
        if event == "timer":
            call = session._timer(thing)
            if call is not None:
                yield call, ()
            return
        for call in self._handlers.get((event, thing), ()):
            if event in ("open", "close"):
                yield call, ()
            elif event == "select":
                yield call, (session.selection(thing),)
            elif event == "range":
                yield call, (session.range(thing),)
            else:
                yield call, (message["value"],)

    def _failure(self, error: BaseException) -> dict[str, Any]:
        """What went wrong: `own` is the message of bigviz's own errors, which are made for viewers."""
        own = error.message if isinstance(error, BigvizError) else None
        return {**vars(failure_of(error, self._script)), "files": [], "own": own, "kind": type(error).__name__}

    def _interrupt(self, call: int) -> None:
        if self._running.interrupt(call):
            self._channel.give_up(call, TimeLimit())

    def _append(self, message: Mapping[str, Any], body: bytes) -> None:
        failures = []
        try:
            if self._on_append is not None:
                self._on_append(message["name"], message["version"], pa.ipc.open_stream(body).read_all())
        except Exception as error:
            failures.append(self._failure(error))
        self._channel.send({"op": "done", "call": message["call"], "failures": failures})


@contextmanager
def _called(session: Session, call: int) -> Iterator[None]:
    token = _in_call.set((session, call))
    try:
        yield
    finally:
        _in_call.reset(token)
