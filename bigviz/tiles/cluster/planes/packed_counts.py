"""Planes of counts between workers and the server: small numbers packed into bits, large ones patched.

A plane is 256 blocks of 256 cells, its rows. Of a block the low 0, 1, 2, 4, 8, 16 or 32 bits of each cell are packed,
and what is left of cells that need more is listed: how many bits, that is the smallest for each block ("PFOR": Zukowski
et al., Super-Scalar RAM-CPU Cache Compression, ICDE 2006). Adding such a plane up has no branch on a cell, so it takes
a fifth of the time that run lengths take; it is never sent to browsers, whose planes `bigviz.wire.codec` writes.

    plane       = 32 bytes: bit b & 7 of byte b / 8 says whether block b has filled cells; then those blocks in turn
    block       = width, 0 to 6 for 0, 1, 2, 4, 8, 16, 32 bits, plus 8 x the bytes of a patch (0 without any, 1, 2, 4)
                  number of patches, 0 to 255
                  32 bytes a bit: below 8 bits byte k holds cells k, k + n, k + 2n, ... of n bytes, the first in its low
                  bits; else 256 bytes of the cells' lowest bytes, 256 of the next ones, ...
                  the patches' cells, a byte each
                  what is added to them, shifted by the width: the lowest bytes of all, then the next ones, ...

A plane without filled cells has no bytes.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.errors import Unreadable
from bigviz.common.jit import frozen, jit
from bigviz.wire.codec import SIDE

__all__ = ["add_packed", "pack_counts"]

Array = npt.NDArray[Any]

_PRESENT: Final = SIDE // 8  # bytes that say which blocks have filled cells
_WIDTHS: Final = (0, 1, 2, 4, 8, 16, 32)
_EXACT: Final = len(_WIDTHS) - 1  # a width that needs no patches
_MOST: Final = _PRESENT + SIDE * (2 + 4 * SIDE)  # bytes of a plane, at most
_PATCH: Final = 3  # bytes that take as long to send as a patch takes to write and add, beyond its own bytes


def pack_counts(counts: npt.NDArray[np.uint32]) -> bytes:
    """A C-contiguous (256, 256) plane of counts."""
    room, cells = _room, frozen(counts)
    if not _choose(cells, room.chosen):
        return b""
    length = _write(cells, frozen(room.chosen), room.flags, room.eights, room.places, room.out)
    return bytes(room.out[:length])


def add_packed(planes: Sequence[bytes | memoryview], out: npt.NDArray[np.uint32]) -> None:
    """Set the C-contiguous (256, 256) `out` to the sum of packed planes. Raises Unreadable for bytes that `pack_counts`
    did not write."""
    data = np.frombuffer(b"".join(planes), np.uint8)
    ends = np.array([*accumulate(map(len, planes))])
    damaged = _sum(data, ends, _room.blocks_of(len(planes)), out)
    if damaged >= 0:
        words = f"A worker sent a plane of counts that is damaged at byte {damaged} of {len(data)}."
        raise Unreadable(words, "tiles", damaged)


class _Room(threading.local):
    """What a plane is written with, for each thread: a new array costs page faults, which take as long as its bytes."""

    def __init__(self) -> None:
        self.out = np.empty(_MOST, np.uint8)
        self.chosen = np.empty((SIDE, 3), np.uint8)  # of each block: its width, the bytes of a patch, and how many
        self.flags = np.empty(SIDE, np.uint8)  # which cells of a block need a patch
        self.eights = self.flags.view(np.uint64)
        self.places = np.empty(SIDE + 1, np.uint8)  # where they are
        self.blocks = np.empty((0, 2), np.int64)

    def blocks_of(self, planes: int) -> Array:
        """Room for the places of all blocks of so many planes."""
        if len(self.blocks) < planes * SIDE:
            self.blocks = np.empty((planes * SIDE, 2), np.int64)
        return self.blocks


_room = _Room()


@jit
def _choose(counts: Array, chosen: Array) -> bool:
    """Choose for each block the width that makes it smallest. Returns whether any cell is filled."""
    any_filled = False
    for block in range(SIDE):
        every = np.uint32(0)
        for k in range(SIDE):
            every |= counts[block, k]
        best, found, patch, fewest = _EXACT, 0, 0, SIDE // 8 * 32
        for width in range(_EXACT):
            bits = np.uint32(_WIDTHS[width])
            size = SIDE // 8 * _WIDTHS[width]
            if size >= fewest:
                break
            more = 0
            rest = every >> bits
            each = 0 if rest == 0 else 1 if rest < 1 << 8 else 2 if rest < 1 << 16 else 4
            if rest != 0:
                patched = np.uint32(0)
                for k in range(SIDE):
                    patched += np.uint32(counts[block, k] >> bits != 0)
                more = int(np.int64(patched))
                size += more * (1 + each + _PATCH)
            if size < fewest and more < SIDE:
                best, found, patch, fewest = width, more, each, size
        chosen[block, 0], chosen[block, 1], chosen[block, 2] = best, patch, found
        any_filled |= every != 0
    return any_filled


@jit
def _write(counts: Array, chosen: Array, flags: Array, eights: Array, places: Array, out: Array) -> int:
    """Write a plane as it was chosen. Returns its length."""
    for k in range(_PRESENT):
        out[k] = 0
    at = _PRESENT
    for block in range(SIDE):
        width, size, patches = int(chosen[block, 0]), int(chosen[block, 1]), int(chosen[block, 2])
        if width == 0 and patches == 0:
            continue
        out[block >> 3] |= np.uint8(1 << (block & 7))
        out[at], out[at + 1] = width + 8 * size, patches
        bits, start = _WIDTHS[width], np.uint64(at + 2)
        length = SIDE // 8 * bits
        at += 2 + length
        if bits > 8:
            for byte in range(bits // 8):
                for k in range(SIDE):
                    out[start + np.uint64(byte * SIDE + k)] = counts[block, k] >> np.uint32(8 * byte) & np.uint32(255)
        elif bits:
            mask = np.uint32((1 << bits) - 1)
            for k in range(length):
                out[start + np.uint64(k)] = counts[block, k] & mask
            for j in range(1, 8 // bits):
                for k in range(length):
                    low = counts[block, j * length + k] & mask
                    out[start + np.uint64(k)] |= np.uint8(low << np.uint32(j * bits))
        if patches == 0:
            continue
        for k in range(SIDE):
            flags[k] = counts[block, k] >> np.uint32(bits) != 0
        found = 0
        for eight in range(SIDE // 8):
            if eights[eight] != 0:
                for k in range(8 * eight, 8 * eight + 8):
                    places[found] = k
                    found += flags[k]
        for patch in range(patches):
            more = counts[block, places[patch]] >> np.uint32(bits)
            out[at + patch] = places[patch]
            for byte in range(size):
                out[at + patches * (1 + byte) + patch] = more >> np.uint32(8 * byte) & np.uint32(255)
        at += patches * (1 + size)
    return at


@jit
def _sum(data: Array, ends: Array, blocks: Array, out: Array) -> int:
    """Set `out` to the sum of the planes that end at `ends`. Returns where the bytes are damaged, or -1. A single
    call, since after each the thread waits for those that hold the interpreter's lock."""
    found = _find_blocks(data, ends, blocks)
    return -1 - found if found < 0 else _add(data, blocks, found, out)


@jit
def _find_blocks(data: Array, ends: Array, blocks: Array) -> int:
    """List the number and the place of each block of the planes that end at `ends`, those of the same number side by
    side: the core's cache then holds their cells. How many there are, or -1 - p where the bytes are damaged at p."""
    starts, at = np.zeros(ends.size, np.int64), np.empty(ends.size, np.int64)
    starts[1:] = ends[:-1]
    for plane in range(ends.size):
        if starts[plane] < ends[plane] <= starts[plane] + _PRESENT:
            return int(-1 - starts[plane])
        at[plane] = min(starts[plane] + _PRESENT, ends[plane])
    found = 0
    for block in range(SIDE):
        for plane in range(starts.size):
            start, stop = at[plane], ends[plane]
            if starts[plane] == stop or not data[starts[plane] + (block >> 3)] >> (block & 7) & 1:
                continue
            if start + 2 > stop:
                return int(-1 - start)
            width, size, patches = data[start] & 7, data[start] >> 3, np.int64(data[start + 1])
            if width > _EXACT or not (size == 1 or size == 2 or size == 4 if patches else size == 0):
                return int(-1 - start)
            if width + patches == 0 or (width == _EXACT and patches):
                return int(-1 - start)
            at[plane] += 2 + SIDE // 8 * _WIDTHS[width] + patches * (1 + size)
            if at[plane] > stop:
                return int(-1 - start)
            blocks[found, 0], blocks[found, 1] = block, start
            found += 1
    for plane in range(starts.size):
        if at[plane] < ends[plane]:
            return int(-1 - at[plane])
    return found


@jit
def _add(data: Array, blocks: Array, found: int, out: Array) -> int:
    """Set `out` to the sum of blocks that `_find_blocks` listed; where a patch adds nothing or more than 32 bits, or
    -1."""
    done = 0  # rows that are begun
    for number in range(found):
        block, at = blocks[number, 0], blocks[number, 1]
        while done <= block:
            for k in range(SIDE):
                out[done, k] = 0
            done += 1
        bits, size, patches = _WIDTHS[data[at] & 7], np.int64(data[at] >> 3), np.int64(data[at + 1])
        start, length = np.uint64(at + 2), SIDE // 8 * bits
        if bits > 8:
            for byte in range(bits // 8):
                for k in range(SIDE):
                    out[block, k] += np.uint32(data[start + np.uint64(byte * SIDE + k)]) << np.uint32(8 * byte)
        elif bits:
            mask = np.uint32((1 << bits) - 1)
            for j in range(8 // bits):
                for k in range(length):
                    out[block, j * length + k] += np.uint32(data[start + np.uint64(k)]) >> np.uint32(bits * j) & mask
        first, is_damaged = at + 2 + length, False
        for patch in range(first, first + patches):
            more = np.uint64(data[patch + patches])
            for byte in range(1, size):
                more |= np.uint64(data[patch + patches * (1 + byte)]) << np.uint64(8 * byte)
            more <<= np.uint64(bits)
            is_damaged |= (more == 0) | (more >> np.uint64(32) != 0)
            out[block, data[patch]] += np.uint32(more)
        if is_damaged:
            return int(first)
    while done < SIDE:
        for k in range(SIDE):
            out[done, k] = 0
        done += 1
    return -1
