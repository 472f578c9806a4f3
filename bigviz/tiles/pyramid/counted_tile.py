"""The rows of a tile counted by one call of a kernel, into a plane that a thread uses again.

Most tiles of a view have few rows or none. What they take is then not their rows: it is the calls, after each of which
a thread waits for those that compute in Python, and new memory for each plane.
"""

from __future__ import annotations

import threading
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.jit import jit
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.morton.quadtree import LEAF, STACK, count_ranges, descend, table_of, terms_of
from bigviz.tiles.morton.sorted_keys import Fenced, SortedKeys, key_span
from bigviz.wire.codec import CELLS, SIDE

__all__ = ["counted_tile"]

Array = npt.NDArray[Any]

_MOST: Final = 1 << 20  # rows that are counted without a look at the cancel flag: a few milliseconds
_RANGES: Final = 1 << 10  # most tiles have some 50


class _Scratch(threading.local):
    """Room for a tile's counts and ranges, for each thread."""

    def __init__(self) -> None:
        self.plane = np.zeros(CELLS, np.uint32)
        self.ranges = np.empty((2, _RANGES), np.int64), np.empty(_RANGES, np.bool_)
        self.descent = np.empty((2, 4), np.int64), np.empty((STACK, 4), np.int64), np.empty((_RANGES, 4), np.int64)


_scratch = _Scratch()


def counted_tile(guard: SortedKeys, tile: TileKey) -> tuple[npt.NDArray[np.uint32], int] | None:
    """The rows of a tile in each of its cells, (256, 256), and how many rows were looked at; None for more than a
    million of them, or more than 1,024 ranges. The plane is that of the next call of the thread, too. Raises
    Unreadable."""
    scratch, square = _scratch, tile.zx == tile.zy
    (ends, whole), (bounds, stack, squares) = scratch.ranges, scratch.descent
    first, end = tile.keys if square else (0, 1)
    if not square:
        bounds[:] = tile.codes
    terms = terms_of(tile)
    rows = _draw(
        guard.fenced, square, np.uint64(first), np.uint64(end - 1), bounds, stack, squares, ends, whole, *terms,
        table_of(tile), scratch.plane,
    )  # fmt: skip
    guard.keys.check()
    return None if rows < 0 else (scratch.plane.reshape(SIDE, SIDE), int(rows))


@jit
def _draw(
    fenced: Fenced, square: bool, first: np.uint64, last: np.uint64, bounds: Array, stack: Array, squares: Array,
    ends: Array, whole: Array, x: int, y: int, i: int, row: int, table: Array, plane: Array,
) -> int:  # fmt: skip
    """How many rows were looked at, or -1 where nothing was counted; of a tile without rows the plane is left."""
    found = 1
    if square:
        ends[0, 0], ends[1, 0] = key_span(fenced, first, last)
        whole[0] = True
    else:
        stack[0] = 0
        stack[0, 1] = fenced.keys.size
        found, depth = descend(fenced, bounds, stack, 1, squares, whole, LEAF)
        if depth > 0:
            return -1
        for k in range(found):
            ends[0, k] = squares[k, 0]
            ends[1, k] = squares[k, 1]
    rows = 0
    for k in range(found):
        rows += ends[1, k] - ends[0, k]
    if rows > _MOST:
        return -1
    if rows > 0:
        plane[:] = 0
        count_ranges(fenced, ends[0, :found], ends[1, :found], whole[:found], x, y, i, row, table, plane)
    return rows
