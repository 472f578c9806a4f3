"""Work on the event loop that several callers wait for: done once, and given up when nobody waits any more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

__all__ = ["SharedTasks"]

T = TypeVar("T")


class _Shared(Generic[T]):
    def __init__(self, task: asyncio.Task[T]) -> None:
        self.task = task
        self.waiting = 0


class SharedTasks(Generic[T]):
    """The work under way, by key. Lives on the event loop."""

    def __init__(self) -> None:
        self._under_way: dict[Hashable, _Shared[T]] = {}

    async def get(self, key: Hashable, begin: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The result of `begin()`, begun now or joined; what it raises, all raise. It is cancelled once all callers
        were."""
        shared = self._under_way.get(key)
        if shared is None:
            shared = self._under_way[key] = _Shared(asyncio.ensure_future(begin()))
        shared.waiting += 1
        try:
            return await asyncio.shield(shared.task)
        finally:
            shared.waiting -= 1
            if not shared.waiting:
                shared.task.cancel()  # nothing where it is done
                if self._under_way.get(key) is shared:
                    del self._under_way[key]
