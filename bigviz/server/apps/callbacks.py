"""The calls of an app's callbacks: one at a time for each session, the newest value of what waits, bounded in time."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from bigviz.server.apps.session import Page, Session

__all__ = ["Call", "Callbacks"]

AT_ONCE: Final = 8  # calls of one app, each of another session; its process has as many threads
_SECONDS_TO_GIVE_IN: Final = 1.0
_OF_ONE_PROCESS: Final = ("open", "close", "timer")


@dataclass(eq=False)
class Call:
    """One call: at which event, of which control or figure, with which value; `page` is where it came from."""

    session: Session
    event: str
    id: str | int | None
    value: Any = None
    page: Page | None = None
    late: bool = False
    timer: asyncio.TimerHandle | None = None

    @property
    def key(self) -> tuple[str, str | int | None]:
        """A call that waits is replaced by a newer one of the same key."""
        return self.event, self.id


class Process(Protocol):
    """What makes the calls."""

    def send(self, message: Mapping[str, Any], body: bytes = b"") -> None:
        """Take a message."""

    def kill(self, why: str) -> None:
        """End at once; `why` is the end of a sentence that begins with the app's name."""


class Callbacks:
    """The calls that wait and run of one app, whatever process it has. Lives on the event loop. `done` is called after
    each call with the failures that its functions raised."""

    def __init__(self, done: Callable[[Call, list[dict[str, Any]]], None], seconds: float) -> None:
        self._done, self.seconds = done, seconds
        self._process: Process | None = None
        self._queues: OrderedDict[Session, OrderedDict[tuple[str, Any], Call]] = OrderedDict()
        self._running: dict[int, Call] = {}
        self._busy: set[Session] = set()
        self._number = 0

    def call(self, call: Call) -> None:
        """Make a call as soon as its session and the process are free. One that waits already keeps its place and gets
        the newer value; opening a session comes before all that waits for it, closing one in its place."""
        queue = self._queues.setdefault(call.session, OrderedDict())
        if call.event == "close":
            queue.clear()
        queue[call.key] = call
        if call.event == "open":
            queue.move_to_end(call.key, last=False)
        self._pump()

    def drop(self, session: Session, event: str, id: str | int | None) -> None:
        """Forget a call that waits."""
        self._queues.get(session, OrderedDict()).pop((event, id), None)

    def forget(self, session: Session) -> None:
        """Forget all that waits for a session."""
        self._queues.pop(session, None)

    def running(self, number: int) -> Call | None:
        """The call of that number, while it runs."""
        return self._running.get(number)

    def ended(self, number: int, failures: list[dict[str, Any]]) -> None:
        """The process has made a call."""
        call = self._running.pop(number, None)
        if call is None:
            return
        if call.timer is not None:
            call.timer.cancel()
        self._busy.discard(call.session)
        self._done(call, failures)
        self._pump()

    def attach(self, process: Process) -> None:
        """There is a process: what waits begins in a moment, after what is called before that."""
        self._process = process
        asyncio.get_running_loop().call_soon(self._pump)

    def detach(self) -> None:
        """The process is gone, with the calls that it has not finished; what has changed meanwhile waits for the next
        one."""
        self._process = None
        for call in self._running.values():
            if call.timer is not None:
                call.timer.cancel()
        self._running.clear()
        self._busy.clear()
        for session, queue in list(self._queues.items()):
            for key in [key for key in queue if key[0] in _OF_ONE_PROCESS]:
                del queue[key]
            if not queue:
                del self._queues[session]

    def _pump(self) -> None:
        """Begin what can begin, the session that has waited longest first."""
        while self._process is not None and len(self._running) < AT_ONCE:
            session = next((each for each in self._queues if each not in self._busy), None)
            if session is None:
                return
            queue = self._queues.pop(session)
            if not queue:
                continue
            _, call = queue.popitem(last=False)
            if queue:
                self._queues[session] = queue  # behind the others
            self._begin(call, self._process)

    def _begin(self, call: Call, process: Process) -> None:
        self._number += 1
        number, session = self._number, call.session
        self._running[number] = call
        self._busy.add(session)
        is_first, session.known = not session.known, True
        fresh = session.take_fresh()
        process.send({
            "op": "call", "call": number, "session": session.id, "user": session.user, "event": call.event,
            "id": call.id, "value": call.value, "values": fresh.values, "ranges": fresh.ranges,
            "selections": fresh.selections,
            "set": [[*key, each] for key, each in session.things.items()] if is_first else [],
        })  # fmt: skip
        call.timer = asyncio.get_running_loop().call_later(self.seconds, self._late, number)

    def _late(self, number: int) -> None:
        call = self._running.get(number)
        if call is None or self._process is None:
            return
        call.late = True
        self._process.send({"op": "interrupt", "call": number})
        loop = asyncio.get_running_loop()
        call.timer = loop.call_later(_SECONDS_TO_GIVE_IN, self._too_late, number)

    def _too_late(self, number: int) -> None:
        if number in self._running and self._process is not None:
            self._process.kill(f"took longer than {self.seconds:g} s for a callback, and could not be interrupted")
