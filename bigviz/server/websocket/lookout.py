"""One timer for all connections whose output waits: one for each would make a thousand slow ones a thousand tasks."""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

__all__ = ["Lookout", "Watched"]

_SECONDS: Final = 0.25  # between two looks


class Watched(Protocol):
    """Something that is to be looked at while output waits."""

    def look(self, now: float) -> bool:
        """Look at it, at a time of the loop; whether to look again."""


class Lookout:
    """Looks four times a second at what is watched, and has no timer while nothing is. Lives on the event loop."""

    def __init__(self) -> None:
        self._watched: dict[Watched, None] = {}  # in the order in which they came
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, what: Watched) -> None:
        """Look at it from now on, until it says that there is nothing more to see."""
        self._watched[what] = None
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_SECONDS, self._look)

    def forget(self, what: Watched) -> None:
        """Look at it no more."""
        self._watched.pop(what, None)

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        try:
            for each in list(self._watched):
                if each in self._watched:  # others may have ended this one
                    self._look_at(each, now)
        finally:
            self._timer = loop.call_later(_SECONDS, self._look) if self._watched else None

    def _look_at(self, what: Watched, now: float) -> None:
        """Look at one. What cannot be looked at is forgotten: it must not keep the others from it."""
        again = False
        try:
            again = what.look(now)
        finally:
            if not again:
                self.forget(what)
