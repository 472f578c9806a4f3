"""Arrays that are checked before they are used, and sorted keys that are searched without touching many of them.

A mapped array has a sum for each block of 64 KiB; a block is verified before the first use of anything in it and
trusted from then on. Arrays in memory go the same way and have no sums. Sorted keys have a fence besides: every
8,192nd key, the first of each block, in memory. A search runs over the fences and then within one block, so it costs
one block of a file that may be on a disk, not thirty pages. Boxes say besides where the rows of a stretch lie.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.jit import frozen, jit
from bigviz.data.errors import Unreadable
from bigviz.tiles.boxes import BOXED, Boxes, boxes_of, stack_boxes
from bigviz.tiles.store.checksum import BLOCK, block_count, block_sum, open_blocks, words_of

__all__ = ["PITCH", "Checked", "Fenced", "Guard", "lower_bound", "open_block", "run_end"]

Array = npt.NDArray[Any]

PITCH: Final = BLOCK // 8  # keys between two fences: those of a block
_BITS: Final = 13  # PITCH is 2^13
_NO_SUMS: Final = np.empty(0, np.uint64)
_UNREAD, _VERIFIED = 0, 1


@dataclass(frozen=True, eq=False)
class Checked:
    """An array, in memory or mapped, whose blocks are verified before they are first used.

    `sums` holds the XXH64 of each 64 KiB block of its bytes; empty: it is in memory and nothing is verified. `path` is
    the file that errors name. Safe to use from any number of threads.
    """

    array: Array
    sums: npt.NDArray[np.uint64] = field(default_factory=lambda: _NO_SUMS, repr=False)
    path: Path | None = None
    state: npt.NDArray[np.uint8] = field(init=False, repr=False)
    damaged: npt.NDArray[np.int64] = field(init=False, repr=False)  # the last damaged block and one, or 0
    words: Array = field(init=False, repr=False)
    tail: Array = field(init=False, repr=False)

    def __post_init__(self) -> None:
        blocks = block_count(self.array.nbytes)
        if len(self.sums) not in (0, blocks):
            raise Unreadable(f"{self.path}: {blocks} blocks have {len(self.sums)} sums", None, str(self.path))
        words, tail = words_of(self.array)
        unread = _UNREAD if len(self.sums) else _VERIFIED
        made = (np.full(blocks, unread, np.uint8), np.zeros(1, np.int64), words, tail)
        for name, value in zip(("state", "damaged", "words", "tail"), made, strict=True):
            object.__setattr__(self, name, value)
        object.__setattr__(self, "array", frozen(self.array))
        object.__setattr__(self, "sums", frozen(self.sums))

    def __len__(self) -> int:
        return len(self.array)

    @property
    def nbytes(self) -> int:
        """Bytes of memory: none to speak of where it is mapped."""
        return 0 if len(self.sums) else self.array.nbytes

    def take(self, rows: slice | Array) -> Array:
        """The elements of a slice (a view) or of positions (a copy), verified. Raises Unreadable for damaged blocks."""
        if len(self.sums):
            if isinstance(rows, slice):
                start, stop, _ = rows.indices(len(self.array))
                self.open(np.array([start]), np.array([stop]))
            else:
                self.open(rows, rows + 1)
        return self.array[rows]

    def open(self, low: Array, high: Array) -> None:
        """Verify what half-open ranges of positions (int64) touch. Raises Unreadable for damaged blocks."""
        if len(self.sums):
            size = self.array.itemsize
            block = open_blocks(self.words, self.tail, self.sums, self.state, frozen(low), frozen(high), size, BLOCK)
            if block >= 0:
                self.damaged[0] = block + 1
            self.check()

    def check(self) -> None:
        """Raise Unreadable if a damaged block was found."""
        block = int(self.damaged[0]) - 1
        if block >= 0:
            raise Unreadable(
                f"{self.path} is damaged: bytes {block * BLOCK:,} to {(block + 1) * BLOCK:,} are not those written",
                None,
                str(self.path),
            )


class Fenced(NamedTuple):
    """Sorted keys as kernels take them: `fences[b]` is `keys[8192 b]`; what follows the boxes is that of `Checked`."""

    keys: Array
    fences: Array
    boxes: Boxes
    words: Array
    tail: Array
    sums: Array
    state: Array
    damaged: Array


class Guard:
    """Sorted uint64 keys with their fences and boxes."""

    def __init__(self, keys: Checked | Array, fences: Array | None = None, boxes: Array | None = None) -> None:
        """`fences` and `boxes` (those of 256 rows) are read from the keys unless they are given."""
        self.keys = keys if isinstance(keys, Checked) else Checked(keys)
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
        held = self.keys
        self.fenced = Fenced(array, self.fences, self.boxes, held.words, held.tail, held.sums, held.state, held.damaged)

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def nbytes(self) -> int:
        """Bytes of memory that fences, boxes and mapped blocks' marks take; keys in memory are counted elsewhere."""
        return self.fences.nbytes + self.boxes.nbytes + len(self.keys.state)

    def lower_bound(self, low: int, high: int, key: int) -> int:
        """The first position of `low` to `high` whose key is not below `key`; `high` where all are."""
        found = int(lower_bound(self.fenced, low, high, np.uint64(key)))
        self.keys.check()
        return found

    def run_end(self, at: int, high: int, shift: int) -> int:
        """The end of the run of keys that agree with the one at `at` above `shift` bits."""
        found = int(run_end(self.fenced, at, high, np.uint64(shift)))
        self.keys.check()
        return found


@jit
def open_block(fenced: Fenced, block: int) -> None:
    """Verify a block of keys before its first use; a damaged one is noted, and raised once the kernel has ended."""
    if fenced.state[block] == 0:
        if block_sum(fenced.words, fenced.tail, block, BLOCK) == fenced.sums[block]:
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
    while fence < last:
        middle = (fence + last) >> 1
        if fenced.fences[middle] < key:
            fence = middle + 1
        else:
            last = middle
    low = max(low, (fence - 1) << _BITS)
    high = min(high, fence << _BITS)
    open_block(fenced, fence - 1)
    while low < high:
        middle = (low + high) >> 1
        if fenced.keys[middle] < key:
            low = middle + 1
        else:
            high = middle
    return low


@jit
def run_end(fenced: Fenced, at: int, high: int, shift: np.uint64) -> int:
    """The end of the run of keys that agree with `keys[at]` above `shift` bits, by galloping from `at`."""
    if shift >= np.uint64(64):
        return high
    keys = fenced.keys
    block = at >> _BITS
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
