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


class ValueTally:
    """Values of cells; each cell is told with the levels from which and to which it holds these rows. Safe to use from
    any threads."""

    def __init__(self) -> None:
        self._extremes: list[LevelValues | None] = [None] * LEVELS
        self._zeros = np.zeros(LEVELS, np.int64)
        self._samples: list[list[tuple[Array, Array]]] = [[] for _ in range(LEVELS)]
        self._sizes = [0] * LEVELS
        self._lock = threading.Lock()

    def tell(self, values: Array, keys: Array, level: int, last: Array) -> None:
        """Finite values, in float64, int64 or uint64, of cells from a level on to the level `last` of each; `keys` are
        those of their first rows."""
        if not len(values):
            return
        lows, highs = np.empty(LEVELS, values.dtype), np.empty(LEVELS, values.dtype)
        seen = np.zeros(LEVELS, np.bool_)
        zeros = np.empty(len(values), np.uint8)
        with self._lock:
            least = np.minimum.accumulate(self._zeros[level:])
        _note(frozen(values), frozen(keys), frozen(last), lows, highs, seen, zeros)
        drawn = np.flatnonzero(zeros >= least[last - level])
        some = values[drawn], zeros[drawn], last[drawn]
        with self._lock:
            self._extend(lows, highs, seen, level)
            for each in range(level, int(last.max()) + 1):
                self._draw(each, *some)

    def levels(self) -> tuple[LevelValues, ...]:
        """The values of each level, ascending."""
        found = []
        for level, extremes in enumerate(self._extremes):
            if extremes is None:
                found.append(LevelValues(np.empty(0), np.empty(0, np.int64)))
                continue
            sample = np.concatenate([values for values, _ in self._samples[level]])
            values, places = np.unique(np.concatenate([sample, extremes.values]), return_inverse=True)
            weights = np.bincount(places[: len(sample)], minlength=len(values))
            found.append(LevelValues(values, weights))
        return tuple(found)

    def _extend(self, lows: Array, highs: Array, seen: Array, level: int) -> None:
        """Take in the extremes of cells by their last level; each cell is one of all levels from `level` on."""
        low = high = None
        for each in range(LEVELS - 1, level - 1, -1):
            if seen[each]:
                low = lows[each] if low is None else min(low, lows[each])
                high = highs[each] if high is None else max(high, highs[each])
            if low is None or high is None:
                continue
            known = self._extremes[each]
            ends = np.array([low, high]) if known is None else np.append(known.values, [low, high])
            self._extremes[each] = LevelValues(np.array([ends.min(), ends.max()]), np.zeros(2, np.int64))

    def _draw(self, level: int, values: Array, zeros: Array, last: Array) -> None:
        drawn = (last >= level) & (zeros >= self._zeros[level])
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


@jit
def _note(values: Array, keys: Array, last: Array, lows: Array, highs: Array, seen: Array, zeros: Array) -> None:
    """The extremes of values by `last`, and how many zeros end the hash of each key (as splitmix64 mixes its state)."""
    for k in range(values.size):
        at, value = last[k], values[k]
        if not seen[at]:
            lows[at] = highs[at] = value
            seen[at] = True
        elif value < lows[at]:
            lows[at] = value
        elif value > highs[at]:
            highs[at] = value
        mixed = keys[k]
        mixed = (mixed ^ (mixed >> _SHIFT)) * _MIX
        mixed = (mixed ^ (mixed >> _LATER)) * _REMIX
        mixed ^= mixed >> _LAST
        count = 0
        while mixed & _ONE == np.uint64(0) and count < _MOST_ZEROS:
            mixed >>= _ONE
            count += 1
        zeros[k] = count
