"""The bytes of all HTTP answers together: a client that reads slowly must not make the server hold more and more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bigviz.common.errors import Busy, TooLarge

__all__ = ["Budget", "Held"]


class Budget:
    """At most `most` bytes are held. Lives on the event loop."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.held = 0

    def admit(self, size: int) -> None:
        """Take `size` bytes; Busy when they do not fit now, TooLarge when they never do."""
        self.check(size)
        if self.held + size > self.most:
            raise Busy(f"Answers of {self.held >> 20} MiB are on their way already: try again in a second.")
        self.held += size

    def check(self, size: int) -> None:
        """TooLarge for what never fits."""
        if size > self.most:
            raise TooLarge(f"An answer of {size >> 20} MiB is over the limit of {self.most >> 20} MiB.", None, size)

    def release(self, size: int) -> None:
        """Give back what `admit` took."""
        self.held -= size

    @contextmanager
    def hold(self, size: int) -> Iterator[Held]:
        """Hold `size` bytes for an answer that is to be computed, until it is written or given up."""
        held = Held(self)
        held.set(size)
        try:
            yield held
        finally:
            held.set(0)


class Held:
    """What one answer holds of the budget."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._size = 0

    def set(self, size: int) -> None:
        """The answer turns out to have `size` bytes. Raises what `Budget.admit` does where it grows."""
        if size > self._size:
            self._budget.check(size)
            self._budget.admit(size - self._size)
        else:
            self._budget.release(self._size - size)
        self._size = size
