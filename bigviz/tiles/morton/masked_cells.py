"""Rows of an order that have a bit, counted in the cells of a tile: without a copy of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.jit import frozen, jit
from bigviz.tiles.grid.interleave import compact
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.morton.quadtree import Ranges, in_batches, offset_of, table_of, terms_of
from bigviz.tiles.morton.sorted_keys import Fenced, SortedKeys, open_block, run_end
from bigviz.wire.codec import CELLS

__all__ = ["count_kept", "count_kept_cells", "list_kept", "rehearse"]

Array = npt.NDArray[Any]


def count_kept_cells(
    guard: SortedKeys, ranges: Ranges, tile: TileKey, words: Array, plane: Array, cancel: Cancel = NEVER
) -> None:
    """What `quadtree.count_cells` adds of the rows that have a bit in `words` (see `PackedMask`)."""
    flat, bits = plane.reshape(CELLS), frozen(words)
    low, high, whole = frozen(ranges.low), frozen(ranges.high), frozen(ranges.whole)
    for part in in_batches(ranges):
        cancel.check()
        _count(guard.fenced, low[part], high[part], whole[part], *terms_of(tile), table_of(tile), bits, flat)
    guard.keys.check()


def count_kept(ranges: Ranges, words: Array) -> int:
    """How many rows of some ranges have a bit."""
    return int(_count_bits(frozen(ranges.low), frozen(ranges.high), frozen(words)))


def list_kept(ranges: Ranges, words: Array) -> npt.NDArray[np.int64]:
    """The positions of the rows of some ranges that have a bit."""
    out = np.empty(count_kept(ranges, words), np.int64)
    _list(frozen(ranges.low), frozen(ranges.high), frozen(words), out)
    return out


def rehearse() -> None:
    """Load the kernels, so that the first filter need not wait for them."""
    guard, words, plane = SortedKeys(np.zeros(1, np.uint64)), np.ones(2, np.uint64), np.zeros(CELLS, np.uint32)
    count_kept_cells(guard, Ranges.one(0, 1), TileKey(0, 0, 0, 0), words, plane)
    list_kept(Ranges.one(0, 1), words)


@jit
def _word(words: Array, at: int) -> np.uint64:
    """The bits of the 64 rows from one on."""
    word = np.uint64(words[at >> 6] >> np.uint64(at & 63))
    return word if at & 63 == 0 else np.uint64(word | words[(at >> 6) + 1] << np.uint64(64 - (at & 63)))


@jit
def _ones(word: np.uint64) -> int:
    """How many bits are set, by adding up neighbours: compilers know that as one instruction."""
    two, four, eight = np.uint64(0x5555555555555555), np.uint64(0x3333333333333333), np.uint64(0x0F0F0F0F0F0F0F0F)
    word -= (word >> np.uint64(1)) & two
    word = (word & four) + ((word >> np.uint64(2)) & four)
    word = (word + (word >> np.uint64(4))) & eight
    return int(word * np.uint64(0x0101010101010101) >> np.uint64(56))


@jit
def _kept(words: Array, low: int, high: int) -> int:
    """How many of the rows `low` to `high` have a bit."""
    found = 0
    at = low
    while at + 64 <= high:
        found += _ones(_word(words, at))
        at += 64
    if at < high:
        found += _ones(_word(words, at) & ((np.uint64(1) << np.uint64(high - at)) - np.uint64(1)))
    return found


@jit
def _count_bits(lows: Array, highs: Array, words: Array) -> int:
    found = 0
    for r in range(lows.size):
        found += _kept(words, lows[r], highs[r])
    return found


@jit
def _list(lows: Array, highs: Array, words: Array, out: Array) -> None:
    at = 0
    for r in range(lows.size):
        for k in range(lows[r], highs[r]):
            if words[k >> 6] >> np.uint64(k & 63) & np.uint64(1):
                out[at] = k
                at += 1


@jit
def _count(
    fenced: Fenced, lows: Array, highs: Array, whole: Array, x: int, y: int, i: int, row: int, table: Array,
    words: Array, plane: Array,
) -> None:  # fmt: skip
    """Count rows into cells of codes shortened by `x` and `y` bits. Where 64 rows have no bit, their keys are not
    looked at; where they share a cell, the end of the run is leapt to and its bits are counted."""
    keys = fenced.keys
    shift = np.uint64(2 * min(x, y))
    mask = np.uint64(0xFFFF)
    for r in range(lows.size):
        at = lows[r]
        high = highs[r]
        if not whole[r]:
            _count_some(fenced, at, high, x, y, i, row, words, plane)
            continue
        if at == high:
            continue
        open_block(fenced, at >> 13)
        offset = offset_of(keys[at], x, y, i, row)
        while at < high:
            open_block(fenced, at >> 13)
            stop = min(((at >> 13) + 1) << 13, high)
            while at < stop:
                end = min(at + 64, stop)
                word = _word(words, at)
                if word == np.uint64(0):
                    at = end
                    continue
                head = keys[at] >> shift
                if end - at == 64 and keys[end - 1] >> shift == head:
                    end = run_end(fenced, at, high, shift)
                    plane[(np.uint64(table[head & mask]) + offset) & mask] += np.uint32(_kept(words, at, end))
                else:
                    for k in range(np.uint64(at), np.uint64(end)):
                        one = np.uint32(word >> (k - np.uint64(at)) & np.uint64(1))
                        plane[(np.uint64(table[keys[k] >> shift & mask]) + offset) & mask] += one
                at = end


@jit
def _count_some(
    fenced: Fenced, low: int, high: int, x: int, y: int, i: int, row: int, words: Array, plane: Array
) -> None:
    """Count the rows of a range that may lie outside the tile; it touches two blocks at most."""
    if low >= high:
        return
    open_block(fenced, low >> 13)
    open_block(fenced, (high - 1) >> 13)
    left, bottom = np.int64(i) * 256, np.int64(row) * 256
    for k in range(low, high):
        if words[k >> 6] >> np.uint64(k & 63) & np.uint64(1) == 0:
            continue
        key = fenced.keys[k]
        column = np.int64(compact(key) >> np.uint64(x)) - left
        line = np.int64(compact(key >> np.uint64(1)) >> np.uint64(y)) - bottom
        if 0 <= column < 256 and 0 <= line < 256:
            plane[(255 - line) * 256 + column] += np.uint32(1)
