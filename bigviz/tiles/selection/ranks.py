"""Exact order statistics of numbers that are read in slices, in little memory, however they are distributed.

Numbers are compared by keys: unsigned integers in their order. Each pass narrows down the bins, 65,536 at a time, that
hold the wanted ranks, until few enough numbers are left to be sorted. None takes memory that grows with the rows: a
histogram a group and thread, and 2^16 keys.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from bigviz.common.jit import frozen, jit
from bigviz.common.workers import Crew
from bigviz.tiles.selection.histograms import Histograms
from bigviz.tiles.selection.sort_keys import KeyRule, key_of, number_of

__all__ = ["Load", "RankPasses", "Slice", "Tally", "histograms_of", "keys_within", "mean_of", "ranked"]

Array = npt.NDArray[Any]

_BITS: Final = 16  # of a histogram's bins
_BITS_OF_MANY: Final = 12  # the same for more than four groups
_FEW: Final = 1 << 16  # keys that are sorted: a pass over the numbers takes less than to sort more
_WINDOWS: Final = 6  # a group: two neighbours of each of three quartiles
_FULL: Final = np.uint64((1 << 64) - 1)
_ALL_VALID: Final = frozen(np.empty(0, np.uint8))
_NO_CODES: Final = frozen(np.empty(0, np.int8))


class Slice(NamedTuple):
    """Some numbers (float32, float64, int64 or uint64), those at the half-open ranges `low` to `high` of `values`.

    `valid` (uint8 or bool) and `codes` (the group of each number, -1 for none) belong to `values`; None: all are valid,
    all are of one group.
    """

    values: Array
    valid: Array | None
    codes: Array | None
    low: Array
    high: Array

    @property
    def rows(self) -> int:
        """How many there are."""
        return int((self.high - self.low).sum())


Load = Callable[[], Slice]


@dataclass
class Tally:
    """What the numbers of one group come to: `count` of those that are neither null nor NaN, their exact `total` (of
    integers) or the sum of their slices' sums, and the extremes."""

    count: int = 0
    total: int = 0
    sums: list[float] = field(default_factory=list)
    least: int = (1 << 64) - 1  # keys
    most: int = 0


class RankPasses(Protocol):
    """Passes over numbers, wherever they are. With `grouped` false they are looked at as those of one group."""

    def histograms(self, windows: Array, shifts: Sequence[int], bins: int, grouped: bool, crew: Crew) -> Array:
        """How many numbers are in each of `bins` bins (2^shift keys wide, by group) of each window of their groups,
        whose first keys are `windows`."""

    def within(self, windows: Array, last: Array, grouped: bool, crew: Crew) -> tuple[Array, Array]:
        """The keys (uint64) in the windows of their groups, which end with the key `last` of a group above the first,
        and which window each is in: six times the group, and the window's number (int32)."""


def ranked(
    passes: RankPasses,
    tallies: Sequence[Tally],
    wanted: Sequence[Sequence[int]],
    kind: np.dtype[Any],
    grouped: bool,
    crew: Crew,
) -> list[dict[int, int | float]]:
    """For each group the numbers at some ranks (from 0) of its numbers in ascending order, at most six."""
    found: list[dict[int, int]] = [{} for _ in tallies]
    bits = _BITS if len(tallies) <= 4 else _BITS_OF_MANY
    shift = [max(0, (each.most - each.least).bit_length() - bits) if each.count else 0 for each in tallies]
    # A target: (group, rank, first key of its window, rank within the window, numbers in the window)
    targets = [
        _Target(group, rank, tallies[group].least, rank, tallies[group].count)
        for group, ranks in enumerate(wanted)
        for rank in dict.fromkeys(ranks)
    ]
    wide = [1 << bits + each for each in shift]
    while targets:
        windows = _windows(targets, len(tallies))
        left = {(each.group, each.base): each.held for each in targets}
        if sum(left.values()) <= _FEW:
            last = np.array([min(each - 1, (1 << 64) - 1) for each in wide], np.uint64)
            _sorted(*passes.within(windows, last, grouped, crew), windows, targets, found)
            break
        counts = passes.histograms(windows, shift, 1 << bits, grouped, crew)
        targets = _narrowed(targets, windows, counts, shift, found)
        for group in range(len(tallies)):
            wide[group] = 1 << shift[group]
            shift[group] = max(0, shift[group] - bits)
    return [{rank: number_of(key, kind) for rank, key in each.items()} for each in found]


class _Target(NamedTuple):
    group: int
    rank: int
    base: int
    within: int
    held: int


def _windows(targets: Sequence[_Target], groups: int) -> Array:
    """The first keys of the windows of each group, ascending; the last one is repeated where there are fewer than
    six, so that it is found first."""
    out = np.zeros((groups, _WINDOWS), np.uint64)
    for group in range(groups):
        bases = sorted({each.base for each in targets if each.group == group})
        out[group] = (bases + [bases[-1]] * (_WINDOWS - len(bases))) if bases else [_FULL] * _WINDOWS
    return out


def histograms_of(loads: Sequence[Load], windows: Array, shift: Sequence[int], bins: int, crew: Crew) -> Array:
    """See `RankPasses.histograms`."""
    pool = Histograms((len(windows), max(len({*each}) for each in windows.tolist()), bins))
    shifts = np.array(shift, np.uint64)

    def look(load: Load) -> int:
        given = load()
        with pool.one() as counts:
            bits, rule, valid, codes, low, high = _terms(given)
            _histogram(bits, rule, valid, codes, low, high, frozen(windows), frozen(shifts), counts)
        return given.rows

    crew.run("finding quartiles", look, loads, len(loads))
    return pool.total()


def _narrowed(
    targets: Sequence[_Target], windows: Array, counts: Array, shift: Sequence[int], found: list[dict[int, int]]
) -> list[_Target]:
    """The targets in the bins that hold them; those whose bin is one key are found."""
    left = []
    summed: dict[tuple[int, int], Array] = {}
    for each in targets:
        window = int(np.searchsorted(windows[each.group], np.uint64(each.base)))
        line = counts[each.group, min(window, counts.shape[1] - 1)]
        name = (each.group, window)
        if name not in summed:
            summed[name] = np.cumsum(line, dtype=np.int64)
        bin = int(np.searchsorted(summed[name], each.within, "right"))
        base, count = each.base + (bin << shift[each.group]), int(line[bin])
        if shift[each.group] == 0:
            found[each.group][each.rank] = base
        else:
            left.append(_Target(each.group, each.rank, base, each.within - int(summed[name][bin]) + count, count))
    return left


def keys_within(loads: Sequence[Load], windows: Array, last: Array, crew: Crew) -> tuple[Array, Array]:
    """See `RankPasses.within`."""
    kept: list[tuple[Array, Array]] = []

    def look(load: Load) -> int:
        given = load()
        keys, which = np.empty(given.rows, np.uint64), np.empty(given.rows, np.int32)
        bits, rule, valid, codes, low, high = _terms(given)
        count = _collect(bits, rule, valid, codes, low, high, frozen(windows), frozen(last), keys, which)
        if count:
            kept.append((keys[:count].copy(), which[:count].copy()))
        return given.rows

    crew.run("finding quartiles", look, loads, len(loads))
    keys = np.concatenate([np.empty(0, np.uint64), *(each for each, _ in kept)])
    return keys, np.concatenate([np.empty(0, np.int32), *(each for _, each in kept)])


def _sorted(keys: Array, which: Array, windows: Array, targets: Sequence[_Target], found: list[dict[int, int]]) -> None:
    """Find what is left by sorting the keys in the windows."""
    order = np.lexsort((keys, which))
    keys, which = keys[order], which[order]
    for each in targets:
        window = int(np.searchsorted(windows[each.group], np.uint64(each.base)))
        start = int(np.searchsorted(which, each.group * _WINDOWS + window))
        found[each.group][each.rank] = int(keys[start + each.within])


def mean_of(tally: Tally, kind: np.dtype[Any]) -> float:
    """The mean of a tally that has a number; infinities make it infinite or NaN."""
    if kind.kind != "f":
        return tally.total / tally.count
    try:
        return math.fsum(tally.sums) / tally.count
    except (OverflowError, ValueError):  # infinities of both signs, or beyond float64
        return float(np.sum(tally.sums)) / tally.count


def _terms(given: Slice) -> tuple[Array, Array, Array, Array, Array, Array]:
    """The bits of the numbers, how these become keys, and the rest of a slice, as kernels take them."""
    values = frozen(given.values)
    rule = frozen(np.array(KeyRule.of(values.dtype), np.uint64))
    valid = _ALL_VALID if given.valid is None else frozen(given.valid.view(np.uint8))
    codes = _NO_CODES if given.codes is None else frozen(given.codes.astype(np.int8, copy=False))
    return values.view(f"u{values.dtype.itemsize}"), rule, valid, codes, frozen(given.low), frozen(given.high)


@jit
def _histogram(
    bits: Array, rule: Array, valid: Array, codes: Array, low: Array, high: Array, windows: Array, shifts: Array,
    counts: Array,
) -> None:  # fmt: skip
    """Count the numbers in each bin of the windows of their groups."""
    flip, smear, sign, magnitude, infinity = rule[0], rule[1], rule[2], rule[3], rule[4]
    none = windows.shape[0] - 1
    used, bins = counts.shape[1], np.uint64(counts.shape[2])
    for r in range(low.size):
        for k in range(low[r], high[r]):
            if valid.size > 0 and valid[k] == 0:
                continue
            word = np.uint64(bits[k])
            if word & magnitude > infinity:
                continue
            group = none
            if codes.size > 0 and codes[k] >= 0:
                group = codes[k]
            key = key_of(word, flip, smear, sign)
            for window in range(used):
                base = windows[group, window]
                if key < base:
                    break
                bin = (key - base) >> shifts[group]
                if bin < bins:
                    counts[group, window, bin] += np.uint32(1)
                    break


@jit
def _collect(
    bits: Array, rule: Array, valid: Array, codes: Array, low: Array, high: Array, windows: Array, last: Array,
    keys: Array, which: Array,
) -> int:  # fmt: skip
    """Write down the keys in the windows of their groups, and which window that is; how many there are."""
    flip, smear, sign, magnitude, infinity = rule[0], rule[1], rule[2], rule[3], rule[4]
    none = windows.shape[0] - 1
    count = 0
    for r in range(low.size):
        for k in range(low[r], high[r]):
            if valid.size > 0 and valid[k] == 0:
                continue
            word = np.uint64(bits[k])
            if word & magnitude > infinity:
                continue
            group = none
            if codes.size > 0 and codes[k] >= 0:
                group = codes[k]
            key = key_of(word, flip, smear, sign)
            for window in range(windows.shape[1]):
                base = windows[group, window]
                if key < base:
                    break
                if key - base <= last[group]:
                    keys[count] = key
                    which[count] = group * _WINDOWS + window
                    count += 1
                    break
    return count
