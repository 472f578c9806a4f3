"""A part of a line: some of its rows in x order, with their numbers in the dataset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bigviz.tiles.series.series import Series
from bigviz.tiles.series.sorted_numbers import Ascending, Positions

__all__ = ["Part", "first_above"]

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Part:
    """The rows of a series from position `start` on; row k of the series is row `base + k` of the dataset.

    Equal x follow each other by row number. `owner` is what holds the memory, of `nbytes`, which parts of other
    versions share.
    """

    series: Series
    base: int
    start: int
    owner: object
    nbytes: int

    def __len__(self) -> int:
        return len(self.series) - self.start

    @property
    def stop(self) -> int:
        """Where the rows end."""
        return len(self.series)

    def numbers(self, positions: Array) -> npt.NDArray[np.int64]:
        """The row numbers of positions."""
        return self.series.numbers(positions) + self.base

    def x_of(self, position: int) -> Any:
        """The x of one position."""
        return self.series.x.at(np.array([position]))[0]

    def rank(self, x: Array, rows: Array) -> Positions:
        """The first position that is not before each of some rows (their x, in the series' dtype, and numbers)."""
        numbers = self.series.x
        found = np.maximum(numbers.first(_edges(x)), self.start)
        inside = np.flatnonzero(found < len(numbers))
        if not len(inside):
            return found
        at = found[inside]
        tied = inside[(numbers.at(at) == x[inside]) & (self.numbers(at) < rows[inside])]
        if len(tied):
            found[tied] = self._among_equals(found[tied], first_above(numbers, x[tied]), rows[tied])
        return found

    def _among_equals(self, low: Positions, high: Positions, rows: Array) -> Positions:
        """Bisect ranges of equal x by row number."""
        while (low < high).any():
            middle = (low + high) >> 1
            below = (low < high) & (self.numbers(np.minimum(middle, self.stop - 1)) < rows)
            high = np.where(below | (low >= high), high, middle)
            low = np.where(below, middle + 1, low)
        return low


def first_above(numbers: Ascending, x: Array) -> Positions:
    """The first position whose number is above each of some numbers, which are of the same dtype."""
    if x.dtype.kind == "f":
        return numbers.first(np.nextafter(_edges(x), np.inf))
    top = np.iinfo(x.dtype).max
    found = numbers.first(np.where(x < top, x, x - 1) + x.dtype.type(1))
    return np.where(x < top, found, len(numbers))


def _edges(x: Array) -> Array:
    return x.astype(np.float64) if x.dtype.kind == "f" else x
