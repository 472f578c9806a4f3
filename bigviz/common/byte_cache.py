"""A cache that is bounded by bytes, not by the number of items; the least recently used are dropped first."""

from __future__ import annotations

import threading
from collections.abc import Hashable
from typing import Any, Generic, Protocol, TypeVar

from cachetools import LRUCache

__all__ = ["ByteCache", "Sized"]


class Sized(Protocol):
    """Something that knows what keeping it costs."""

    @property
    def nbytes(self) -> int: ...


T = TypeVar("T", bound=Sized)


class ByteCache(Generic[T]):
    """At most `limit` bytes of items by key. Safe to use from any number of threads."""

    def __init__(self, limit: int) -> None:
        self._items: LRUCache[Hashable, T] = LRUCache(limit, getsizeof=_size)
        self._lock = threading.Lock()
        self.hits = 0
        self.misses = 0

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        with self._lock:
            return int(self._items.currsize)

    def __len__(self) -> int:
        with self._lock:
            return len(self._items)

    def get(self, key: Hashable) -> T | None:
        """The item, which becomes the most recently used; None if there is none."""
        with self._lock:
            item: T | None = self._items.get(key)
            if item is None:
                self.misses += 1
            else:
                self.hits += 1
            return item

    def put(self, key: Hashable, item: T) -> None:
        """Keep an item; one that is larger than the cache is not kept."""
        with self._lock:
            if item.nbytes <= self._items.maxsize:
                self._items[key] = item

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._items.clear()


def _size(item: Any) -> int:
    return int(item.nbytes)
