"""Kernels that add points eight at a time: eight are placed, their cells are fetched, and eight are added that were
placed 128 rows before. What a row costs is mostly the wait for its cell, and others are placed meanwhile.

The number of rows is a multiple of eight, and x and y are contiguous. Arguments that may be None have a kernel compiled
for either, so that none asks for each row. Counting a row is written out in each loop: as a function of its own, called
once a row, it made them 3.4 to 7 times as slow.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.glyphs.place_eight import EIGHT, place_eight
from bigviz.aggregate.glyphs.place_points import Sides, edges
from bigviz.aggregate.reductions.prefetch import prefetch
from bigviz.common.jit import jit

__all__ = ["count_eights", "keep_eights", "sum_eights"]

Array = npt.NDArray[Any]

_AHEAD: Final = 128  # rows between the one that is placed and the one that is added
_RING: Final = 256  # cells that are kept meanwhile: a power of two, more than those
_NEAR: Final = 1 << 20  # bytes of counts that come from the caches soon enough


@jit
def count_eights(
    x: Array, y: Array, codes: Any, sides: Sides, target: Any, low: Array, wrapped: Array, found: int
) -> int:
    """Count rows as `count_bytes` does."""
    ends, ring = edges(x, y, sides), np.empty(_RING, np.int32)
    far = low.size > _NEAR
    for k in range(0, x.size + _AHEAD, EIGHT):
        if k < x.size:
            place_eight(x, y, None, codes, k, sides, ends, target, ring, k & (_RING - 1))
            if far:
                for j in range(EIGHT):
                    prefetch(low, np.int64(np.uint32(ring[np.uint64((k & (_RING - 1)) + j)])))
        if k >= _AHEAD:
            for j in range(EIGHT):
                cell = np.uint32(ring[np.uint64(((k - _AHEAD) & (_RING - 1)) + j)])
                count = np.uint8(low[cell] + np.uint8(1))
                low[cell] = count
                if count == 0:
                    wrapped[found] = cell
                    found += 1
    return found


@jit
def sum_eights(
    x: Array, y: Array, values: Array, sides: Sides, target: Any, sums: Array, low: Array, wrapped: Array, found: int
) -> int:
    """Add all values, and count their rows, as `add_and_count` does; those that are NaN are left out."""
    ends, ring = edges(x, y, sides), np.empty(_RING, np.int32)
    for k in range(0, x.size + _AHEAD, EIGHT):
        if k < x.size:
            place_eight(x, y, values, None, k, sides, ends, target, ring, k & (_RING - 1))
            for j in range(EIGHT):
                prefetch(sums, np.int64(np.uint32(ring[np.uint64((k & (_RING - 1)) + j)])))
        if k >= _AHEAD:
            for j in range(EIGHT):
                cell = np.uint32(ring[np.uint64(((k - _AHEAD) & (_RING - 1)) + j)])
                sums[cell] += values[np.uint64(k - _AHEAD + j)]
                count = np.uint8(low[cell] + np.uint8(1))
                low[cell] = count
                if count == 0:
                    wrapped[found] = cell
                    found += 1
    return found


@jit
def keep_eights(x: Array, y: Array, values: Array, sides: Sides, target: Any, best: Array, lowest: Any) -> None:
    """Keep the highest value of each cell, as `highest` does, or the lowest where `lowest` is not None."""
    ends, ring = edges(x, y, sides), np.empty(_RING, np.int32)
    for k in range(0, x.size + _AHEAD, EIGHT):
        if k < x.size:
            place_eight(x, y, None, None, k, sides, ends, target, ring, k & (_RING - 1))
            for j in range(EIGHT):
                prefetch(best, np.int64(np.uint32(ring[np.uint64((k & (_RING - 1)) + j)])))
        if k >= _AHEAD:
            for j in range(EIGHT):
                cell = np.uint32(ring[np.uint64(((k - _AHEAD) & (_RING - 1)) + j)])
                value, held = values[np.uint64(k - _AHEAD + j)], best[cell]
                if lowest is None:
                    best[cell] = value if (value > held) | (held != held) else held
                else:
                    best[cell] = value if (value < held) | (held != held) else held
