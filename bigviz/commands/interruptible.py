"""Ctrl-C in commands whose work looks at a flag, and leaves nothing half done."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from bigviz.common.cancel import Cancel

__all__ = ["INTERRUPTED", "interruptible"]

INTERRUPTED: Final = 130  # the exit status of a program ended by Ctrl-C


@contextmanager
def interruptible() -> Iterator[Cancel]:
    """A flag that Ctrl-C and SIGTERM raise; the second one ends the process at once, which loses nothing either."""
    cancel = Cancel()

    def end(number: int, frame: object) -> None:
        if cancel.cancelled:
            os._exit(INTERRUPTED)
        cancel.cancel()

    before = {each: signal.signal(each, end) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield cancel
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
