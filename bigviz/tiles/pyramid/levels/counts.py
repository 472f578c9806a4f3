"""How many cells of each level hold how many rows, exactly.

A cell that holds the same rows on several levels is counted once, for all of them.
"""

from __future__ import annotations

import threading
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.jit import frozen, jit
from bigviz.common.workers import Crew, slices
from bigviz.render.level_values import LevelValues
from bigviz.tiles.morton.sorted_keys import Fenced, SortedKeys, open_block, run_end
from bigviz.tiles.pyramid.levels.merge_level import LEVELS, merge_level

__all__ = ["CountTally", "count_levels"]

Array = npt.NDArray[Any]

_ROWS: Final = 1 << 20  # counted at a time
_SMALL: Final = 1024  # counts below it have a place in a table
_ALL: Final = LEVELS - 1


class CountTally:
    """Counts of cells by level; each cell is told with the levels from which and to which it holds these rows. Safe to
    use from any threads."""

    def __init__(self) -> None:
        self._small = np.zeros((LEVELS + 1, _SMALL), np.int64)  # differences from one level to the next
        self._large: list[Array] = []
        self._lock = threading.Lock()

    def add(self, small: Array, large: Array) -> None:
        """Add a table of differences, and large counts as rows of (count, first level, last level)."""
        with self._lock:
            self._small += small
            if len(large):
                self._large.append(large.copy())

    def tell(self, counts: Array, first: int, last: Array) -> None:
        """Cells that hold `counts` rows (0: not filled) from the level `first` to the level `last` of each."""
        small = np.zeros((LEVELS + 1, _SMALL), np.int64)
        large = np.empty((len(counts), 3), np.int64)
        found = _note_all(frozen(counts), first, frozen(last), small, large)
        self.add(small, large[:found])

    def levels(self, dtype: type = np.int64) -> tuple[LevelValues, ...]:
        """The counts of each level, ascending, as numbers of a dtype."""
        small = np.cumsum(self._small, axis=0)
        large = np.concatenate([np.empty((0, 3), np.int64), *self._large])
        found = []
        for level in range(LEVELS):
            values, weights = np.unique(large[(large[:, 1] <= level) & (large[:, 2] >= level), 0], return_counts=True)
            low = np.flatnonzero(small[level, 1:]) + 1
            counts: Array = np.concatenate([low, values]).astype(dtype)
            found.append(LevelValues(counts, np.concatenate([small[level, low], weights])))
        return tuple(found)


def count_levels(guard: SortedKeys, crew: Crew) -> tuple[LevelValues, ...]:
    """The numbers of rows in the cells of each level, 0 to 24. Raises Cancelled, Unreadable."""
    tally = CountTally()

    def count(part: tuple[int, int]) -> int:
        low, high = part
        small = np.zeros((LEVELS + 1, _SMALL), np.int64)
        large = np.empty((LEVELS * ((high - low) // _SMALL + 2), 3), np.int64)
        found = _count(guard.fenced, low, high, small, large)
        guard.keys.check()
        tally.add(small, large[:found])
        return high - low

    crew.run("counting cells", count, slices(len(guard), _ROWS), len(guard))
    return tally.levels()


@jit
def _note(count: int, first: int, last: int, small: Array, large: Array, found: int) -> int:
    """A cell that holds so many rows from the level `first` to the level `last`."""
    if count < _SMALL:
        small[first, count] += 1
        small[last + 1, count] -= 1
        return found
    large[found, 0], large[found, 1], large[found, 2] = count, first, last
    return found + 1


@jit
def _note_all(counts: Array, first: int, last: Array, small: Array, large: Array) -> int:
    found = 0
    for k in range(counts.size):
        if counts[k] > 0 and last[k] >= first:
            found = _note(counts[k], first, last[k], small, large, found)
    return found


@jit
def _count(fenced: Fenced, low: int, high: int, small: Array, large: Array) -> int:
    """Count the cells whose first row is one of `low` to `high`, which may end later.

    A stack holds the open ones: each is that of the levels from `levels` on, to where the next one's begin.
    """
    keys = fenced.keys
    levels, starts = np.empty(LEVELS + 1, np.int64), np.empty(LEVELS + 1, np.int64)
    depth, found = 0, 0
    for block in range(max(low - 1, 0) >> 13, (min(high, keys.size - 1) >> 13) + 1):
        open_block(fenced, block)
    for k in range(low, high + 1):
        level = -1 if k == 0 or k == keys.size else merge_level(keys[k - 1], keys[k])
        if level == _ALL:
            continue
        last = _ALL
        while depth > 0 and levels[depth - 1] > level:
            depth -= 1
            found = _note(k - starts[depth], levels[depth], last, small, large, found)
            last = levels[depth] - 1
        if depth > 0 and last > level:
            found = _note(k - starts[depth - 1], level + 1, last, small, large, found)
        if k < high:
            levels[depth], starts[depth] = level + 1, k
            depth += 1
    return _close(fenced, high, levels, starts, depth, small, large, found)


@jit
def _close(
    fenced: Fenced, high: int, levels: Array, starts: Array, depth: int, small: Array, large: Array, found: int
) -> int:
    """Find the ends of the cells that are open at the row `high`."""
    keys = fenced.keys
    if depth == 0 or high == keys.size:
        return found
    end = high
    for level in range(merge_level(keys[high - 1], keys[high]), levels[0] - 1, -1):
        while levels[depth - 1] > level:
            depth -= 1
        end = run_end(fenced, end - 1, keys.size, np.uint64(2 * (_ALL - level)))
        found = _note(end - starts[depth - 1], level, level, small, large, found)
    return found
