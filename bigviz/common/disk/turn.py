"""Turns among processes: what the first one makes, the others find made."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["turn"]


@contextmanager
def turn(path: Path, patience: float) -> Iterator[None]:
    """Alone among processes, and among threads, that take their turn at `path`, a file that is made and stays.

    A process that ends, however it does, ends its turn. After `patience` seconds of waiting, and where the file can
    neither be made nor locked, the block runs without a turn.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError:
        yield
        return
    try:
        end = time.monotonic() + patience
        while _is_taken(descriptor) and time.monotonic() < end:
            time.sleep(0.01)
        yield
    finally:
        with suppress(OSError):  # closing it ends no turn that a child was forked in
            fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def _is_taken(descriptor: int) -> bool:
    """Whether another one has its turn; otherwise this one has it now."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks
        return False
    return False
