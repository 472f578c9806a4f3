"""Which work goes first: builds in the background make way for what somebody waits for, though not for ever.

A build looks (`give_way`) between slices of work. While requests run, or are expected because somebody has just opened
a page, it waits there. In any longer stretch of requests builds get a share of the time, so a viewer who never rests
slows them down but cannot stop them.

Nothing can lock up. A build looks where it holds no lock that a request could wait for: between the items of
`Crew.run`, between batches that were read, and between the nodes of a pyramid. (Values are gathered under their order's
lock, for which only builds wait; a request takes its turn when its layer is there, so it waits for no build.) A column
that is loaded into memory is read under its lock, so no look is taken there: a request that needed that column would
hold its turn and wait for the lock, and the build would hold the lock and wait for the turn. Should the rule be broken,
`PATIENCE` seconds are lost at most, because no look lasts longer.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from bigviz.common.cancel import Cancel

__all__ = ["PATIENCE", "QUIET", "SPELL", "Turns"]

PATIENCE: Final = 0.5  # seconds that builds pause at a time: more than a first picture takes
SPELL: Final = PATIENCE / 8  # seconds that they then have in any case: requests take three times as long meanwhile
QUIET: Final = 0.25  # seconds without a request, after which the next one finds builds patient again
_LOOK: Final = 0.01  # seconds between two looks at the cancel flag while a build waits


class Turns:
    """Gives requests priority over builds. Safe to use from any number of threads."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._free = threading.Condition()
        self._asked = 0
        self._expected = 0.0  # until when
        self._begun = 0.0  # when the stretch of requests began
        self._ended = 0.0  # when the last request did

    @contextmanager
    def request(self) -> Iterator[None]:
        """While this is held, builds pause at their next look."""
        with self._free:
            self._begin()
            self._asked += 1
        try:
            yield
        finally:
            with self._free:
                self._asked -= 1
                self._ended = self._now()
                if not self._asked:
                    self._free.notify_all()

    def expect(self, seconds: float) -> None:
        """Let builds pause for so long from now on, as if a request ran: one is about to come. This replaces what was
        expected before: the nearer a request is, the shorter builds wait for it."""
        with self._free:
            self._begin()
            self._expected = self._now() + seconds

    def give_way(self, cancel: Cancel) -> None:
        """Wait until no request runs, at most `PATIENCE` seconds; called by builds between slices of a few
        milliseconds, where they hold no lock. Raises Cancelled."""
        cancel.check()
        if not self._asked and not self._expected:  # reading a number is atomic: the common case takes no lock
            return
        with self._free:
            while self._must_wait():
                self._free.wait(_LOOK)
                cancel.check()

    # These are called with the lock held.

    def _begin(self) -> None:
        now = self._now()
        if not self._asked and now - max(self._ended, self._expected) > QUIET:
            self._begun = now

    def _must_wait(self) -> bool:
        now = self._now()
        if self._expected and now >= self._expected:
            self._ended, self._expected = max(self._ended, self._expected), 0.0
        return bool(self._asked or self._expected) and (now - self._begun) % (PATIENCE + SPELL) < PATIENCE
