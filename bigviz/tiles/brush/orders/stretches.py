"""Rows of a source's order as ranges of positions, and from ranges to the positions of the rows that are meant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.jit import frozen, jit
from bigviz.tiles.brush.orders.shapes import Box

__all__ = ["PART", "Stretches", "parts_of", "positions_in", "stretch", "whole_stretches"]

Array = npt.NDArray[Any]

PART: Final = 1 << 16  # rows that are looked at together: their positions and cells stay in the processor's cache
_NO_BOUNDS: Final = np.zeros(8, np.uint64)


@dataclass(frozen=True)
class Stretches:
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


def stretch(low: int, high: int) -> Stretches:
    """One whole range."""
    return whole_stretches(np.array([low], np.int64), np.array([high], np.int64))


def whole_stretches(low: Array, high: Array) -> Stretches:
    """Ranges of which every row is meant; empty ones are left out."""
    some = high > low
    return Stretches(low[some], high[some], np.ones(int(some.sum()), np.bool_))


def parts_of(stretches: Stretches, size: int = PART) -> Iterator[Stretches]:
    """The same rows in parts of at most `size`."""
    lengths = stretches.high - stretches.low
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    for start in range(0, total, size):
        stop = min(start + size, total)
        first, last = np.searchsorted(ends, [start, stop - 1], "right")
        part = slice(int(first), int(last) + 1)
        low, high = stretches.low[part].copy(), stretches.high[part].copy()
        low[0] += start - int(ends[first] - lengths[first])
        high[-1] -= int(ends[last]) - stop
        yield Stretches(low, high, stretches.whole[part], stretches.bounds, stretches.box, stretches.inverse)


def positions_in(part: Stretches, keys: Array, out: Array) -> tuple[int, int]:
    """Write the positions of a part's rows (uint32) to the front of `out`, and to its end those that the keys leave
    open; how many of each. `keys` are those of the order, or none where all ranges are whole."""
    return _positions(
        frozen(part.low), frozen(part.high), frozen(part.whole), keys, frozen(part.bounds), part.inverse, out
    )


@jit
def _positions(
    lows: Array, highs: Array, whole: Array, keys: Array, bounds: Array, inverse: bool, out: Array
) -> tuple[int, int]:
    """Rows are written without a branch on the data: on a border none can be predicted."""
    bits_x, bits_y = np.uint64(0x5555555555555555), np.uint64(0xAAAAAAAAAAAAAAAA)
    x0, x1, y0, y1 = bounds[0], bounds[1], bounds[2], bounds[3]
    u0, u1, v0, v1 = bounds[4], bounds[5], bounds[6], bounds[7]
    count = 0
    end = out.size
    for r in range(lows.size):
        if whole[r]:
            for k in range(lows[r], highs[r]):
                out[count] = np.uint32(k)
                count += 1
            continue
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
