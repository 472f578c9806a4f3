"""A token bucket: at most `burst` calls at once, and `rate` a second on average."""

from __future__ import annotations

import time

__all__ = ["Tokens"]


class Tokens:
    """A bucket: begins full with `burst` tokens and gets `rate` of them a second, up to `burst`."""

    def __init__(self, burst: float, rate: float) -> None:
        self._burst, self._rate = burst, rate
        self._left = burst
        self._refilled = time.monotonic()

    def pay(self) -> bool:
        """Take a token; False if there is none."""
        now = time.monotonic()
        self._left = min(self._burst, self._left + (now - self._refilled) * self._rate)
        self._refilled = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
