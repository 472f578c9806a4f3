"""How long work reports its progress."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

__all__ = ["COMPILING", "Progress", "RowMeter", "listener", "listening", "no_progress"]

Progress = Callable[[str, float, int], None]
"""Called as `progress(stage, done, rows)`: `stage` a few words ("reading fare"), `done` from 0 to 1 and never falling
within a stage, `rows` the number of rows finished. Calls may come from any thread, one at a time."""


COMPILING: Final = "compiling, once on this machine"
"""The stage of work that waits for kernels to be compiled."""


def no_progress(stage: str, done: float, rows: int) -> None:
    """Say nothing."""


_listener: ContextVar[Progress] = ContextVar("progress", default=no_progress)


@contextmanager
def listening(progress: Progress) -> Iterator[None]:
    """Within the block, report to `progress` what this thread does, unless a call names another one: a script opens its
    files without knowing who waits for it."""
    token = _listener.set(progress)
    try:
        yield
    finally:
        _listener.reset(token)


def listener() -> Progress:
    """Where to report if the caller gives nothing; `no_progress` outside of `listening`."""
    return _listener.get()


class RowMeter:
    """Adds up the finished rows of any number of threads and reports them, one call at a time; `total` is their
    expected sum, and more are reported as all of it."""

    def __init__(self, stage: str, total: int, progress: Progress) -> None:
        self._stage, self._total, self._progress = stage, max(total, 1), progress
        self._rows = 0
        self._lock = threading.Lock()

    def add(self, rows: int) -> None:
        """Report that `rows` more rows are finished."""
        with self._lock:
            self._rows += rows
            self._progress(self._stage, min(self._rows / self._total, 1.0), self._rows)
