"""How far datasets have been appended to while this server ran, and when."""

from __future__ import annotations

import time
from typing import Final

__all__ = ["Heads"]

_KEPT: Final = 256  # versions of a dataset whose times are known


class Heads:
    """The last versions of each dataset that was appended to. Lives on the event loop."""

    def __init__(self) -> None:
        self._times: dict[str, dict[int, float]] = {}

    def expect(self, dataset: str) -> None:
        """A dataset is about to be appended to: its rows may be seen before they are told of."""
        self._times.setdefault(dataset, {})

    def tell(self, dataset: str, version: int, since: float | None = None) -> None:
        """A dataset has a version since then (None: now), none of which is told after a later one."""
        times = self._times.setdefault(dataset, {})
        times[version] = time.time() if since is None else since
        if len(times) > _KEPT:
            del times[next(iter(times))]

    def forget(self, dataset: str) -> None:
        """A dataset is replaced: its versions go on, but are no appends to what it was."""
        self._times.pop(dataset, None)

    @property
    def names(self) -> list[str]:
        """The datasets that something is known of."""
        return list(self._times)

    def __contains__(self, dataset: str) -> bool:
        """Whether a dataset was, or is being, appended to since it was uploaded, or this server started."""
        return dataset in self._times

    def version(self, dataset: str) -> int:
        """The last version of a dataset; 0 where none is known."""
        return next(reversed(self._times.get(dataset, {})), 0)

    def time(self, dataset: str, version: int) -> float | None:
        """When a version, or the last one known before it, was there: seconds since the epoch; None for none."""
        times = self._times.get(dataset, {})
        return next((times[each] for each in reversed(times) if each <= version), None)
