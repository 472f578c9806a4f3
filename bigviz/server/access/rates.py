"""How often one client may ask: a bucket for each address and each user, and the waits after wrong passwords."""

from __future__ import annotations

import time
from collections.abc import Hashable
from typing import Final

from cachetools import LRUCache

from bigviz.common.errors import TooMany
from bigviz.common.rate_limit import Tokens

__all__ = ["Failures", "Rates"]

_MOST_KEPT: Final = 10_000  # clients; of more, those that asked longest ago begin anew
_FREE_FAILURES: Final = 5
_FORGOTTEN: Final = 900.0  # seconds after which failures count no more


class Rates:
    """A token bucket for each client: `burst` requests at once, `rate` a second on average."""

    def __init__(self, burst: float, rate: float) -> None:
        self._burst, self._rate = burst, rate
        self._buckets: LRUCache[Hashable, Tokens] = LRUCache(_MOST_KEPT)

    def allows(self, client: Hashable) -> bool:
        """Count one request of a client; False where it is one too many."""
        bucket = self._buckets.get(client)
        if bucket is None:
            bucket = self._buckets[client] = Tokens(self._burst, self._rate)
        return bucket.pay()

    def pay(self, client: Hashable) -> None:
        """Count one request of a client; TooMany where it is one too many."""
        if not self.allows(client):
            message = f"Too many requests: a client may send {self._rate:,.0f} a second on average. Wait a second."
            raise TooMany(message, retry_after=1.0)


class Failures:
    """Wrong passwords of a client, or for a user. After five the next try has to wait: 1 s, 2 s, 4 s, ... `longest`.

    A try counts as failed from when it begins until it is known to have succeeded, so that many at once are no way
    round the wait; the wait is from when it is known to have failed.
    """

    def __init__(self, longest: float) -> None:
        self._longest = longest
        self._counts: LRUCache[Hashable, tuple[int, float]] = LRUCache(_MOST_KEPT)

    def begin(self, client: Hashable) -> None:
        """Count a try; TooMany, which tells how long to wait, where it comes too early."""
        wait = self.wait(client)
        if wait > 0:
            raise TooMany(f"Too many failed attempts: try again in {wait:.0f} s.", retry_after=wait)
        self._counts[client] = (self._count(client) + 1, time.monotonic())

    def wait(self, client: Hashable) -> float:
        """Seconds until the next try may begin, 0 if it may now."""
        beyond = self._count(client) - _FREE_FAILURES
        if beyond < 0:
            return 0.0
        _, since = self._counts[client]
        return max(0.0, since + min(self._longest, 2.0 ** min(beyond, 32)) - time.monotonic())

    def failed(self, client: Hashable) -> None:
        """A try has failed: the wait begins now."""
        self._counts[client] = (max(1, self._count(client)), time.monotonic())

    def succeeded(self, client: Hashable) -> None:
        """Forget the failures of a client."""
        self._counts.pop(client, None)

    def _count(self, client: Hashable) -> int:
        count, since = self._counts.get(client, (0, 0.0))
        return count if time.monotonic() - since < _FORGOTTEN else 0
