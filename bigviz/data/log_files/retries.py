"""When to try again what a disk has refused: after a pause that doubles with each failure."""

from __future__ import annotations

import time
from typing import Final

__all__ = ["Retries"]

_FIRST_PAUSE: Final = 10.0  # seconds, and twice as many after each failure
_LONGEST_PAUSE: Final = 3_600.0


class Retries:
    """The files of a log, by number, with which something has failed."""

    def __init__(self) -> None:
        self._failed: dict[int, tuple[float, float]] = {}  # when to try again, and the pause until then

    def failed(self, number: int) -> None:
        """It has failed once more."""
        _, before = self._failed.get(number, (0.0, 0.0))
        pause = min(2 * before, _LONGEST_PAUSE) or _FIRST_PAUSE
        self._failed[number] = time.monotonic() + pause, pause

    def done(self, number: int) -> None:
        """It has gone well, or there is nothing to try any more."""
        self._failed.pop(number, None)

    def is_due(self, number: int) -> bool:
        """Whether it may be tried now: it has not failed, or some time ago."""
        due, _ = self._failed.get(number, (0.0, 0.0))
        return time.monotonic() >= due
