"""Work in daemon threads, which are asked to end when the interpreter closes.

Nobody waits for a daemon thread while the program runs. But one that comes back from native code (a kernel, the
compiler, pyarrow) after the interpreter has begun to close is ended in the middle of it, with what it holds: that can
end the whole process with SIGABRT. So a closing interpreter asks them to end first, and waits a little.
"""

from __future__ import annotations

import asyncio
import atexit
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, TypeVar

from bigviz.common.errors import Cancelled

__all__ = ["in_thread", "is_closing", "start_daemon"]

T = TypeVar("T")

_SECONDS_TO_END: Final = 5.0  # all threads together; compiling one kernel takes up to a few seconds
_running: weakref.WeakKeyDictionary[threading.Thread, Callable[[], object]] = weakref.WeakKeyDictionary()
_closing = threading.Event()


def start_daemon(
    name: str, work: Callable[..., object], *args: Any, stop: Callable[[], object] = lambda: None
) -> threading.Thread:
    """Call `work(*args)` in a daemon thread. When the interpreter closes, `stop` is called to make it end soon; work
    that never waits may look at `is_closing` instead. Work that ends with Cancelled has ended as it was asked to."""
    thread = threading.Thread(target=_run, args=(work, args), name=name, daemon=True)
    _running[thread] = stop
    thread.start()
    return thread


def _run(work: Callable[..., object], args: tuple[Any, ...]) -> None:
    with suppress(Cancelled):
        work(*args)


def is_closing() -> bool:
    """Whether the interpreter closes: nobody needs what a daemon thread does any more."""
    return _closing.is_set()


@atexit.register
def _end_all() -> None:
    _closing.set()
    threads = [(thread, stop) for thread, stop in _running.items() if thread.is_alive()]
    for _, stop in threads:
        stop()
    end = time.monotonic() + _SECONDS_TO_END
    with suppress(KeyboardInterrupt):  # asked twice
        for thread, _ in threads:
            thread.join(max(0.0, end - time.monotonic()))


def in_thread(work: Callable[[], T]) -> asyncio.Future[T]:
    """The result of `work()`, run in a daemon thread of its own.

    A loop's default executor is joined when the loop is closed: opening a large file would then hold up Ctrl-C.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(value: T | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(value)  # type: ignore[arg-type]

    def run() -> None:
        value, error = None, None
        try:
            value = work()
        except BaseException as failure:
            error = failure
        with suppress(RuntimeError):  # the loop was closed meanwhile
            loop.call_soon_threadsafe(settle, value, error)

    start_daemon("bigviz-thread", run)
    return future
