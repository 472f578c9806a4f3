"""Sorting 64-bit keys with their row numbers: a stable radix sort, most significant digit first, on a few threads.

A parallel pass deals the rows into 2,048 buckets by their highest differing bits; a bucket then fits in the cache and
is sorted there by one thread. A bucket that stays large (skewed data) is dealt again; keys that are all equal are left
as they are, so few distinct keys cost a pass or two. Equal keys keep the order of their rows.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.jit import jit
from bigviz.common.workers import SLICE, Crew

__all__ = ["sort_in_cache", "sort_keys"]

Array = npt.NDArray[Any]
Pieces = list[tuple[int, int]]

_STAGE: Final = "sorting rows"
_DIGIT: Final = 11
_LARGE: Final = 1 << 21  # a bucket above this is dealt again by all threads: 24 MB of keys and rows
_SMALL: Final = 24  # insertion sort below this
_STACK: Final = 1 << 14  # at most 7 digits of 2^11 ranges wait at a time


def sort_keys(keys: Array, rows: Array, pieces: Pieces, crew: Crew) -> tuple[Array, Array]:
    """Sort by key and return `(keys, rows)`, uint64 and uint32, new arrays of as many rows as the pieces hold.

    `pieces` are the half-open ranges of `keys` and `rows` that hold something, in order; each at most a slice long.
    The arrays given are used up. Memory: 12 bytes a row in addition to them.
    """
    total = sum(stop - start for start, stop in pieces)
    dealing = crew.within(_STAGE, 0.0, 0.4, total)
    out_keys, out_rows = np.empty(total, np.uint64), np.empty(total, np.uint32)
    bounds = _deal(keys, rows, pieces, out_keys, out_rows, 0, dealing)
    waiting = [(start, stop) for start, stop in pairwise(bounds) if stop - start > 1]
    buckets: Pieces = []
    while waiting:
        start, stop = waiting.pop()
        if stop - start <= _LARGE:
            buckets.append((start, stop))
            continue
        bounds = _deal(out_keys, out_rows, _cut(start, stop), keys, rows, start, dealing)
        out_keys[start:stop], out_rows[start:stop] = keys[start:stop], rows[start:stop]
        if len(bounds) > 2:
            waiting += [(low, high) for low, high in pairwise(bounds) if high - low > 1]
    waiting_rows = sum(stop - start for start, stop in buckets)
    sorting = crew.within(_STAGE, 0.4, 1.0, total)
    sorting.run("sorting", lambda group: _sort_group(out_keys, out_rows, group), _groups(buckets), waiting_rows)
    return out_keys, out_rows


def sort_in_cache(keys: Array, rows: Array, spare_keys: Array, spare_rows: Array) -> None:
    """Sort a few million keys (uint64) and what belongs to them (uint32) in place, on this thread; equal keys stay in
    their order. The spare arrays are as long."""
    bounds = np.array([0, len(keys)], np.int64)
    _sort_ranges(keys, rows, bounds[:1], bounds[1:], spare_keys, spare_rows)


def _cut(start: int, stop: int) -> Pieces:
    return [(low, min(low + SLICE, stop)) for low in range(start, stop, SLICE)]


def _groups(buckets: Pieces) -> list[Pieces]:
    """Buckets in batches of about a quarter of a slice, so that a thread's call is worth its overhead."""
    groups: list[Pieces] = []
    size = SLICE
    for start, stop in sorted(buckets):
        if size >= SLICE // 4:
            groups.append([])
            size = 0
        groups[-1].append((start, stop))
        size += stop - start
    return groups


def _sort_group(keys: Array, rows: Array, group: Pieces) -> int:
    longest = max(stop - start for start, stop in group)
    starts = np.array([start for start, _ in group], np.int64)
    stops = np.array([stop for _, stop in group], np.int64)
    _sort_ranges(keys, rows, starts, stops, np.empty(longest, np.uint64), np.empty(longest, np.uint32))
    return int((stops - starts).sum())


def _deal(
    keys: Array, rows: Array, pieces: Pieces, out_keys: Array, out_rows: Array, base: int, crew: Crew
) -> list[int]:
    """Deal the pieces into buckets by their highest differing digit, stably, from `base` on; the buckets' bounds.

    Where all keys are equal the rows are copied and there is one bucket.
    """
    total = sum(stop - start for start, stop in pieces)
    if total == 0:
        return [base]
    reference = keys[pieces[0][0]]
    differ = np.zeros(len(pieces), np.uint64)

    def compare(k: int) -> int:
        start, stop = pieces[k]
        differ[k] = _differing(keys[start:stop], reference)
        return stop - start

    crew.within(_STAGE, 0.0, 0.1, total).run("comparing", compare, range(len(pieces)), total)
    bits = int(np.bitwise_or.reduce(differ)).bit_length()
    shift = max(bits - _DIGIT, 0)
    counts = np.zeros((len(pieces), 1 << _DIGIT if bits else 1), np.int64)
    mask = counts.shape[1] - 1

    def count(k: int) -> int:
        start, stop = pieces[k]
        _count_digits(keys[start:stop], shift, mask, counts[k])
        return stop - start

    crew.within(_STAGE, 0.1, 0.2, total).run("counting", count, range(len(pieces)), total)
    offsets = np.cumsum(counts.T.reshape(-1)).reshape(counts.T.shape).T - counts + base

    def scatter(k: int) -> int:
        start, stop = pieces[k]
        _scatter(keys[start:stop], rows[start:stop], shift, mask, offsets[k].copy(), out_keys, out_rows)
        return stop - start

    crew.within(_STAGE, 0.2, 1.0, total).run("dealing", scatter, range(len(pieces)), total)
    return [*np.unique(offsets[0]).tolist(), base + total]


@jit
def _differing(keys: Array, reference: np.uint64) -> np.uint64:
    """The bits in which any key differs from the reference."""
    bits = np.uint64(0)
    for k in range(keys.size):
        bits |= keys[k] ^ reference
    return bits


@jit
def _count_digits(keys: Array, shift: int, mask: int, counts: Array) -> None:
    for k in range(keys.size):
        counts[np.int64(keys[k] >> np.uint64(shift)) & mask] += 1


@jit
def _scatter(keys: Array, rows: Array, shift: int, mask: int, at: Array, out_keys: Array, out_rows: Array) -> None:
    for k in range(keys.size):
        digit = np.int64(keys[k] >> np.uint64(shift)) & mask
        place = at[digit]
        at[digit] = place + 1
        out_keys[place] = keys[k]
        out_rows[place] = rows[k]


@jit
def _sort_ranges(
    keys: Array,
    rows: Array,
    starts: Array,
    stops: Array,
    spare_keys: Array,
    spare_rows: Array,
) -> None:
    """Sort each range in place; the spare arrays hold the longest."""
    low_stack = np.empty(_STACK, np.int64)
    high_stack = np.empty(_STACK, np.int64)
    at = np.empty((1 << _DIGIT) + 1, np.int64)
    for r in range(starts.size):
        low_stack[0] = starts[r]
        high_stack[0] = stops[r]
        depth = 1
        while depth > 0:
            depth -= 1
            low = low_stack[depth]
            high = high_stack[depth]
            if high - low <= _SMALL:
                _insert(keys, rows, low, high)
                continue
            digits = _deal_in_cache(keys, rows, low, high, spare_keys, spare_rows, at)
            first = 0
            for d in range(digits):
                last = at[d]
                if last - first > 1:
                    low_stack[depth] = low + first
                    high_stack[depth] = low + last
                    depth += 1
                first = last


@jit
def _insert(keys: Array, rows: Array, low: int, high: int) -> None:
    """Insertion sort."""
    for k in range(low + 1, high):
        key = keys[k]
        row = rows[k]
        j = k
        while j > low and keys[j - 1] > key:
            keys[j] = keys[j - 1]
            rows[j] = rows[j - 1]
            j -= 1
        keys[j] = key
        rows[j] = row


@jit
def _deal_in_cache(
    keys: Array, rows: Array, low: int, high: int, spare_keys: Array, spare_rows: Array, at: Array
) -> int:
    """Deal a range by its highest differing digit, about as wide as gives each bucket two rows.

    Returns the number of buckets whose ends, from `low`, `at` holds then; 0 where nothing is left to sort in them.
    """
    differ = np.uint64(0)
    for k in range(low + 1, high):
        differ |= keys[k] ^ keys[low]
    bits = 0
    while bits < 64 and differ >> np.uint64(bits) != 0:
        bits += 1
    if bits == 0:
        return 0
    digit_bits = 3
    while digit_bits < _DIGIT and (high - low) >> (digit_bits + 1) > 0:
        digit_bits += 1
    shift = max(bits - digit_bits, 0)
    mask = (1 << digit_bits) - 1
    at[: mask + 2] = 0
    for k in range(low, high):
        at[(np.int64(keys[k] >> np.uint64(shift)) & mask) + 1] += 1
    for d in range(mask + 1):
        at[d + 1] += at[d]
    for k in range(low, high):
        digit = np.int64(keys[k] >> np.uint64(shift)) & mask
        place = at[digit]
        at[digit] = place + 1
        spare_keys[place] = keys[k]
        spare_rows[place] = rows[k]
    for k in range(high - low):
        keys[low + k] = spare_keys[k]
        rows[low + k] = spare_rows[k]
    return mask + 1 if shift > 0 else 0
