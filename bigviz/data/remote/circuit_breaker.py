"""A host that does not answer is not asked for a while: who would wait for it is told at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import Final

__all__ = ["CircuitBreaker"]

_FAILURES: Final = 3
_OPEN: Final = 30.0  # seconds


class CircuitBreaker:
    """Counts the requests in a row that got no answer. After three of them none is sent for 30 s; then one, and no
    other until it is known what became of it. Failures that are all about one object do not count against its host.
    Used from one thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._asked_for: set[Hashable] = set()
        self._until = 0.0
        self._tried = False  # one request is under way to see whether the host answers again

    def refused_for(self) -> float:
        """The seconds in which no request is sent; 0 where one may be sent now, whose outcome has to be told."""
        if self._failures < _FAILURES or (len(self._asked_for) == 1 and None not in self._asked_for):
            return 0.0
        left = self._until - self._clock()
        if left > 0:
            return left
        if self._tried:
            return _OPEN
        self._tried = True
        return 0.0

    def answered(self) -> None:
        """An answer came, even if it was a refusal."""
        self._failures, self._tried = 0, False
        self._asked_for.clear()

    def unanswered(self, asked_for: Hashable = None) -> None:
        """None came in time; `asked_for` is the object whose fault that may be."""
        self._failures, self._tried = self._failures + 1, False
        if len(self._asked_for) < _FAILURES:
            self._asked_for.add(asked_for)
        self._until = self._clock() + _OPEN

    def given_up(self) -> None:
        """Nobody waits for the answer any more."""
        self._tried = False
