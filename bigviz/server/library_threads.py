"""Threads in which the library is asked: a commit waits for the disk, and the event loop must not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, ParamSpec, TypeVar

__all__ = ["LibraryThreads"]

P = ParamSpec("P")
T = TypeVar("T")

_THREADS: Final = 4  # one writes at a time, the others read


class LibraryThreads:
    """A few threads, which a debugger shows under a name. Lives on the event loop."""

    def __init__(self, name: str = "bigviz-library") -> None:
        self._executor = ThreadPoolExecutor(_THREADS, name)

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of a function, called in one of the threads."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, lambda: call(*args, **kwargs))

    def begin(self, call: Callable[[], object]) -> None:
        """Call a function in one of the threads; nobody waits for it."""
        self._executor.submit(call)

    def close(self) -> None:
        """Begin nothing more, and wait for what was begun: a commit ends before the library is closed."""
        self._executor.shutdown(wait=True, cancel_futures=True)
