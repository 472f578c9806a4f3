"""Ascending numbers and where others would stand among them: the x of a line, and the edges of its gaps.

Numbers that are `start + k * step / over` for their position k are not stored at all. Others are an array, in memory
or mapped, with every 512th of them in memory, so that a search touches one block of the array.
"""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.jit import frozen, jit

__all__ = ["PITCH", "Ascending", "Check", "Positions", "Regular", "Searches", "ascending", "regular_rule", "ruled"]

Array = npt.NDArray[Any]
Positions = npt.NDArray[np.int64]
Check = Callable[[Positions, Positions], None]
"""Called with half-open ranges of positions before they are read; raises `Unreadable` if they are damaged."""

PITCH: Final = 512  # numbers from one fence to the next: a page of 64-bit numbers
_SHIFT: Final = 9
_REACH: Final = 2  # positions looked at around the computed one: rounding is off by one, rarely two
_KEPT: Final = 32  # searches remembered: the lines of a figure ask for the same window


class Searches:
    """The results of the latest searches. Safe to use from any number of threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, Array] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, find: Callable[[], Array]) -> Array:
        """What `find` returns, or returned for the same key a moment ago: an array that nobody writes to."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        found = frozen(find())
        with self._lock:
            self._kept[key] = found
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return found


@dataclass(frozen=True)
class Regular:
    """Number k is `start + k * step / over`, exactly for integers (`over` 1), else rounded to float64 after each
    operation, and to float32 in the end where the numbers are."""

    start: int | float
    step: int | float
    over: float
    dtype: np.dtype[Any]

    def at(self, positions: Array) -> Array:
        """The numbers of int64 positions."""
        if self.dtype.kind == "f":
            with np.errstate(over="ignore"):  # where it is tried out on numbers that are not of it
                numbers = positions.astype(np.float64) * self.step
                if self.over != 1.0:
                    numbers /= self.over
                numbers += self.start
                return numbers.astype(self.dtype, copy=False)
        words = positions.astype(np.uint64) * np.uint64(self.step)
        words += np.uint64(int(self.start) % (1 << 64))
        return words.view(self.dtype)

    def gives(self, values: Array, first: int) -> bool:
        """Whether these are the numbers from position `first` on."""
        if self.dtype.kind == "f":
            terms = np.array([self.start, self.step, self.over])
            return bool(_gives_floats(frozen(values), first, terms))
        start = np.uint64((int(self.start) + first * int(self.step)) % (1 << 64))
        return bool(_gives_integers(frozen(values.view(np.uint64)), start, np.uint64(self.step)))


@dataclass(frozen=True)
class Ascending:
    """`size` ascending numbers (float32, float64, int64 or uint64): of a rule, or `values` with their `fences`.

    `check` is called before `values` are read. Safe to use from any number of threads.
    """

    size: int
    dtype: np.dtype[Any]
    rule: Regular | None = None
    values: Array = field(default_factory=lambda: np.empty(0))
    fences: Array = field(default_factory=lambda: np.empty(0))
    check: Check | None = None
    searches: Searches = field(default_factory=Searches, repr=False, compare=False)

    def __len__(self) -> int:
        return self.size

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        return int(self.values.nbytes + self.fences.nbytes)

    def at(self, positions: Array) -> Array:
        """The numbers of positions, in any order."""
        if self.rule is not None:
            return self.rule.at(positions)
        if self.check is not None:
            self.check(positions, positions + 1)
        return np.asarray(self.values[positions])

    def slice(self, start: int, stop: int) -> Array:
        """The numbers of a range of positions."""
        if self.rule is not None:
            return self.rule.at(np.arange(start, stop))
        if self.check is not None:
            self.check(np.array([start]), np.array([stop]))
        return self.values[start:stop]

    def first(self, edges: Array) -> Positions:
        """The first position whose number is not below each edge; edges are float64 for floats, else of the
        own dtype."""
        if self.dtype.kind == "f":
            return self._search(edges, np.array([1.0, 0.0]), edges)
        if self.rule is not None:
            return _first_of_integers(self.rule, self.size, edges)
        return self._search(edges, np.empty(0), np.empty(0))

    def first_place(self, scale: float, shift: float, places: Array) -> Positions:
        """The first position whose `number * scale + shift`, in float64, is not below each ascending place; `scale` is
        positive."""
        edges = places if self.dtype.kind == "f" else np.empty(0, self.dtype)
        return self._search(edges, np.array([scale, shift]), places)

    def _search(self, edges: Array, terms: Array, places: Array) -> Positions:
        if self.rule is not None:
            return _first_of_rule(self.rule, self.size, terms, places)
        count = max(len(edges), len(places))
        lows, highs = np.zeros(count, np.int64), np.full(count, len(self.fences), np.int64)
        wanted = frozen(edges), frozen(terms), frozen(places)
        _narrow(self.fences, *wanted, lows, highs)
        highs = np.minimum(lows << _SHIFT, self.size)
        lows = np.maximum(lows - 1, 0) << _SHIFT
        if self.check is not None:
            self.check(lows, highs)
        _narrow(self.values, *wanted, lows, highs)
        return lows


def ascending(
    values: Array, check: Check | None = None, fences: Array | None = None, key: Hashable = None
) -> Ascending:
    """An array of ascending numbers, made ready for searches, which it shares with arrays of the same `key`."""
    every = values[::PITCH].copy() if fences is None else fences
    held = Searches() if key is None else _searches(key)
    return Ascending(len(values), values.dtype, None, frozen(values), frozen(every), check, held)


def ruled(rule: Regular, size: int) -> Ascending:
    """`size` numbers of a rule."""
    return Ascending(size, rule.dtype, rule, searches=_searches((rule, size)))


def _searches(key: Hashable) -> Searches:
    """The results of searches in numbers that are the same wherever the key is equal: lines over one x share them."""
    with _GUARD:
        found = _SHARED.get(key)
        if found is None:
            found = _SHARED[key] = Searches()
        return found


_SHARED: Final[weakref.WeakValueDictionary[Hashable, Searches]] = weakref.WeakValueDictionary()
_GUARD: Final = threading.Lock()


def regular_rule(head: Array, size: int, last: int | float | None) -> Regular | None:
    """The rule that `size` numbers seem to follow whose first ones are `head` and whose last one is `last` (None:
    unknown); None where they follow none.

    It is tried on `head` and `last` only. Of floats, steps are tried that numpy's linspace and arange and a division by
    a whole rate leave.
    """
    if len(head) < 2:
        return None
    first, second = head[0].item(), head[1].item()
    if head.dtype.kind != "f":
        rules = [Regular(first, second - first, 1.0, head.dtype)]
        fits = second >= first and first + (second - first) * (size - 1) <= np.iinfo(head.dtype).max
    else:
        mean = (last - first) / (size - 1) if last is not None else (head[-1].item() - first) / (len(head) - 1)
        digits = 6 if head.dtype == np.float32 else 12
        rules = [Regular(first, step, 1.0, head.dtype) for step in (second - first, mean, float(f"{mean:.{digits}g}"))]
        if mean > 0.0 and np.isfinite(1.0 / mean):
            rules.append(Regular(first, 1.0, float(f"{1.0 / mean:.{digits}g}"), head.dtype))
        fits = mean >= 0.0
    positions = np.arange(len(head))
    for rule in rules if fits else ():
        ends = last is None or rule.at(np.array([size - 1]))[0] == last
        if ends and (rule.at(positions) == head).all():
            return rule
    return None


def _first_of_integers(rule: Regular, size: int, edges: Array) -> Positions:
    start = np.array(rule.start, rule.dtype)
    if rule.step == 0:
        return np.where(edges <= start, 0, size)
    distance = edges.view(np.uint64) - start.view(np.uint64)
    step = np.uint64(rule.step)
    found = distance // step + (distance % step != 0)
    return np.where(edges <= start, np.uint64(0), np.minimum(found, np.uint64(size))).astype(np.int64)


def _first_of_rule(rule: Regular, size: int, terms: Array, places: Array) -> Positions:
    """Where a rule's numbers, scaled and shifted, reach each place."""
    if rule.dtype.kind == "f":
        exact = np.array([rule.start, rule.step])
    else:
        exact = np.array([int(rule.start) % (1 << 64), int(rule.step)], np.uint64)
    about = np.array([rule.start, rule.step, rule.over], np.float64)
    found = np.empty(len(places), np.int64)
    _solve(frozen(exact), frozen(about), np.empty(0, rule.dtype), size, frozen(terms), frozen(places), found)
    return found


@jit
def _number(k: int, exact: Array, over: float, like: Array) -> Any:
    """Number `k` of a rule, in the type of `like`, as `Regular.at` gives it; `exact` is start and step, in uint64 those
    of integers."""
    number = exact.dtype.type(k) * exact[1]
    if over != 1.0:
        number = exact.dtype.type(number / over)
    return like.dtype.type(number + exact[0])


@jit
def _solve(exact: Array, about: Array, like: Array, size: int, terms: Array, places: Array, found: Array) -> None:
    """The rule is solved for the position, and rounding is corrected by bisection: among its neighbours,
    where they enclose the place, else among all positions."""
    scale, shift, over = terms[0], terms[1], about[2]
    for k in range(places.size):
        place = places[k]
        guess = np.ceil(((place - shift) / scale - about[0]) / about[1] * over)
        near = int(min(max(guess, 0.0), np.float64(size))) if guess == guess else 0
        low, high = max(near - _REACH, 0), min(near + _REACH, size)
        if low > 0 and not np.float64(_number(low - 1, exact, over, like)) * scale + shift < place:
            low = 0
        if high < size and np.float64(_number(high, exact, over, like)) * scale + shift < place:
            high = size
        while low < high:
            middle = (low + high) >> 1
            if np.float64(_number(middle, exact, over, like)) * scale + shift < place:
                low = middle + 1
            else:
                high = middle
        found[k] = low


@jit
def _gives_floats(values: Array, first: int, terms: Array) -> bool:
    start, step, over = terms[0], terms[1], terms[2]
    same = True
    for k in range(values.size):
        number = np.float64(first + k) * step
        if over != 1.0:
            number /= over
        same &= values[k] == values.dtype.type(number + start)
    return same


@jit
def _gives_integers(words: Array, start: np.uint64, step: np.uint64) -> bool:
    difference = np.uint64(0)
    for k in range(words.size):
        difference |= words[k] ^ (start + np.uint64(k) * step)
    return bool(difference == 0)


@jit
def _narrow(values: Array, edges: Array, terms: Array, places: Array, lows: Array, highs: Array) -> None:
    """Halve each range until `lows` is the first position not below its edge, or the range's end.

    All ranges are halved in turn, not one after the other: their reads do not wait for each other. With `terms` (scale
    and shift) numbers are compared as places, in float64, else as they are.
    """
    scaled = terms.size > 0
    scale = terms[0] if scaled else 1.0
    shift = terms[1] if scaled else 0.0
    open_ = True
    while open_:
        open_ = False
        for k in range(lows.size):
            low, high = lows[k], highs[k]
            if low >= high:
                continue
            middle = (low + high) >> 1
            value = values[middle]
            below = np.float64(value) * scale + shift < places[k] if scaled else value < edges[k]
            lows[k] = middle + 1 if below else low  # no branch, which would be predicted half of the time
            highs[k] = high if below else middle
            open_ = True
