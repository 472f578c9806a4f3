"""Exact tallies and order statistics of numbers, of all and by group, in two passes over most columns.

The first pass counts, adds up, finds the extremes, and fills a histogram of 65,536 bins that a sample has chosen; the
second one collects the few keys of the bins in which the wanted ranks lie. Where these are many, because numbers clump,
`ranks` narrows the bins down in further passes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from bigviz.common.jit import frozen
from bigviz.common.workers import Crew
from bigviz.tiles.selection.histograms import Histograms
from bigviz.tiles.selection.quantile_kernels import collect, survey
from bigviz.tiles.selection.ranks import Load, RankPasses, Slice, Tally, histograms_of, keys_within, ranked
from bigviz.tiles.selection.sort_keys import KeyRule, keys_of, number_of

__all__ = ["LoadedNumbers", "Passes", "Quantiles", "Surveyed", "Window", "quantiles"]

Array = npt.NDArray[Any]
Ranks = Callable[[int], Sequence[int]]

_BITS: Final = 16  # of a histogram's bins
_BITS_OF_MANY: Final = 14  # the same for more than eight groups
_MANY: Final = 8
_LOOKED: Final = 4  # slices of which a sample is taken
_SAMPLE: Final = 1 << 10  # numbers of each
_MOST_COLLECTED: Final = 1 << 21  # keys that are sorted, else bins are narrowed down
_ROOM: Final = 1 << 12
_NO_CODES: Final = frozen(np.empty(0, np.int8))
_ALL_VALID: Final = frozen(np.empty(0, np.uint8))
_NO_FLOATS: Final = frozen(np.empty(0, np.float64))


@dataclass(frozen=True)
class Quantiles:
    """What is known of some numbers: their tally, and the numbers at the ranks that were asked for."""

    tally: Tally
    at: dict[int, int | float]


class Passes(RankPasses, Protocol):
    """Passes over numbers of groups 0 to `groups` - 1, and of none, wherever they are."""

    @property
    def groups(self) -> int:
        """How many groups there are; without any, all numbers are of none."""

    def ends(self, crew: Crew) -> tuple[int, int] | None:
        """The least and the greatest key of some of the numbers; None where there are none among them."""

    def survey(self, window: Window, crew: Crew) -> Surveyed:
        """What the numbers come to, by group."""

    def collected(self, window: Window, flags: Array, crew: Crew) -> tuple[Array, Array]:
        """The keys (uint64) in bins that are flagged for their groups (uint8, of shape (groups + 1, bins)), and their
        groups (int8)."""


def quantiles(passes: Passes, ranks: Ranks, kind: np.dtype[Any], crew: Crew) -> list[Quantiles]:
    """Of all numbers, then, where there are groups, of groups 0 to `groups` - 1, and of the numbers of none.

    `ranks(count)` says which ranks (from 0, in ascending order of the numbers, at most six) are wanted of so many;
    `kind` is the dtype of the numbers: float32, float64, int64 or uint64. Raises what passes do, and Cancelled.
    """
    groups = passes.groups
    window = Window.between(passes.ends(crew), _BITS if groups <= _MANY else _BITS_OF_MANY)
    surveyed = passes.survey(window, crew)
    tallies, bins = [*surveyed.tallies], surveyed.bins
    if groups:
        tallies, bins = [_together(tallies), *tallies], np.concatenate([bins.sum(axis=0, keepdims=True), bins])
    wanted = [[*dict.fromkeys(ranks(each.count))] if each.count else [] for each in tallies]
    at = _within_bins(passes, window, bins, wanted, kind, crew)
    if at is None:
        at = ranked(passes, surveyed.tallies, wanted[1:] if groups else wanted, kind, True, crew)
        if groups:
            at = ranked(passes, tallies[:1], wanted[:1], kind, False, crew) + at
    return [Quantiles(*each) for each in zip(tallies, at, strict=True)]


@dataclass(frozen=True)
class Surveyed:
    """The tallies of groups and of none, and their histograms (int64, of shape (groups + 1, bins))."""

    tallies: list[Tally]
    bins: Array


@dataclass(frozen=True)
class LoadedNumbers:
    """See `Passes`. Each of the `loads` may be called several times."""

    loads: Sequence[Load]
    groups: int

    def ends(self, crew: Crew) -> tuple[int, int] | None:
        keys = _sampled(self.loads)
        return (int(keys.min()), int(keys.max())) if len(keys) else None

    def survey(self, window: Window, crew: Crew) -> Surveyed:
        return _survey_all(self.loads, self.groups, window, crew)

    def collected(self, window: Window, flags: Array, crew: Crew) -> tuple[Array, Array]:
        return _collected(self.loads, window, flags, crew)

    def histograms(self, windows: Array, shifts: Sequence[int], bins: int, grouped: bool, crew: Crew) -> Array:
        return histograms_of(self._loads(grouped), windows, shifts, bins, crew)

    def within(self, windows: Array, last: Array, grouped: bool, crew: Crew) -> tuple[Array, Array]:
        return keys_within(self._loads(grouped), windows, last, crew)

    def _loads(self, grouped: bool) -> Sequence[Load]:
        return self.loads if grouped else [partial(_ungrouped, load) for load in self.loads]


@dataclass(frozen=True)
class Window:
    """`count` bins of 2^shift keys each, from `base` on. Lower keys are in the first one too, and one more is for those
    above."""

    base: int
    shift: int
    count: int

    @classmethod
    def between(cls, ends: tuple[int, int] | None, bits: int) -> Window:
        """2^bits bins that hold the keys between two."""
        low, high = ends or (0, 0)
        return cls(low, max(0, (high - low).bit_length() - bits), 1 << bits)

    def of(self, keys: Array) -> npt.NDArray[np.int64]:
        """The bin of each key."""
        above = np.maximum(keys, np.uint64(self.base)) - np.uint64(self.base)
        return np.asarray(np.minimum(above >> np.uint64(self.shift), np.uint64(self.count)), np.int64)

    def is_one_key(self, place: int) -> bool:
        """Whether a bin stands for one key alone."""
        return not self.shift and 0 < place < self.count


def _sampled(loads: Sequence[Load]) -> npt.NDArray[np.uint64]:
    """The keys of some numbers."""
    found = [np.zeros(0, np.uint64)]
    for k in dict.fromkeys(np.linspace(0, max(len(loads) - 1, 0), _LOOKED).astype(int).tolist() if loads else ()):
        given = loads[k]()
        ends = np.cumsum(given.high - given.low)
        rows = np.arange(0, given.rows, max(1, given.rows // _SAMPLE))
        piece = np.searchsorted(ends, rows, "right")
        at = given.high[piece] - (ends[piece] - rows)
        values = given.values[at]
        valid = np.ones(len(at), np.bool_) if given.valid is None else given.valid[at].astype(np.bool_)
        if values.dtype.kind == "f":
            valid &= ~np.isnan(values)
        found.append(keys_of(values[valid]))
    return np.concatenate(found)


def _terms(dtype: np.dtype[Any], window: Window) -> npt.NDArray[np.uint64]:
    """All that a kernel has to know of a number's bits and of the bins."""
    return frozen(np.array((*KeyRule.of(dtype), window.base, window.shift), np.uint64))


@dataclass
class _Sums:
    """What threads add up: tallies by group."""

    tallies: list[Tally]
    sums: list[Array | None]
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, k: int, whole: Array, total: Array, ends: Array) -> None:
        """Add the tallies of slice `k`."""
        with self.lock:
            self.sums[k] = total
            for group, each in enumerate(self.tallies):
                each.total += (int(whole[group, 0]) << 32) + int(whole[group, 1])
                each.least = min(each.least, int(ends[group, 0]))
                each.most = max(each.most, int(ends[group, 1]))


def _survey_all(loads: Sequence[Load], groups: int, window: Window, crew: Crew) -> Surveyed:
    rows = groups + 1
    found = _Sums([Tally() for _ in range(rows)], [None] * len(loads))
    pool = Histograms((rows, window.count + 1))

    def look(k: int) -> int:
        given = loads[k]()
        whole, total = np.zeros((rows, 2), np.int64), np.zeros(rows)
        ends = np.zeros((rows, 2), np.uint64)
        ends[:, 0] = np.iinfo(np.uint64).max
        with pool.one() as bins:
            is_signed = given.values.dtype.kind == "i"
            bits, floats, terms, valid, codes, low, high = _arrays(given, window)
            survey(bits, floats, terms, valid, codes, low, high, is_signed, whole, total, ends, bins)
        found.add(k, whole, total, ends)
        return given.rows

    crew.run("adding up", look, range(len(loads)), len(loads))
    for total in found.sums:
        if total is not None:
            for group, each in enumerate(found.tallies):
                each.sums.append(float(total[group]))
    bins = pool.total()
    for each, count in zip(found.tallies, bins.sum(axis=1).tolist(), strict=True):
        each.count = count
    return Surveyed(found.tallies, bins)


def _within_bins(
    passes: Passes,
    window: Window,
    bins: Array,
    wanted: Sequence[Sequence[int]],
    kind: np.dtype[Any],
    crew: Crew,
) -> list[dict[int, int | float]] | None:
    """The numbers at the wanted ranks of all, and of each group; None where the bins that they lie in hold too many."""
    summed = np.cumsum(bins, axis=1)
    places = [np.searchsorted(line, np.array(each), "right") for line, each in zip(summed, wanted, strict=True)]
    flags = np.zeros((passes.groups + 1, window.count + 1), np.uint8)
    for number, each in enumerate(places):
        for place in each.tolist():
            if not window.is_one_key(place):
                flags[(slice(None) if number == 0 else number - 1), place] = 1
    counted = bins[1:] if passes.groups else bins
    most = int(counted[flags.astype(np.bool_)].sum())
    if most > _MOST_COLLECTED:
        return None
    keys, which = passes.collected(window, flags, crew) if most else (np.empty(0, np.uint64), np.empty(0, np.int8))
    at = window.of(keys)
    order = np.lexsort((keys, at))
    keys, which, at = keys[order], which[order], at[order]
    found: list[dict[int, int | float]] = []
    for number, (asked, line) in enumerate(zip(wanted, summed, strict=True)):
        told: dict[int, int | float] = {}
        for rank, place in zip(asked, places[number].tolist(), strict=True):
            if not window.is_one_key(place):
                here = slice(*np.searchsorted(at, [place, place + 1]).tolist())
                own = keys[here] if number == 0 else keys[here][which[here] == number - 1]
                key = int(own[rank - (int(line[place - 1]) if place else 0)])
            else:
                key = window.base + place
            told[rank] = number_of(key, kind)
        found.append(told)
    return found


def _collected(loads: Sequence[Load], window: Window, flags: Array, crew: Crew) -> tuple[Array, Array]:
    """The keys in flagged bins, and their groups."""
    kept: list[tuple[Array, Array]] = []

    def look(load: Load) -> int:
        given = load()
        (bits, floats, terms, valid, codes, low, high), room = _arrays(given, window), _ROOM
        while True:
            keys, which = np.empty(room, np.uint64), np.empty(room, np.int8)
            count = collect(bits, floats, terms, valid, codes, low, high, frozen(flags), keys, which)
            if count <= room:
                break
            room = count
        kept.append((keys[:count], which[:count]))
        return given.rows

    crew.run("finding quartiles", look, loads, len(loads))
    keys = np.concatenate([np.empty(0, np.uint64), *(each for each, _ in kept)])
    return keys, np.concatenate([np.empty(0, np.int8), *(each for _, each in kept)])


def _arrays(given: Slice, window: Window) -> tuple[Array, Array, Array, Array, Array, Array, Array]:
    """A slice as kernels take it. There are at most 64 groups, so their codes are bytes."""
    values = frozen(given.values)
    bits = values.view(f"u{values.dtype.itemsize}")
    valid = _ALL_VALID if given.valid is None else frozen(given.valid.view(np.uint8))
    codes = _NO_CODES if given.codes is None else frozen(given.codes.astype(np.int8, copy=False))
    terms = _terms(values.dtype, window)
    floats = values if values.dtype.kind == "f" else _NO_FLOATS
    return bits, floats, terms, valid, codes, frozen(given.low), frozen(given.high)


def _together(tallies: Sequence[Tally]) -> Tally:
    """The tally of all groups."""
    return Tally(
        sum(each.count for each in tallies),
        sum(each.total for each in tallies),
        [total for each in tallies for total in each.sums],
        min(each.least for each in tallies),
        max(each.most for each in tallies),
    )


def _ungrouped(load: Load) -> Slice:
    return load()._replace(codes=None)
