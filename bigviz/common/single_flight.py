"""Work that several callers wait for is done once, in a thread of its own, until nobody waits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Final, Generic, TypeVar

from bigviz.common.cancel import Cancel
from bigviz.common.daemon_thread import start_daemon
from bigviz.common.errors import Cancelled
from bigviz.common.progress import Progress

__all__ = ["Flights"]

T = TypeVar("T")

_LOOK: Final = 0.005  # seconds between two looks at a caller's cancel flag


class _Flight(Generic[T]):
    """One piece of work under way."""

    def __init__(self) -> None:
        self.cancel = Cancel()
        self.landed = threading.Event()
        self.waiting: list[Progress] = []
        self.latest: tuple[str, float, int] | None = None
        self.result: T | None = None
        self.error: BaseException | None = None


class Flights(Generic[T]):
    """Shared work by key."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flights: dict[Hashable, _Flight[T]] = {}

    def under_way(self, key: Hashable) -> bool:
        """Whether work for the key has begun and not ended."""
        with self._lock:
            return key in self._flights

    def get(self, key: Hashable, work: Callable[[Progress, Cancel], T], progress: Progress, cancel: Cancel) -> T:
        """The result of `work(progress, cancel)`, begun now or joined.

        Every caller's `progress` is called, for late callers with the latest report first. A caller whose `cancel` is
        raised leaves with `Cancelled` within 5 ms; the work is cancelled when the last one has left. What the work
        raises, all raise.
        """
        cancel.check()
        with self._lock:
            flight = self._flights.get(key)
            if flight is None or flight.cancel.cancelled:
                flight = self._flights[key] = _Flight()
                start_daemon("bigviz-work", self._fly, key, flight, work, stop=flight.cancel.cancel)
            flight.waiting.append(progress)
            latest = flight.latest
        if latest is not None:
            progress(*latest)
        while not flight.landed.wait(_LOOK):
            if cancel.cancelled:
                self._leave(flight, progress)
                raise Cancelled()
        if flight.error is not None:
            raise flight.error
        return flight.result  # type: ignore[return-value]

    def _leave(self, flight: _Flight[T], progress: Progress) -> None:
        with self._lock:
            flight.waiting.remove(progress)
            if not flight.waiting:
                flight.cancel.cancel()

    def _fly(self, key: Hashable, flight: _Flight[T], work: Callable[[Progress, Cancel], T]) -> None:
        def tell(stage: str, done: float, rows: int) -> None:
            with self._lock:
                flight.latest = stage, done, rows
                told = list(flight.waiting)
            for progress in told:
                progress(stage, done, rows)

        try:
            flight.result = work(tell, flight.cancel)
        except BaseException as error:
            flight.error = error
        with self._lock:
            if self._flights.get(key) is flight:
                del self._flights[key]
        flight.landed.set()
