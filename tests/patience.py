"""How long a test waits for what must come. Nothing is measured by it: it only ends a test that hangs."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 200.0  # seconds: a machine that is busy with other work takes ten times what an idle one does


def eventually(ask: Callable[[], T]) -> T:
    """The first answer of a server that may turn some away before it, with an OSError."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return ask()
        except OSError:
            if time.monotonic() > end:
                raise


def until(met: Callable[[], bool]) -> None:
    """Ask again and again, until it is so."""
    end = time.monotonic() + PATIENCE
    while not met():
        assert time.monotonic() < end, "it never came"
