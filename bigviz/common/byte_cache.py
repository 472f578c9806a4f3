"""A cache that is bounded by bytes, not by the number of items; the least recently used are dropped first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, Protocol, TypeVar

__all__ = ["ByteCache", "Sized"]


class Sized(Protocol):
    """Something that knows what keeping it costs."""

    @property
    def nbytes(self) -> int:
        """Bytes."""


T = TypeVar("T", bound=Sized)


class ByteCache(Generic[T]):
    """At most `limit` bytes of items by key. Safe to use from any number of threads."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._items: OrderedDict[Hashable, tuple[T, int]] = OrderedDict()
        self._nbytes = 0
        self._lock = threading.Lock()
        self.hits = 0
        self.misses = 0

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        with self._lock:
            return self._nbytes

    def __len__(self) -> int:
        with self._lock:
            return len(self._items)

    def get(self, key: Hashable) -> T | None:
        """The item, which becomes the most recently used; None if there is none."""
        with self._lock:
            found = self._items.get(key)
            if found is None:
                self.misses += 1
                return None
            self.hits += 1
            self._items.move_to_end(key)
            return found[0]

    def put(self, key: Hashable, item: T) -> None:
        """Keep an item; one that is larger than the cache is not kept."""
        size = item.nbytes
        if size > self._limit:
            return
        with self._lock:
            self._nbytes += size - self._items.pop(key, (None, 0))[1]
            self._items[key] = item, size
            while self._nbytes > self._limit:
                self._nbytes -= self._items.popitem(last=False)[1][1]

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._items.clear()
            self._nbytes = 0
