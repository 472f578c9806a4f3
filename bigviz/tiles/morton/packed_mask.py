"""Which of many rows are kept, one bit a row: 12.5 MB for 10^8 rows, so that the bits of any rows come from a cache."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.jit import frozen, jit
from bigviz.common.workers import SLICE, Crew, slices

__all__ = ["PackedMask", "packed_mask"]

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]

_STAGE: Final = "filtering rows"


@dataclass(frozen=True)
class PackedMask:
    """A bit for each row, the lowest of a byte first, and how many are set in each 2^20 rows (int64). `words` are the
    same bits, 64 at a time, and at least one word of zeros."""

    bits: npt.NDArray[np.uint8]
    counts: npt.NDArray[np.int64]
    rows: int
    words: npt.NDArray[np.uint64] = field(default_factory=lambda: np.zeros(1, np.uint64), repr=False)

    def __len__(self) -> int:
        return self.rows

    @property
    def kept(self) -> int:
        """How many rows are kept."""
        return int(self.counts.sum())

    def at(self, rows: Array) -> Mask:
        """Whether each of some rows (integers, in any order) is kept."""
        out = np.empty(len(rows), np.bool_)
        _look_up(frozen(self.bits), frozen(rows), out)
        return out

    def slice(self, start: int, stop: int) -> Mask:
        """Whether each of the rows `start` to `stop` (exclusive) is kept; `start` is a multiple of 8."""
        part = np.unpackbits(self.bits[start // 8 : -(-stop // 8)], count=stop - start, bitorder="little")
        return part.view(np.bool_)


def packed_mask(rows: int, mask: Callable[[int, int], Mask], crew: Crew, stage: str = _STAGE) -> PackedMask:
    """The bits of `mask(start, stop)`, which is called for each 2^20 rows, by all threads. Raises Cancelled, and what
    `mask` raises."""
    pieces = slices(rows)
    words, counts = np.zeros(rows // 64 + 2, np.uint64), np.zeros(len(pieces), np.int64)
    bits = words.view(np.uint8)[: -(-rows // 8)]

    def look(piece: tuple[int, int]) -> int:
        start, stop = piece
        keep = mask(start, stop)
        counts[start // SLICE] = np.count_nonzero(keep)
        bits[start // 8 : -(-stop // 8)] = np.packbits(keep, bitorder="little")
        return stop - start

    crew.run(stage, look, pieces, rows)
    return PackedMask(bits, counts, rows, words)


@jit
def _look_up(bits: Array, rows: Array, out: Array) -> None:
    for k in range(rows.size):
        row = np.int64(rows[k])
        out[k] = (bits[row >> 3] >> np.uint8(row & 7)) & np.uint8(1) != 0
