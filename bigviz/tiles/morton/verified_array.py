"""An array of a file whose blocks are verified against their checksums when they are first read."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.errors import Unreadable
from bigviz.common.jit import frozen
from bigviz.common.xxh64 import BLOCK, block_count, open_blocks, words_of

__all__ = ["VerifiedArray"]

Array = npt.NDArray[Any]

_NO_SUMS: Final = np.empty(0, np.uint64)
_UNREAD, _VERIFIED = 0, 1


@dataclass(frozen=True, eq=False)
class VerifiedArray:
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
        """Bytes of memory: hardly any if it is mapped."""
        return 0 if len(self.sums) else self.array.nbytes

    @property
    def owner(self) -> VerifiedArray:
        """What holds the memory: this, or the array that this one reads from."""
        return self

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

    def ranges(self, low: Array, high: Array) -> tuple[Array, Array, Array]:
        """An array with the elements of half-open ranges of positions (int64), verified, and the ranges of it where
        they are: the whole array and the same ranges, or a copy. Raises as `open` does."""
        self.open(low, high)
        return self.array, low, high

    def check(self) -> None:
        """Raise Unreadable if a damaged block was found."""
        block = int(self.damaged[0]) - 1
        if block >= 0:
            raise Unreadable(
                f"{self.path} is damaged: bytes {block * BLOCK:,} to {(block + 1) * BLOCK:,} are not those written",
                None,
                str(self.path),
            )
