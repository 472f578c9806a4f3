"""Arrays that are checked before they are used, and sorted keys that are searched without touching many of them.

A mapped array has a sum for each block of 64 KiB; a block is verified before the first use of anything in it and
trusted from then on. Arrays in memory go the same way and have no sums. Sorted keys have a fence, too: every
8,192nd key, the first of each block, in memory. A search runs over the fences and then within one block, so it costs
one block of a file that may be on a disk, not thirty pages. Boxes say where the rows of a stretch lie.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from bigviz.common.errors import Unreadable
from bigviz.common.jit import frozen, jit
from bigviz.common.workers import Crew, slices
from bigviz.common.xxh64 import BLOCK, block_sum
from bigviz.tiles.morton.packed_rtree import BOXED, Boxes, boxes_of, stack_boxes
from bigviz.tiles.morton.verified_array import VerifiedArray

__all__ = ["PITCH", "Fenced", "SortedKeys", "key_span", "lower_bound", "open_block", "run_end"]

Array = npt.NDArray[Any]
PITCH: Final = BLOCK // 8  # keys between two fences: those of a block
_BITS: Final = 13  # PITCH is 2^13
# Of literals numba would compile what they are given to once more.
_BEGIN: Final[Any] = np.int64(0)
_BYTES: Final[Any] = np.int64(BLOCK)
_TOLD: Final = 256  # rows of a square of the table, on average, at least
_SQUARES: Final = 1 << 14  # squares that a thread looks for at a time


class Fenced(NamedTuple):
    """Sorted keys as kernels take them: `fences[b]` is `keys[8192 b]`; what follows `squares` is a `VerifiedArray`'s.

    `squares` (uint32) says where the squares of a level begin, in the order of their keys, and has no rows unless
    `SortedKeys.tabulate` was called.
    """

    keys: Array
    fences: Array
    boxes: Boxes
    squares: Array
    words: Array
    tail: Array
    sums: Array
    state: Array
    damaged: Array


class SortedKeys:
    """Sorted uint64 keys with their fences and boxes."""

    def __init__(self, keys: VerifiedArray | Array, fences: Array | None = None, boxes: Array | None = None) -> None:
        """`fences` and `boxes` (those of 256 rows) are read from the keys unless they are given."""
        self.keys = keys if isinstance(keys, VerifiedArray) else VerifiedArray(keys)
        array = self.keys.array
        self.fences = frozen(np.ascontiguousarray(array[::PITCH]) if fences is None else fences)
        if len(self.fences) != -(-len(array) // PITCH):
            what = f"{self.keys.path}: {len(array):,} keys have {len(self.fences):,} fences"
            raise Unreadable(what, None, str(self.keys.path))
        lowest = boxes_of(array) if boxes is None else boxes
        if lowest.shape != (-(-len(array) // BOXED), 4):
            what = f"{self.keys.path}: {len(array):,} keys have boxes of shape {lowest.shape}"
            raise Unreadable(what, None, str(self.keys.path))
        self.boxes = stack_boxes(lowest)
        self._last = 0, 0, 0, 0  # what was asked of `span` last, and its answer: a tile asks several times
        held = self.keys
        checks = held.words, held.tail, held.sums, held.state, held.damaged
        self.fenced = Fenced(array, self.fences, self.boxes, frozen(np.empty(0, np.uint32)), *checks)

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def nbytes(self) -> int:
        """Bytes of memory that fences, boxes and mapped blocks' marks take; keys in memory are counted elsewhere."""
        return self.fences.nbytes + self.boxes.nbytes + self.fenced.squares.nbytes + len(self.keys.state)

    def tabulate(self, crew: Crew) -> None:
        """Make a table of where each square of a level begins, the finest one whose squares hold 256 rows or more on
        average: later descents look these up, where searching a key takes a microsecond of cache misses. It takes at
        most 16 bytes for each 1,000 rows, and reads all blocks. Raises Unreadable for damaged keys, Cancelled."""
        rows = len(self)
        level = max((rows // _TOLD).bit_length() - 1, 0) // 2
        if level == 0 or self.fenced.squares.size:
            return
        starts = np.empty((1 << 2 * level) + 1, np.uint32)
        starts[-1] = rows

        def look(piece: tuple[int, int]) -> int:
            _find_squares(self.fenced, level, *piece, starts)
            return piece[1] - piece[0]

        crew.run("finding rows", look, slices(len(starts) - 1, _SQUARES), len(starts) - 1)
        self.keys.check()
        self.fenced = self.fenced._replace(squares=frozen(starts))

    def lower_bound(self, low: int, high: int, key: int) -> int:
        """The first position of `low` to `high` whose key is not below `key`; `high` where all are."""
        found = int(lower_bound(self.fenced, low, high, np.uint64(key)))
        self.keys.check()
        return found

    def span(self, first: int, end: int) -> tuple[int, int]:
        """The first position whose key is not below `first`, and the first whose key is not below `end`, which is more
        and at most 2^64. One call of a kernel: after each, a thread waits for those that compute in Python."""
        last = self._last
        if last[:2] == (first, end):
            return last[2:]
        low, high = key_span(self.fenced, np.uint64(first), np.uint64(end - 1))
        self.keys.check()
        self._last = first, end, int(low), int(high)
        return int(low), int(high)

    def run_end(self, at: int, high: int, shift: int) -> int:
        """The end of the run of keys that agree with the one at `at` above `shift` bits."""
        found = int(run_end(self.fenced, at, high, np.uint64(shift)))
        self.keys.check()
        return found


@jit
def _find_squares(fenced: Fenced, level: int, first: int, stop: int, starts: Array) -> None:
    shift = np.uint64(64 - 2 * level)
    at, rows = 0, fenced.keys.size
    for square in range(first, stop):
        at = lower_bound(fenced, at, rows, np.uint64(square) << shift)
        starts[square] = at


@jit
def open_block(fenced: Fenced, block: int) -> None:
    """Verify a block of keys before its first use; a damaged one is noted, and raised once the kernel has ended."""
    if fenced.state[block] == 0:
        if block_sum(fenced.words, fenced.tail, block, _BYTES) == fenced.sums[block]:
            fenced.state[block] = 1
        else:
            fenced.damaged[0] = block + 1


@jit
def lower_bound(fenced: Fenced, low: int, high: int, key: np.uint64) -> int:
    """The first of the sorted `keys[low:high]` that is not below `key`; `high` where all are."""
    if low >= high:
        return high
    fence = (low >> _BITS) + 1
    last = ((high - 1) >> _BITS) + 1
    fences = fenced.fences
    while fence < last:
        middle = (fence + last) >> 1
        if fences[middle] < key:
            fence = middle + 1
        else:
            last = middle
    low = max(low, (fence - 1) << _BITS)
    high = min(high, fence << _BITS)
    if fenced.state[fence - 1] == 0:
        open_block(fenced, fence - 1)
    keys = fenced.keys
    while low < high:
        middle = (low + high) >> 1
        if keys[middle] < key:
            low = middle + 1
        else:
            high = middle
    return low


@jit
def key_span(fenced: Fenced, first: np.uint64, last: np.uint64) -> tuple[int, int]:
    """The first position whose key is not below `first`, and the first whose key is above `last`."""
    rows = fenced.keys.size
    low = lower_bound(fenced, _BEGIN, rows, first)
    if last == np.uint64(0xFFFFFFFFFFFFFFFF):
        return low, rows
    return low, lower_bound(fenced, low, rows, last + np.uint64(1))


@jit
def run_end(fenced: Fenced, at: int, high: int, shift: np.uint64) -> int:
    """The end of the run of keys that agree with `keys[at]` above `shift` bits, by galloping from `at`."""
    if shift >= np.uint64(64):
        return high
    keys = fenced.keys
    block = at >> _BITS
    if fenced.state[block] == 0:
        open_block(fenced, block)
    head = keys[at] >> shift
    stop = min((block + 1) << _BITS, high)
    if keys[stop - 1] >> shift == head:
        if stop == high:
            return high
        fence = _fence_of_other(fenced.fences, block + 1, ((high - 1) >> _BITS) + 1, head, shift)
        block = fence - 1
        at = max(at, block << _BITS)
        stop = min(fence << _BITS, high)
        open_block(fenced, block)
        if keys[stop - 1] >> shift == head:
            return stop
    step = 1
    low = at
    while at + step < stop and keys[at + step] >> shift == head:
        low = at + step
        step <<= 1
    stop = min(at + step, stop)
    while stop - low > 1:
        middle = (low + stop) >> 1
        if keys[middle] >> shift == head:
            low = middle
        else:
            stop = middle
    return stop


@jit
def _fence_of_other(fences: Array, low: int, high: int, head: np.uint64, shift: np.uint64) -> int:
    """The first fence of `low` to `high` that has another head, by galloping; `high` where none has."""
    step = 1
    while low + step <= high and fences[low + step - 1] >> shift == head:
        low += step
        step <<= 1
    high = min(low + step - 1, high)
    while low < high:
        middle = (low + high) >> 1
        if fences[middle] >> shift == head:
            low = middle + 1
        else:
            high = middle
    return low
