"""XXH64 sums of blocks, by which a flipped byte of a mapped file is found before it is used.

Blocks are of 64 KiB, or of another multiple of 8 bytes for files of which less is read at a time.

The algorithm is Yann Collet's (https://github.com/Cyan4973/xxHash, doc/xxhash_spec.md), with seed 0. It is written over
64-bit words, so that a block takes about 10 microseconds.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.jit import frozen, jit

__all__ = ["BLOCK", "block_count", "block_sum", "checksum", "open_blocks", "span_sum", "sum_blocks", "words_of"]

Array = npt.NDArray[Any]

BLOCK: Final = 1 << 16  # bytes
_P1: Final = np.uint64(0x9E3779B185EBCA87)
_P2: Final = np.uint64(0xC2B2AE3D27D4EB4F)
_P3: Final = np.uint64(0x165667B19E3779F9)
_P4: Final = np.uint64(0x85EBCA77C2B2AE63)
_P5: Final = np.uint64(0x27D4EB2F165667C5)


def block_count(nbytes: int, size: int = BLOCK) -> int:
    """Blocks of `size` bytes in so many bytes; the last may be short."""
    return -(-nbytes // size)


def words_of(array: Array) -> tuple[Array, Array]:
    """The bytes of a contiguous array as uint64 words, and the up to 7 bytes after the last one; read-only views.

    The array must begin at a multiple of 8, as Arrow's buffers and numpy's arrays do.
    """
    data = array.reshape(-1).view(np.uint8)
    whole = len(data) // 8 * 8
    return frozen(data[:whole].view(np.uint64)), frozen(data[whole:])


def checksum(data: Array | bytes) -> int:
    """XXH64 (seed 0) of all the bytes of a contiguous array, or of bytes."""
    array = np.frombuffer(data, np.uint8) if isinstance(data, bytes) else data
    words, tail = words_of(array)
    return int(_xxh64(words, tail, 0, len(words)))


def sum_blocks(array: Array, size: int = BLOCK) -> npt.NDArray[np.uint64]:
    """The sum of each block of `size` bytes of a contiguous array."""
    words, tail = words_of(array)
    sums = np.empty(block_count(array.nbytes, size), np.uint64)
    _sum_blocks(words, tail, size, sums)
    return sums


@jit
def block_sum(words: Array, tail: Array, block: int, size: int) -> np.uint64:
    """The sum of block number `block`, of `size` bytes, of the bytes that `words_of` returned."""
    start = block * (size >> 3)
    stop = start + (size >> 3)
    inner = stop <= words.size  # what comes after the last whole word may be a block of its own
    return _xxh64(words, tail[:0] if inner else tail, start, stop if inner else words.size)


@jit
def span_sum(words: Array, tail: Array, start: int, stop: int) -> np.uint64:
    """The sum of words `start` to `stop` of the bytes that `words_of` returned, with the tail if they end there."""
    return _xxh64(words, tail if stop == words.size else tail[:0], start, stop)


@jit
def open_blocks(
    words: Array, tail: Array, sums: Array, seen: Array, lows: Array, highs: Array, width: int, size: int
) -> int:
    """Compare the blocks of `size` bytes that hold elements `lows[k]` to `highs[k]` of `width` bytes, but for those
    that are marked in `seen`, and mark them; returns a damaged block, or -1."""
    damaged = -1
    first, stop = 0, 0  # elements of the last block that was looked at: most are next to each other
    for k in range(lows.size):
        if lows[k] >= highs[k] or (first <= lows[k] and highs[k] <= stop):
            continue
        for block in range(lows[k] * width // size, (highs[k] * width - 1) // size + 1):
            first, stop = -(-block * size // width), (block + 1) * size // width
            if seen[block] == 0:
                if block_sum(words, tail, block, size) == sums[block]:
                    seen[block] = 1
                else:
                    damaged = block
    return damaged


@jit
def _sum_blocks(words: Array, tail: Array, size: int, sums: Array) -> None:
    for block in range(sums.size):
        sums[block] = block_sum(words, tail, block, size)


@jit
def _turn(word: np.uint64, bits: np.uint64) -> np.uint64:
    """Turn left. `bits` is no literal, for each of which numba would compile this again."""
    return word << bits | word >> (np.uint64(64) - bits)


@jit
def _round(held: np.uint64, word: np.uint64) -> np.uint64:
    return _turn(held + word * _P2, np.uint64(31)) * _P1


@jit
def _merge(held: np.uint64, lane: np.uint64) -> np.uint64:
    return (held ^ _round(np.uint64(0), lane)) * _P1 + _P4


@jit
def _xxh64(words: Array, tail: Array, start: int, stop: int) -> np.uint64:
    """The sum of `words[start:stop]` and the bytes of `tail` after them."""
    at = start
    if stop - start >= 4:
        one = _P1 + _P2
        two = _P2
        three = np.uint64(0)
        four = np.uint64(0) - _P1
        while at + 4 <= stop:
            one = _round(one, words[at])
            two = _round(two, words[at + 1])
            three = _round(three, words[at + 2])
            four = _round(four, words[at + 3])
            at += 4
        total = _turn(one, np.uint64(1)) + _turn(two, np.uint64(7))
        total += _turn(three, np.uint64(12)) + _turn(four, np.uint64(18))
        total = _merge(_merge(_merge(_merge(total, one), two), three), four)
    else:
        total = _P5
    total += np.uint64(8 * (stop - start) + tail.size)
    while at < stop:
        total = _turn(total ^ _round(np.uint64(0), words[at]), np.uint64(27)) * _P1 + _P4
        at += 1
    byte = 0
    if tail.size >= 4:
        word = np.uint64(0)
        for k in range(4):
            word |= np.uint64(tail[k]) << np.uint64(8 * k)
        total = _turn(total ^ word * _P1, np.uint64(23)) * _P2 + _P3
        byte = 4
    while byte < tail.size:
        total = _turn(total ^ np.uint64(tail[byte]) * _P5, np.uint64(11)) * _P1
        byte += 1
    total = (total ^ total >> np.uint64(33)) * _P2
    total = (total ^ total >> np.uint64(29)) * _P3
    return total ^ total >> np.uint64(32)
