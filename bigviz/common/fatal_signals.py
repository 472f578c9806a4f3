"""A line in the log of a process that the operating system ends."""

from __future__ import annotations

import faulthandler
import sys
from contextlib import suppress

__all__ = ["log_fatal_signals"]


def log_fatal_signals() -> None:
    """If a signal such as SIGBUS ends the process, write to standard error which one it was, and where.

    That happens when a file that is mapped into memory is cut short by another program. A handler that pytest or a
    notebook set up before stays; nothing is done if standard error is not a file.
    """
    if not faulthandler.is_enabled():
        with suppress(AttributeError, OSError, ValueError):
            faulthandler.enable(sys.stderr, all_threads=False)
