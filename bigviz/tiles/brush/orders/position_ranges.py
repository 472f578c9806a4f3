"""Rows of a source's order as ranges of positions, and from ranges to the rows that are meant.

Most rows of a brush lie in ranges of which every row is meant: what lies beside them is copied range by range, and
kernels over such copies run at the speed of vector instructions. Only rows on the border are picked one by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.jit import frozen, jit
from bigviz.tiles.brush.orders.shapes import Box

__all__ = ["PART", "Picked", "PositionRanges", "one_range", "parts_of", "picked_in", "whole_ranges"]

Array = npt.NDArray[Any]

PART: Final = 1 << 16  # rows that are looked at together: their cells stay in the processor's cache
_NO_BOUNDS: Final = np.zeros(8, np.uint64)
_NO_PLACES: Final = frozen(np.empty(0, np.uint32))
_NO_RANGES: Final = frozen(np.empty(0, np.int64))


@dataclass(frozen=True)
class PositionRanges:
    """Half-open ranges of positions, disjoint: `low`, `high` (int64), and `whole`, True where every row is meant. Of
    the others those rows are meant whose keys (by its `bounds`, see `code_window.spread_bounds`), and where these leave
    it open whose numbers, lie in `box`, or with `inverse` do not."""

    low: Array
    high: Array
    whole: npt.NDArray[np.bool_]
    bounds: Array = field(default_factory=lambda: _NO_BOUNDS)
    box: Box | None = None
    inverse: bool = False

    @property
    def rows(self) -> int:
        """Rows in all ranges, at least as many as are meant."""
        return int((self.high - self.low).sum())


@dataclass(frozen=True)
class Picked:
    """Some rows: those of half-open ranges of positions (int64), and then those at `places` (uint32)."""

    low: Array
    high: Array
    places: Array
    rows: int

    @staticmethod
    def at(places: Array) -> Picked:
        """The rows at some positions."""
        return Picked(_NO_RANGES, _NO_RANGES, frozen(places), len(places))

    @staticmethod
    def range(low: int, high: int) -> Picked:
        """The rows of one range of positions."""
        ends = np.array([low], np.int64), np.array([high], np.int64)
        return Picked(frozen(ends[0]), frozen(ends[1]), _NO_PLACES, high - low)

    def take(self, values: Array) -> Array:
        """A new array of the rows' values, of one value a row in the source's order."""
        out = np.empty(self.rows, values.dtype)
        _take(self.low, self.high, self.places, frozen(values), out)
        return out

    def positions(self) -> Array:
        """The positions of the rows, uint32."""
        out = np.empty(self.rows, np.uint32)
        _number(self.low, self.high, self.places, out)
        return out


def one_range(low: int, high: int) -> PositionRanges:
    """One whole range."""
    return whole_ranges(np.array([low], np.int64), np.array([high], np.int64))


def whole_ranges(low: Array, high: Array) -> PositionRanges:
    """Ranges of which every row is meant; empty ones are left out."""
    some = high > low
    return PositionRanges(low[some], high[some], np.ones(int(some.sum()), np.bool_))


def parts_of(ranges: PositionRanges, size: int = PART) -> Iterator[PositionRanges]:
    """The same rows in parts of at most `size`."""
    lengths = ranges.high - ranges.low
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    for start in range(0, total, size):
        stop = min(start + size, total)
        first, last = np.searchsorted(ends, [start, stop - 1], "right")
        part = slice(int(first), int(last) + 1)
        low, high = ranges.low[part].copy(), ranges.high[part].copy()
        low[0] += start - int(ends[first] - lengths[first])
        high[-1] -= int(ends[last]) - stop
        yield PositionRanges(low, high, ranges.whole[part], ranges.bounds, ranges.box, ranges.inverse)


def picked_in(part: PositionRanges, keys: Array) -> tuple[Picked, Array]:
    """The rows of a part, and the positions of those that the keys of the order leave open."""
    if part.whole.all():
        return Picked(frozen(part.low), frozen(part.high), _NO_PLACES, part.rows), _NO_PLACES
    whole, edge = part.whole, ~part.whole
    low, high = part.low[edge], part.high[edge]
    out = np.empty(int((high - low).sum()) + 1, np.uint32)
    count, unsure = _border(frozen(low), frozen(high), keys, frozen(part.bounds), part.inverse, out)
    ranges = part.low[whole], part.high[whole]
    rows = int((ranges[1] - ranges[0]).sum()) + count
    return Picked(frozen(ranges[0]), frozen(ranges[1]), frozen(out[:count]), rows), out[len(out) - unsure :]


@jit
def _border(lows: Array, highs: Array, keys: Array, bounds: Array, inverse: bool, out: Array) -> tuple[int, int]:
    """Write the positions of the rows that are meant to the front of `out`, and of those that their keys leave open to
    its end; without a branch on the data, since on a border none can be predicted."""
    bits_x, bits_y = np.uint64(0x5555555555555555), np.uint64(0xAAAAAAAAAAAAAAAA)
    x0, x1, y0, y1 = bounds[0], bounds[1], bounds[2], bounds[3]
    u0, u1, v0, v1 = bounds[4], bounds[5], bounds[6], bounds[7]
    count = 0
    end = out.size
    for r in range(lows.size):
        for k in range(lows[r], highs[r]):
            x, y = keys[k] & bits_x, keys[k] & bits_y
            maybe = (x >= x0) & (x <= x1) & (y >= y0) & (y <= y1)
            sure = (x >= u0) & (x <= u1) & (y >= v0) & (y <= v1)
            if maybe & (not sure):
                end -= 1
                out[end] = np.uint32(k)
                continue
            out[count] = np.uint32(k)
            count += sure != inverse
    return count, out.size - end


@jit
def _take(lows: Array, highs: Array, places: Array, values: Array, out: Array) -> None:
    at = 0
    for r in range(lows.size):
        low, count = lows[r], highs[r] - lows[r]
        here, there = values[low : low + count], out[at : at + count]
        for k in range(count):
            there[k] = here[k]
        at += count
    for k in range(places.size):
        out[at + k] = values[places[k]]


@jit
def _number(lows: Array, highs: Array, places: Array, out: Array) -> None:
    at = 0
    for r in range(lows.size):
        for k in range(lows[r], highs[r]):
            out[at] = np.uint32(k)
            at += 1
    for k in range(places.size):
        out[at + k] = places[k]
