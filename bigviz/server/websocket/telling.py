"""Messages to one browser: answers, pushes, and the close of its connection."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from bigviz.apps.script_failure import Failure, ScriptFailed
from bigviz.common.errors import BigvizError, Busy, NotFound, out_of_memory
from bigviz.server.error_json import describe
from bigviz.server.websocket.send_queue import Message, Outbox, Sink
from bigviz.wire.frames import DENIED, GONE, LATER, UNREAD, UNUSABLE, Type, json_parts

if TYPE_CHECKING:
    from bigviz.server.site import Site

__all__ = ["Telling", "Transport"]

_log = logging.getLogger("bigviz")


class Transport(Sink, Protocol):
    """Carries one viewer's frames to a browser. It hands the browser's texts to `receive`, one after the other, and
    calls `closed` once, whoever ended the connection."""

    def hang_up(self, code: int, reason: str) -> None:
        """End the connection, with a close code of the protocol; nothing happens if it has ended."""

    def cut_off(self) -> None:
        """End the connection at once, and give up what was not taken in; nothing happens if it has ended."""


class Telling:
    """Sends messages to one browser. Lives on the event loop's thread. `announced` is the version of the document that
    the browser was told of last, `code` why the connection was closed from this side."""

    def __init__(
        self, site: Site, name: str, transport: Transport, full: Callable[[bool], None], reads: Callable[[], None]
    ) -> None:
        """`full` and `reads`: see `Outbox`."""
        self.site = site
        self.name = name
        self.transport = transport
        self.is_open = False
        self.is_greeted = False
        self.announced: int | None = None
        self.code: int | None = None
        self._early: list[Mapping[str, Any]] = []  # pushes that came before hello
        self.outbox = Outbox(transport, site.epoch, site.limits, full, self._give_up, site.lookout, reads)

    def greet(self, message: Message) -> None:
        """Send `hello`, and what was pushed before."""
        self.outbox.put(message)
        self.is_greeted = True
        for what in self._early:
            self.push(what)
        self._early.clear()

    def put(self, message: Message) -> None:
        """Send a message; nothing happens on a connection that is closed."""
        if self.is_open:
            self.outbox.put(message)

    def push(self, what: Mapping[str, Any]) -> None:
        """Say what has changed in the session of the page, or in the state of its app; after `hello`."""
        if not self.is_greeted:
            self._early.append(what)
        else:
            self.put(Message(Type.SESSION, json_parts(dict(what))))

    def announce(self, version: int) -> None:
        """Say that the document has another version than the one that is shown."""
        self.announced = version
        self.put(Message(Type.CHANGED, json_parts({"document": self.name, "version": version})))

    def note(self, dataset: str, notes: Sequence[str]) -> None:
        """Say that these are the notes of a dataset now."""
        self.put(Message(Type.CHANGED, json_parts({"dataset": dataset, "notes": list(notes)})))

    def read(self, report: dict[str, Any]) -> None:
        """Report how much of the document's files has been read: progress of no request, before hello."""
        if self.is_open:
            self.outbox.drop("reading")
            self.put(Message(Type.PROGRESS, json_parts(report), tag="reading"))

    def tell(self, failure: Failure) -> None:
        """Say that the document's script failed, and where: an error frame of no request."""
        place = {"file": failure.file, "line": failure.line, "message": failure.message, "trace": failure.trace}
        self.put(Message(Type.ERROR, json_parts({**describe(ScriptFailed(failure)), "app": place})))

    def refuse(self, error: BigvizError) -> None:
        """Say why the document cannot be shown, and close the connection: the browser comes again if the server is only
        Busy."""
        if self.is_open:
            self._error(0, error)
            code = LATER if isinstance(error, Busy) else UNUSABLE
            self.outbox.end(partial(self.leave, code, error.message))

    def fail_request(self, request: int, error: BaseException, figure: int = 0, layer: int = 0) -> None:
        """Answer a request with an error frame; errors that are not bigviz's own are logged."""
        if isinstance(error, MemoryError):
            error = out_of_memory()
        if not isinstance(error, BigvizError):
            _log.error("a request over a websocket failed", exc_info=error)
        self._error(request, error, figure, layer)

    def _error(self, request: int, error: BaseException, figure: int = 0, layer: int = 0) -> None:
        self.put(Message(Type.ERROR, json_parts(describe(error)), request, figure, layer))

    # --- closing -----------------------------------------------------------------------------------------------------

    def deny(self, error: BigvizError) -> None:
        """Close the connection: its caller may not use it any more, or may not even know of the document."""
        self.leave(GONE if isinstance(error, NotFound) else DENIED, error.message)

    def leave(self, code: int, reason: str) -> None:
        """Close the connection from this side."""
        self._count_closing(code)
        self.transport.hang_up(code, reason)
        if self.is_open:
            self.outbox.close()

    def _give_up(self, reads: bool) -> None:
        """Too much waits for the browser; or it does not even read what it was sent, and no last word either."""
        if reads:
            self.leave(UNREAD, "read faster")
        else:
            self._count_closing(UNREAD)
            self.transport.cut_off()

    def _count_closing(self, code: int) -> None:
        self.code = code
        self.site.metrics.closed.labels(str(code)).inc()
