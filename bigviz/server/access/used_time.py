"""How much processor time users, addresses and connections have used lately: whoever has used the least is served
first."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping
from typing import Final

__all__ = ["UsedTime"]

_HALF_LIFE: Final = 2.0  # seconds: a pan's worth of work is forgotten before the next one
_MOST: Final = 30  # half-lives after which all values are put into a new unit, long before they overflow
_FORGOTTEN: Final = 1e-4  # seconds of work that are as good as none


class UsedTime:
    """Seconds of work by key, of which half is forgotten every two seconds.

    Values are kept in units that grow as fast as work is forgotten, so that keys are compared without a look at the
    clock, and only a charge costs arithmetic: forward decay (Cormode et al., https://doi.org/10.1109/ICDE.2009.65).
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._since = now()
        self._used: dict[Hashable, float] = {}

    def charge(self, key: Hashable, seconds: float) -> None:
        """Count so many seconds of work."""
        if seconds <= 0:
            return
        age = (self._now() - self._since) / _HALF_LIFE
        if age > _MOST:
            self._begin_anew(age)
            age = 0.0
        self._used[key] = self._used.get(key, 0.0) + seconds * 2.0**age

    @property
    def amounts(self) -> Mapping[Hashable, float]:
        """What keys have used lately, in units in which they can be compared; 0 for others."""
        return self._used

    def forget(self, key: Hashable) -> None:
        """Drop a key that does not come again."""
        self._used.pop(key, None)

    def _begin_anew(self, age: float) -> None:
        unit = 2.0 ** min(age, 1_000.0)
        self._used = {key: used / unit for key, used in self._used.items() if used / unit > _FORGOTTEN}
        self._since = self._now()
