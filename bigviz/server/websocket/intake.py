"""Whether one browser still receives: which of the bytes sent to it TCP has acknowledged, and how fast."""

from __future__ import annotations

from bigviz.server.limits import Limits

__all__ = ["Intake"]


class Intake:
    """Measures one connection: looked at now and then while output waits in the server or in its kernel, with times of
    a steady clock.

    It is over for a browser that acknowledges no byte for `stalled_seconds`, however much it has asked for meanwhile,
    and for one that is slower than that and `slowest_bytes` a second with what waited at one time.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._heard: float | None = None  # when a byte was acknowledged last, or began to wait; None: nothing waits
        self._taken = 0
        self._goal = 0  # bytes that are acknowledged once what waits now is
        self._end = 0.0  # by when they have to be

    def begin(self, now: float, taken: int, waiting: int) -> None:
        """Output begins to wait, where none did: `taken` bytes of all were acknowledged, `waiting` were not."""
        if self._heard is None:
            self._heard, self._taken = now, taken
            self._aim(now, waiting)

    def look(self, now: float, taken: int, waiting: int) -> None:
        """What has become of it."""
        if not waiting:
            self._heard = None
            return
        self.begin(now, taken, waiting)
        if taken > self._taken:
            self._heard = now
        self._taken = taken  # less than before where a frame's own head waits too
        if taken >= self._goal:
            self._aim(now, waiting)

    @property
    def is_done(self) -> bool:
        """Whether nothing waits."""
        return self._heard is None

    def rests_for(self, now: float) -> float:
        """Seconds in which nothing was acknowledged of what waits."""
        return 0.0 if self._heard is None else now - self._heard

    def is_over(self, now: float) -> bool:
        """Whether the browser takes too long."""
        if self._heard is None:
            return False
        return self.rests_for(now) >= self._limits.stalled_seconds or now >= self._end

    def _aim(self, now: float, waiting: int) -> None:
        self._goal = self._taken + waiting
        self._end = now + self._limits.stalled_seconds + waiting / self._limits.slowest_bytes
