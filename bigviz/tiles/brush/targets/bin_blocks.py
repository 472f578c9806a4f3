"""Bins with the number of rows that each has before each block of a source's order.

A range of rows is then counted as the difference of two rows of that table, whatever its length, and the rows at its
ends: of the strips that a brush's edges sweep, most rows lie in long ranges.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.jit import frozen, jit
from bigviz.common.workers import Crew, slices
from bigviz.tiles.brush.orders.position_ranges import Picked
from bigviz.tiles.brush.targets.cells import Bins

__all__ = ["BinBlocks", "bin_blocks"]

Array = npt.NDArray[Any]

_LEAST: Final = 10  # bits: blocks have 1,024 rows or more
_ROWS: Final = 8  # of a block, for each bin: the table takes half a byte a row
_GROUP: Final = 1 << 17  # rows of blocks that a thread takes at a time


@dataclass(frozen=True, eq=False)
class BinBlocks:
    """Cells of bins; `before[b]` (uint32) says how many rows before the block `b` of 2^`bits` each bin has."""

    bins: Bins
    before: Array
    bits: int

    @property
    def width(self) -> int:
        return self.bins.width

    @property
    def height(self) -> int:
        return self.bins.height

    @property
    def nbytes(self) -> int:
        """Bytes of memory, without those of the bins."""
        return int(self.before.nbytes)

    def cells(self, picked: Picked) -> Array:
        return self.bins.cells(picked)

    def count(self, picked: Picked, sign: int, counts: Array) -> None:
        ranges = picked.low, picked.high, picked.places
        _count(*ranges, self.bins.codes, frozen(self.before), self.bits, sign, counts)


def bin_blocks(bins: Bins, crew: Crew) -> BinBlocks:
    """The table of some bins."""
    rows, width = len(bins.codes), max(bins.width, 1)
    bits = max(_LEAST, (_ROWS * width - 1).bit_length())
    before = np.zeros(((rows >> bits) + 1, bins.width), np.uint32)

    def look(piece: tuple[int, int]) -> int:
        _sizes(*piece, bits, bins.codes, before)
        return piece[1] - piece[0] << bits

    crew.run("counting bins", look, slices(len(before) - 1, max(_GROUP >> bits, 1)), rows)
    np.cumsum(before, axis=0, dtype=np.uint32, out=before)
    return BinBlocks(bins, before, bits)


@jit
def _sizes(first: int, stop: int, bits: int, codes: Array, after: Array) -> None:
    """Count the rows of blocks, those of a block for the one after it."""
    for block in range(first, stop):
        for k in range(block << bits, (block + 1) << bits):
            code = np.int64(codes[k])
            if code < after.shape[1]:
                after[block + 1, code] += np.uint32(1)


@jit
def _count_rows(codes: Array, width: int, sign: int, counts: Array) -> None:
    for k in range(codes.size):
        code = np.int64(codes[k])
        if code < width:
            counts[(code >> 8 << 16) + (code & 255)] += sign


@jit
def _count(
    lows: Array, highs: Array, chosen: Array, codes: Array, before: Array, bits: int, sign: int, counts: Array
) -> None:
    width, r = before.shape[1], 0
    while r < lows.size:
        low, high = lows[r], highs[r]
        r += 1
        while r < lows.size and lows[r] == high:  # neighbours are one range
            high = highs[r]
            r += 1
        first, last = (low + (1 << bits) - 1) >> bits, high >> bits
        ends = high, high
        if first < last:
            ends = first << bits, last << bits
            for at in range(width):
                more = np.int64(before[last, at]) - np.int64(before[first, at])
                counts[(at >> 8 << 16) + (at & 255)] += sign * more
        _count_rows(codes[low : ends[0]], width, sign, counts)
        _count_rows(codes[ends[1] : high], width, sign, counts)
    for k in range(chosen.size):
        code = np.int64(codes[chosen[k]])
        if code < width:
            counts[(code >> 8 << 16) + (code & 255)] += sign
