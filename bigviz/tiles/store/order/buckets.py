"""Which rows are sorted together: runs of key prefixes of about a million rows.

A histogram of the first 20 bits of the keys is cut into buckets. A prefix that holds too many rows for that is divided
by its next 16 bits, and so on, with another reading of the rows for each level (skewed data: one or two). So a bucket
fits in memory however the rows are spread, unless all its rows have one key, and those need no sorting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.jit import frozen, jit

__all__ = ["Buckets", "Count", "Level", "find_buckets"]

Array = npt.NDArray[Any]
Ints = npt.NDArray[np.int64]

FULL: Final = 1 << 20  # rows of a bucket, if prefixes allow
HEAVY: Final = 1 << 22  # rows of a prefix that is divided: 96 MB while it is sorted
_WIDTHS: Final = (20, 16, 16, 12)  # bits of a key that the levels divide by
_SHIFTS: Final = np.array([44, 28, 12, 0], np.int64)
_MASKS: Final = np.array([(1 << width) - 1 for width in _WIDTHS], np.int64)


@dataclass(frozen=True)
class Level:
    """A level of prefixes to be counted: those below the tables `base` and on of `finer`, or all where `depth` is 0."""

    depth: int
    first: npt.NDArray[np.int32]
    finer: npt.NDArray[np.int32]
    base: int

    def zeros(self) -> npt.NDArray[np.uint32]:
        """Counts of no rows, (tables, prefixes)."""
        tables = len(self.finer) - self.base if self.depth else 1
        return np.zeros((tables, 1 << _WIDTHS[self.depth]), np.uint32)

    def count(self, keys: Array, counts: npt.NDArray[np.uint32]) -> None:
        """Add the keys to the counts of their prefixes."""
        _count(frozen(keys), self.first, self.finer, _SHIFTS, _MASKS, self.depth, self.base, counts)


Count = Callable[[Level], npt.NDArray[np.uint32]]
"""Reads all rows and returns their counts at a level."""


@dataclass(frozen=True)
class Buckets:
    """The rows of each bucket, in key order, and the tables that say which bucket a key is in.

    `first[prefix]` is a bucket, or ~t where table `finer[t]` divides the prefix by the next bits.
    """

    first: npt.NDArray[np.int32]
    finer: npt.NDArray[np.int32]
    rows: Ints

    @cached_property
    def starts(self) -> Ints:
        """Where each bucket begins in the order, and the end of the last."""
        return np.concatenate([np.zeros(1, np.int64), np.cumsum(self.rows)])

    @cached_property
    def single(self) -> npt.NDArray[np.bool_]:
        """Where all rows of a bucket have one key: only such buckets are longer than can be sorted in memory."""
        return self.rows > HEAVY

    def place(self, keys: Array, buckets: Array, counts: Ints) -> None:
        """Write the bucket of each key into `buckets` (uint32) and add their numbers to `counts`."""
        _place(frozen(keys), self.first, self.finer, _SHIFTS, _MASKS, buckets, counts)


def find_buckets(count: Count) -> Buckets:
    """Cut the keys that `count` counts into buckets."""
    first = np.zeros(1 << _WIDTHS[0], np.int32)
    finer = np.zeros((0, 1 << max(_WIDTHS[1:])), np.int32)
    counts = [count(Level(0, first, finer, 0))[0]]  # of `first`, then of each table
    tables = [first]
    new = [0]
    for depth in range(1, len(_WIDTHS)):
        base = len(finer)
        heavy = [(table, prefix) for table in new for prefix in np.flatnonzero(counts[table] > HEAVY).tolist()]
        if not heavy:
            break
        for number, (table, prefix) in enumerate(heavy):
            tables[table][prefix] = ~(base + number)
        finer = np.concatenate([finer, np.zeros((len(heavy), finer.shape[1]), np.int32)])
        tables = [first, *finer]
        counts += list(count(Level(depth, first, finer, base)))
        new = list(range(base + 1, len(tables)))
    leaves = list(_leaves(0, tables, counts))
    rows = _number([entries for entries, _ in leaves], np.concatenate([held for _, held in leaves]))
    return Buckets(first, finer, rows)


def _leaves(table: int, tables: list[Array], counts: list[Array]) -> Iterator[tuple[Array, Array]]:
    """Runs of prefixes that are not divided, in key order: their entries and their counts."""
    size, at = len(counts[table]), 0
    for divided in np.flatnonzero(tables[table][:size] < 0).tolist():
        yield tables[table][at:divided], counts[table][at:divided]
        yield from _leaves(-int(tables[table][divided]), tables, counts)
        at = divided + 1
    yield tables[table][at:size], counts[table][at:]


def _number(runs: list[Array], counts: Array) -> Ints:
    """Number the buckets that neighbouring prefixes make, as many as fit, in the runs of entries; the buckets' rows."""
    ends = np.cumsum(counts, dtype=np.int64)
    cuts = [0]
    while cuts[-1] < len(ends):
        before = int(ends[cuts[-1] - 1]) if cuts[-1] else 0
        cuts.append(max(int(np.searchsorted(ends, before + FULL, "right")), cuts[-1] + 1))
    numbers = np.repeat(np.arange(len(cuts) - 1, dtype=np.int32), np.diff(cuts))
    at = 0
    for run in runs:
        run[:] = numbers[at : at + len(run)]
        at += len(run)
    rows: Ints = np.diff(ends[np.array(cuts[1:]) - 1], prepend=0)
    return rows


@jit
def _count(
    keys: Array, first: Array, finer: Array, shifts: Array, masks: Array, depth: int, base: int, counts: Array
) -> None:
    if depth == 0:
        for k in range(keys.size):
            counts[0, np.int64(keys[k] >> np.uint64(shifts[0]))] += 1
        return
    for k in range(keys.size):
        entry = first[np.int64(keys[k] >> np.uint64(shifts[0]))]
        level = 1
        while entry < 0 and level < depth:
            entry = finer[-1 - entry, np.int64(keys[k] >> np.uint64(shifts[level])) & masks[level]]
            level += 1
        if entry < 0:
            counts[-1 - entry - base, np.int64(keys[k] >> np.uint64(shifts[depth])) & masks[depth]] += 1


@jit
def _place(keys: Array, first: Array, finer: Array, shifts: Array, masks: Array, buckets: Array, counts: Array) -> None:
    for k in range(keys.size):
        entry = first[np.int64(keys[k] >> np.uint64(shifts[0]))]
        level = 1
        while entry < 0:
            entry = finer[-1 - entry, np.int64(keys[k] >> np.uint64(shifts[level])) & masks[level]]
            level += 1
        buckets[k] = entry
        counts[entry] += 1
