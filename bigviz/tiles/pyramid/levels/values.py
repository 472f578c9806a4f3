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

__all__ = ["MOST_SAMPLED", "ValueTally", "fewest_zeros", "key_hash", "key_zeros", "level_of"]

Array = npt.NDArray[Any]

MOST_SAMPLED: Final = 1 << 13  # cells of a level
_ONE, _SHIFT, _LATER, _LAST = (np.uint64(bits) for bits in (1, 30, 27, 31))
_MIX, _REMIX = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_MOST_ZEROS: Final = 40
_LEFT_OUT: Final = 255


class ValueTally:
    """Values of cells; each cell is told with the levels from which and to which it holds these rows. Safe to use from
    any threads."""

    def __init__(self, times: int = 1) -> None:
        """`times` as many cells are sampled as are needed."""
        self._times = times
        self._extremes: list[tuple[Any, Any] | None] = [None] * LEVELS
        self._zeros = np.zeros(LEVELS, np.int64)
        self._samples: list[list[tuple[Array, Array, Array]]] = [[] for _ in range(LEVELS)]
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
        some = values[drawn], zeros[drawn], keys[drawn], first[drawn], last[drawn]
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
            values, zeros, _ = self.sample(level)
            found.append(level_of(values, zeros, extremes))
        return tuple(found)

    def sample(self, level: int) -> tuple[Array, Array, Array]:
        """The values of the cells that are drawn of a level, their zeros, and their keys."""
        none = np.empty(0), np.empty(0, np.uint8), np.empty(0, np.uint64)
        parts = self._samples[level] or [none]
        values, zeros, keys = (np.concatenate(each) for each in zip(*parts, strict=True))
        return values, zeros, keys

    def floor(self, level: int) -> int:
        """The fewest zeros of a cell that is drawn of a level."""
        return int(self._zeros[level])

    def _extend(self, level: int, low: Any, high: Any) -> None:
        known = self._extremes[level]
        self._extremes[level] = (low, high) if known is None else (min(low, known[0]), max(high, known[1]))

    def _draw(self, level: int, values: Array, zeros: Array, keys: Array, first: Array, last: Array) -> None:
        drawn = (first <= level) & (last >= level) & (zeros >= self._zeros[level])
        if not drawn.any():
            return
        self._samples[level].append((values[drawn], zeros[drawn], keys[drawn]))
        self._sizes[level] += int(drawn.sum())
        while self._sizes[level] > self._times * MOST_SAMPLED:
            self._zeros[level] += 1
            sample = self.sample(level)
            kept = sample[1] >= self._zeros[level]
            values, zeros, keys = (each[kept] for each in sample)
            self._samples[level] = [(values, zeros, keys)]
            self._sizes[level] = len(values)


def level_of(values: Array, zeros: Array, extremes: tuple[Any, Any] | None) -> LevelValues:
    """The values of a level, ascending: those of the cells with the fewest zeros that are not too many, and the
    lowest and the highest of all cells (None: there are no cells)."""
    if extremes is None:
        return LevelValues(np.empty(0), np.empty(0, np.int64))
    sample = values[zeros >= fewest_zeros(zeros)]
    held = np.sort(np.append(sample, np.array(extremes)))
    if held.dtype.kind == "f":
        held += 0.0  # of two zeros, the one without a sign
    firsts = np.flatnonzero(np.append(True, held[1:] != held[:-1]))
    weights = np.diff(firsts, append=len(held))
    weights[0] -= 1
    weights[-1] -= 1
    return LevelValues(held[firsts], weights)


def fewest_zeros(zeros: Array) -> int:
    """The lowest number that at most as many cells have or exceed as are sampled."""
    cells = np.bincount(zeros)[::-1].cumsum()[::-1]
    return int(np.count_nonzero(cells > MOST_SAMPLED))


def _least(zeros: Array) -> Array:
    """The fewest zeros that a level takes, by the first and the last of some levels."""
    return np.array([np.minimum.accumulate(np.where(np.arange(LEVELS) < level, 255, zeros)) for level in range(LEVELS)])


def key_zeros(keys: Array) -> npt.NDArray[np.uint8]:
    """How many zeros end the hash of each key."""
    zeros = np.empty(len(keys), np.uint8)
    _zeros_of_all(frozen(keys), zeros)
    return zeros


@jit
def _zeros_of_all(keys: Array, zeros: Array) -> None:
    for k in range(keys.size):
        zeros[k] = _zeros_of(keys[k])


@jit
def key_hash(key: np.uint64) -> np.uint64:
    """The hash of a key, as splitmix64 mixes its state."""
    mixed = (key ^ (key >> _SHIFT)) * _MIX
    mixed = (mixed ^ (mixed >> _LATER)) * _REMIX
    return mixed ^ (mixed >> _LAST)


@jit
def _zeros_of(key: np.uint64) -> int:
    """How many zeros end the hash of a key."""
    mixed, count = key_hash(key), 0
    while mixed & _ONE == np.uint64(0) and count < _MOST_ZEROS:
        mixed >>= _ONE
        count += 1
    return count


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
    """The extremes of values by `first` and `last`, and how many zeros end the hash of each key, `_LEFT_OUT` where it
    is fewer than `least`. How many are not left out."""
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
        count = _zeros_of(keys[k])
        zeros[k] = count if count >= least[begin, end] else _LEFT_OUT
        found += count >= least[begin, end]
    return found
