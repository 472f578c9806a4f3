"""The rows of a window as ranges of an order, those that lie close to each other read as one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.tiles.morton.quadtree import Ranges

__all__ = ["BLOCK", "Runs"]

Array = npt.NDArray[Any]

BLOCK: Final = 1 << 16  # rows that are taken at a time
_GAP: Final = 1 << 10  # rows outside the window that are read along rather than skipped


@dataclass(frozen=True)
class Runs:
    """Half-open ranges of positions of an order, `low` and `high` (int64), ascending and apart."""

    low: Array
    high: Array

    @staticmethod
    def of(ranges: Ranges) -> Runs:
        """The ranges that hold all rows of a window, those close to each other joined."""
        order = np.argsort(ranges.low, kind="stable")
        low, high = ranges.low[order], ranges.high[order]
        if not len(low):
            return Runs(low, high)
        apart = low[1:] - high[:-1] > _GAP
        return Runs(low[np.append(True, apart)], high[np.append(apart, True)])

    @property
    def rows(self) -> int:
        """Rows in all ranges."""
        return int((self.high - self.low).sum())

    def parts(self, count: int) -> list[Runs]:
        """The same rows in so many parts of about as many rows, at least one."""
        if count == 1:
            return [self]
        ends = np.cumsum(self.high - self.low)
        cuts = [self.rows * k // count for k in range(count + 1)]
        return [self._between(ends, start, stop) for start, stop in pairwise(cuts)]

    def _between(self, ends: Array, start: int, stop: int) -> Runs:
        """Those of the rows with the places `start` to `stop` (exclusive) among all."""
        begins = ends - (self.high - self.low)
        low = self.low + np.clip(start - begins, 0, None)
        high = self.high - np.clip(ends - stop, 0, None)
        some = low < high
        return Runs(low[some], high[some])

    def within(self, low: int, high: int) -> Runs:
        """Those of the rows with positions from `low` to `high` (exclusive)."""
        first, stop = np.searchsorted(self.high, low, "right"), np.searchsorted(self.low, high)
        return Runs(np.maximum(self.low[first:stop], low), np.minimum(self.high[first:stop], high))

    def blocks(self) -> Iterator[tuple[int, int]]:
        """Ranges of at most a block, cut where boxes end."""
        for low, high in zip(self.low.tolist(), self.high.tolist(), strict=True):
            while low < high:
                stop = min((low // BLOCK + 1) * BLOCK, high)
                yield low, stop
                low = stop
