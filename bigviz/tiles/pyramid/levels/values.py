"""Values of cells by level: their extremes, and a sample of bounded size.

Which cells are in a level's sample depends on their keys alone: a cell is drawn by the zeros at the end of a hash, and
the number of zeros that it takes is the lowest that leaves no more cells than there is room for.
"""

from __future__ import annotations

import threading
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.jit import frozen, jit
from bigviz.render.level_values import LevelValues
from bigviz.tiles.pyramid.levels.merge_level import LEVELS

__all__ = ["MOST_SAMPLED", "ValueTally"]

Array = npt.NDArray[Any]

MOST_SAMPLED: Final = 1 << 13  # cells of a level
_ONE, _SHIFT, _LATER, _LAST = (np.uint64(bits) for bits in (1, 30, 27, 31))
_MIX, _REMIX = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_MOST_ZEROS: Final = 40
_LEFT_OUT: Final = 255


class ValueTally:
    """Values of cells; each cell is told with the levels from which and to which it holds these rows. Safe to use from
    any threads."""

    def __init__(self) -> None:
        self._extremes: list[tuple[Any, Any] | None] = [None] * LEVELS
        self._zeros = np.zeros(LEVELS, np.int64)
        self._samples: list[list[tuple[Array, Array]]] = [[] for _ in range(LEVELS)]
        self._sizes = [0] * LEVELS
        self._lock = threading.Lock()

    def tell(self, values: Array, keys: Array, first: Array, last: Array) -> None:
        """Finite values, in float64, int64 or uint64, of cells from the level `first` to the level `last` of each;
        `keys` are those of their first rows."""
        if not len(values):
            return
        lows, highs = np.empty((LEVELS, LEVELS), values.dtype), np.empty((LEVELS, LEVELS), values.dtype)
        seen = np.zeros((LEVELS, LEVELS), np.bool_)
        zeros = np.empty(len(values), np.uint8)
        with self._lock:
            least = _least(self._zeros)
        found = _note(frozen(values), frozen(keys), frozen(first), frozen(last), lows, highs, seen, least, zeros)
        drawn = np.flatnonzero(zeros < _LEFT_OUT)
        some = values[drawn], zeros[drawn], first[drawn], last[drawn]
        with self._lock:
            for level in range(LEVELS):
                here = seen[: level + 1, level:]
                if here.any():
                    self._extend(level, lows[: level + 1, level:][here].min(), highs[: level + 1, level:][here].max())
            for level in range(LEVELS if found else 0):
                self._draw(level, *some)

    def levels(self) -> tuple[LevelValues, ...]:
        """The values of each level, ascending."""
        found = []
        for level, extremes in enumerate(self._extremes):
            if extremes is None:
                found.append(LevelValues(np.empty(0), np.empty(0, np.int64)))
                continue
            sample = np.concatenate([values for values, _ in self._samples[level]])
            values, places = np.unique(np.append(sample, np.array(extremes)), return_inverse=True)
            weights = np.bincount(places[: len(sample)], minlength=len(values))
            found.append(LevelValues(values, weights))
        return tuple(found)

    def _extend(self, level: int, low: Any, high: Any) -> None:
        known = self._extremes[level]
        self._extremes[level] = (low, high) if known is None else (min(low, known[0]), max(high, known[1]))

    def _draw(self, level: int, values: Array, zeros: Array, first: Array, last: Array) -> None:
        drawn = (first <= level) & (last >= level) & (zeros >= self._zeros[level])
        if not drawn.any():
            return
        self._samples[level].append((values[drawn], zeros[drawn]))
        self._sizes[level] += int(drawn.sum())
        while self._sizes[level] > MOST_SAMPLED:
            values, zeros = (np.concatenate(each) for each in zip(*self._samples[level], strict=True))
            self._zeros[level] += 1
            kept = zeros >= self._zeros[level]
            self._samples[level] = [(values[kept], zeros[kept])]
            self._sizes[level] = int(kept.sum())


def _least(zeros: Array) -> Array:
    """The fewest zeros that a level takes, by the first and the last of some levels."""
    return np.array([np.minimum.accumulate(np.where(np.arange(LEVELS) < level, 255, zeros)) for level in range(LEVELS)])


@jit
def _note(
    values: Array,
    keys: Array,
    first: Array,
    last: Array,
    lows: Array,
    highs: Array,
    seen: Array,
    least: Array,
    zeros: Array,
) -> int:
    """The extremes of values by `first` and `last`, and how many zeros end the hash of each key (as splitmix64 mixes
    its state), `_LEFT_OUT` where it is fewer than `least`. How many are not left out."""
    found = 0
    for k in range(values.size):
        begin, end, value = first[k], last[k], values[k]
        if not seen[begin, end]:
            lows[begin, end] = highs[begin, end] = value
            seen[begin, end] = True
        elif value < lows[begin, end]:
            lows[begin, end] = value
        elif value > highs[begin, end]:
            highs[begin, end] = value
        mixed = keys[k]
        mixed = (mixed ^ (mixed >> _SHIFT)) * _MIX
        mixed = (mixed ^ (mixed >> _LATER)) * _REMIX
        mixed ^= mixed >> _LAST
        count = 0
        while mixed & _ONE == np.uint64(0) and count < _MOST_ZEROS:
            mixed >>= _ONE
            count += 1
        zeros[k] = count if count >= least[begin, end] else _LEFT_OUT
        found += count >= least[begin, end]
    return found
