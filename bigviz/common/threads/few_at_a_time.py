"""Background work, a few pieces at a time, in the order in which it was asked for. Pieces that wait take no thread."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from bigviz.common.daemon_thread import start_daemon
from bigviz.common.errors import Cancelled

__all__ = ["FewAtATime", "Signal"]

_log = logging.getLogger("bigviz")

_Piece = tuple[Callable[[], object], Callable[[], object]]


class FewAtATime:
    """Daemon threads, `most` at a time, that are there while there is work. Safe to use from any number of threads."""

    def __init__(self, name: str, most: int = 1) -> None:
        self._name, self._most = name, most
        self._waiting: deque[_Piece] = deque()
        self._running: list[_Piece] = []
        self._threads = 0
        self._lock = threading.Lock()

    def begin(self, work: Callable[[], object], stop: Callable[[], object] = lambda: None) -> None:
        """Have some work done, after what was asked for before. When the interpreter closes, `stop` is called to make
        it end soon, or not begin."""
        with self._lock:
            self._waiting.append((work, stop))
            begins = self._threads < self._most
            self._threads += begins
        if begins:
            start_daemon(self._name, self._work, stop=self._stop)

    def _work(self) -> None:
        while (piece := self._next()) is not None:
            try:
                with suppress(Cancelled):
                    piece[0]()
            except Exception:
                _log.exception("%s: background work has failed", self._name)
            finally:
                with self._lock:
                    self._running.remove(piece)
            del piece  # what it was of may be given back

    def _next(self) -> _Piece | None:
        with self._lock:
            if not self._waiting:
                self._threads -= 1
                return None
            piece = self._waiting.popleft()
            self._running.append(piece)
            return piece

    def _stop(self) -> None:
        with self._lock:
            pieces = [*self._running, *self._waiting]
        for _, stop in pieces:
            stop()


class Signal:
    """What threads wait for, and what others are told of without one."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._told: list[Callable[[], object]] = []
        self._lock = threading.Lock()

    def is_set(self) -> bool:
        """Whether it has come."""
        return self._event.is_set()

    def set(self) -> None:
        """It has come, once and for all."""
        with self._lock:
            self._event.set()
            told, self._told = self._told, []
        for tell in told:
            tell()

    def wait(self, seconds: float) -> bool:
        """Wait for it, so many seconds at most; whether it has come."""
        return self._event.wait(seconds)

    def tell(self, told: Callable[[], object]) -> None:
        """Call this once it has come, in the thread that says so; at once if it has."""
        with self._lock:
            if not self._event.is_set():
                self._told.append(told)
                return
        told()
