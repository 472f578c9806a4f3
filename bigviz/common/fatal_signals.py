"""A last word in the log of a process that the operating system ends."""

from __future__ import annotations

import faulthandler
import sys
from contextlib import suppress

__all__ = ["log_fatal_signals"]


def log_fatal_signals() -> None:
    """Write to standard error which signal ended the process, and where in it, if one such as SIGBUS does.

    Files that are mapped into memory and cut short by somebody else end a process so. What was set up before, by pytest
    or a notebook, stays; nothing is done where standard error is no file.
    """
    if not faulthandler.is_enabled():
        with suppress(AttributeError, OSError, ValueError):
            faulthandler.enable(sys.stderr, all_threads=False)
