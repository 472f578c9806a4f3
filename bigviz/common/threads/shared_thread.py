"""Work that several tasks of an event loop want at the same time is done once, in a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from functools import partial
from typing import Any, Final, TypeVar
from weakref import WeakKeyDictionary

from bigviz.common.daemon_thread import in_thread

__all__ = ["in_shared_thread"]

T = TypeVar("T")

_Running = dict[Hashable, asyncio.Future[Any]]
_running: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, _Running]] = WeakKeyDictionary()


async def in_shared_thread(key: Hashable, work: Callable[[], T]) -> T:
    """The result of `work()`, run in a daemon thread; who comes with an equal key meanwhile waits for the same one. It
    goes on where all of them have left, so that those who come and go again and again have one thread, not many."""
    running = _running.setdefault(asyncio.get_running_loop(), {})
    future: asyncio.Future[T] | None = running.get(key)
    if future is None:
        future = running[key] = in_thread(work)
        future.add_done_callback(partial(_over, running, key))
    return await asyncio.shield(future)


def _over(running: _Running, key: Hashable, future: asyncio.Future[Any]) -> None:
    del running[key]
    if not future.cancelled():
        future.exception()  # perhaps nobody waits for it any more
