"""Who may compute: what is built behind makes way for what somebody waits for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from bigviz.data.cancel import Cancel

__all__ = ["Turns"]

_LOOK: Final = 0.01  # seconds between two looks of who waits at its cancel flag


class Turns:
    """Requests go first. Safe to use from any number of threads."""

    def __init__(self) -> None:
        self._free = threading.Condition()
        self._asked = 0

    @contextmanager
    def request(self) -> Iterator[None]:
        """While this is held, builds pause at their next look."""
        with self._free:
            self._asked += 1
        try:
            yield
        finally:
            with self._free:
                self._asked -= 1
                if not self._asked:
                    self._free.notify_all()

    def give_way(self, cancel: Cancel) -> None:
        """Wait until no request runs; called by builds between slices of a few milliseconds. Raises Cancelled."""
        cancel.check()
        if not self._asked:  # reading an int is atomic: the common case takes no lock
            return
        with self._free:
            while self._asked:
                self._free.wait(_LOOK)
                cancel.check()
