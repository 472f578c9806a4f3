"""The memory that all brushes of an engine share: orders of rows, and columns in these orders."""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import Any, Final, Protocol, TypeVar, cast

from bigviz.common.errors import TooLarge
from bigviz.common.memory import available_memory
from bigviz.common.single_flight import Flights
from bigviz.common.workers import Crew
from bigviz.data.dataset import Dataset

__all__ = ["BrushMemory"]


class _Sized(Protocol):
    @property
    def nbytes(self) -> int: ...


T = TypeVar("T", bound=_Sized)

_PEAK: Final = 3  # times the bytes of a column are in memory while it is made, at most


class BrushMemory:
    """At most `limit` bytes by key; the least recently used are dropped first. What a brush uses stays in memory as
    long as it does, and counts. Safe to use from any number of threads."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: OrderedDict[tuple[Hashable, ...], Any] = OrderedDict()
        self._alive: weakref.WeakValueDictionary[tuple[Hashable, ...], Any] = weakref.WeakValueDictionary()
        self._flights: Flights[Any] = Flights()
        self._lock = threading.Lock()

    @property
    def nbytes(self) -> int:
        """Bytes held, those in use included."""
        with self._lock:
            return self._nbytes()

    def get(self, key: tuple[Hashable, ...], nbytes: int, make: Callable[[Crew], T], crew: Crew) -> T:
        """What is kept under a key, or is made now, which is expected to take `nbytes`; callers at the same time share
        that. Raises what `make` does, and TooLarge where memory does not hold it."""
        found = self.find(key)
        if found is None:
            self._check(nbytes)

            def work(progress: Any, cancel: Any) -> T:
                return make(replace(crew, progress=progress, cancel=cancel))

            found = self._flights.get(key, work, crew.progress, crew.cancel)
            self._put(key, found)
        return cast("T", found)

    def drop_dataset(self, dataset: Dataset) -> None:
        """Forget what is kept of a version of a dataset, as whose keys begin with its fingerprint and version."""
        of = dataset.fingerprint, dataset.version
        with self._lock:
            # What is still in use may be over a store that is damaged: it is not found again.
            for held in (self._kept, self._alive):
                for key in [key for key in held if key[:2] == of]:
                    held.pop(key, None)

    def find(self, key: tuple[Hashable, ...]) -> Any:
        """What is kept under a key, or None."""
        with self._lock:
            found = self._alive.get(key)
            if found is not None:
                self._kept[key] = found
                self._kept.move_to_end(key)
            return found

    def _put(self, key: tuple[Hashable, ...], item: Any) -> None:
        with self._lock:
            self._kept[key] = self._alive[key] = item
            self._kept.move_to_end(key)
            while len(self._kept) > 1 and sum(each.nbytes for each in self._kept.values()) > self._limit:
                self._kept.popitem(last=False)

    def _check(self, nbytes: int) -> None:
        """Make room. Raises TooLarge where what is in use leaves none."""
        with self._lock:
            while self._kept and self._nbytes() + nbytes > self._limit:
                self._kept.popitem(last=False)
            room = min(self._limit - self._nbytes(), available_memory() // _PEAK)
        if nbytes > room:
            raise TooLarge(
                f"a brush needs {nbytes / 1e9:.2g} GB of memory more, and {max(room, 0) / 1e9:.2g} GB are free for it",
                None,
                nbytes,
            )

    def _nbytes(self) -> int:
        return int(sum(each.nbytes for each in list(self._alive.values())))
