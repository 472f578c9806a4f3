"""The threads of one brush, which share work with the thread that asks for it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import suppress

__all__ = ["BrushThreads"]


class BrushThreads:
    """`count` threads, the calling one among them; one call at a time."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="bigviz-brush")

    def share(self, work: Callable[[int], None]) -> None:
        """Call `work(thread)` on every thread, by number; the calling one is number 0. Raises what it does."""
        futures: list[Future[None]] = []
        with suppress(RuntimeError):  # the brush is being closed: this thread alone ends what it began
            futures = [self._pool.submit(work, thread) for thread in range(1, self.count)]
        try:
            work(0)
        finally:
            for future in futures:
                with suppress(CancelledError):  # it was not begun when the brush was closed
                    future.result()

    def each(self, count: int, work: Callable[[int], None]) -> None:
        """Call `work(k)` for each k below a count, on all threads."""
        todo = iter(range(count))

        def go(thread: int) -> None:
            for k in todo:  # the interpreter's lock lets one thread at a time ask for the next one
                work(k)

        if count > 1:
            self.share(go)
        else:
            go(0)

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)
