"""The edges of a histogram's bins: equal bins over the range of the data, each halved as often as one zooms in.

Bins are half-open, the last one of the range is closed, as numpy.histogram has them. The bins of a level are those of
the level before, halved: bars of levels nest, and every count is the sum of two.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from bigviz.tiles.grid.window import Number

__all__ = ["BinRule", "Edges"]

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Edges:
    """The ascending edges of some bins that follow each other: int64 or uint64 on axes of whole numbers, else float64.
    `first` is the number of the first of them at their level, `closed` says that the last one holds its upper edge."""

    values: Array
    first: int
    closed: bool

    def __len__(self) -> int:
        """How many bins they are."""
        return max(len(self.values) - 1, 0)


@dataclass(frozen=True)
class BinRule:
    """`count` bins over the range from `low` to `high`, the extremes of the data, which are of `dtype`.

    Of floats edge j of n is `low + j * step` with `step = (high - low) / n`, which is numpy.linspace. Of whole numbers
    it is the least one that is not below `low + j * (high - low) / n`, exactly; where these bins would be no wider than
    1, each whole number has a bin of its own, `[v, v + 1)`.
    """

    low: Number
    high: Number
    count: int
    dtype: np.dtype[Any]

    @property
    def is_whole(self) -> bool:
        """Whether edges are whole numbers."""
        return self.dtype.kind != "f"

    def level(self, low: Number, high: Number) -> int:
        """How often bins are halved in a window: as often as the range is to become no wider than the window, and never
        so often that whole numbers or floats would not tell them apart."""
        shown, whole = Fraction(high) - Fraction(low), Fraction(self.high) - Fraction(self.low)
        level = 0
        while whole > 0 and whole >= 2 * shown * (1 << level) and self._divides(level):
            level += 1
        return level

    def edges(self, low: Number, high: Number) -> Edges:
        """The edges of the bins that a window from `low` to `high` meets; where each whole number is a bin, that of
        `high` too."""
        level = self.level(low, high)
        return self._whole(level, low, high) if self.is_whole else self._floats(level, float(low), float(high))

    def _divides(self, level: int) -> bool:
        """Whether the bins of a level can be halved."""
        n = self.count << level
        if self.is_whole:
            return n < int(self.high) - int(self.low)
        return self._step(2 * n) >= 4 * float(np.spacing(max(abs(float(self.low)), abs(float(self.high)))))

    def _step(self, n: int) -> float:
        low, high = float(self.low), float(self.high)
        step = (high - low) / n
        return step if math.isfinite(step) else high / n - low / n

    def _floats(self, level: int, low: float, high: float) -> Edges:
        start, stop = float(self.low), float(self.high)
        n = self.count << level
        if start == stop:  # as numpy has it
            half = max(0.5, abs(start) * 2.0**-20)
            start, stop, n = start - half, stop + half, self.count
        step = self._step(n) if float(self.low) != float(self.high) else (stop - start) / n
        first, last = _between(low, high, n, lambda j: stop if j == n else start + j * step)
        values = start + np.arange(first, last + 1, dtype=np.float64) * step
        if last == n:
            values[-1] = stop
        return Edges(values, first, last == n)

    def _whole(self, level: int, low: Number, high: Number) -> Edges:
        start, stop = int(self.low), int(self.high)
        n, span = self.count << level, int(self.high) - int(self.low)
        if n >= span:
            first = min(max(math.floor(low), start), stop + 1)
            last = min(max(math.floor(high) + 1, first), stop + 1)
            return Edges(_integers(list(range(first, last + 1)), self.dtype), first - start, last == stop + 1)

        def edge(j: int) -> int:
            return start - (-span * j) // n

        first, last = _between(low, high, n, edge)
        return Edges(_integers([edge(j) for j in range(first, last + 1)], self.dtype), first, last == n)


def _between(low: Number, high: Number, n: int, edge: Any) -> tuple[int, int]:
    """The numbers of the first bin that a window meets and of the one after the last, of n bins with ascending edges;
    equal where it meets none."""

    def edges_before(number: Number, closed: bool) -> int:
        """How many edges lie below a number, or on it."""
        least, most = 0, n + 1
        while least < most:
            middle = (least + most) // 2
            if edge(middle) < number or (closed and edge(middle) == number):
                least = middle + 1
            else:
                most = middle
        return least

    if high < edge(0) or low > edge(n):
        return 0, 0
    first = min(max(edges_before(low, True) - 1, 0), n - 1)
    return first, min(max(edges_before(high, False), first + 1), n)


def _integers(values: list[int], dtype: np.dtype[Any]) -> Array:
    """Whole numbers in an axis's dtype; beyond its largest one, which only the end of the last bin is, that one."""
    top = np.iinfo(dtype).max
    return np.array([min(value, top) for value in values], dtype)
