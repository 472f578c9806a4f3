"""The oldest row of a tile: with how many there are it tells which rows a tile holds, where rows only come at the end
and go at the start."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.jit import frozen, jit
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.morton.quadtree import cells_of, positions_of, ranges_within
from bigviz.tiles.morton.sorted_keys import SortedKeys

__all__ = ["lowest_of_blocks", "rows_of_tile"]

Array = npt.NDArray[Any]

_BLOCK: Final = 1 << 12
_OWN: Final = np.empty(0, np.uint32)


def lowest_of_blocks(rows: Array) -> npt.NDArray[np.uint32]:
    """The lowest of each 4,096 row numbers (uint32)."""
    if not len(rows):
        return np.empty(0, np.uint32)
    return np.minimum.reduceat(rows, np.arange(0, len(rows), _BLOCK))


def rows_of_tile(
    guard: SortedKeys, rows: Array, lowest: Array, tile: TileKey, places: Array | None = None
) -> tuple[int, int]:
    """How many rows of an order lie in a tile, and the lowest of their numbers; (0, -1) without any. `lowest` is what
    `lowest_of_blocks` gives of the row numbers, which are those at `places` (uint32) of `rows`, None: at their own."""
    at = frozen(_OWN if places is None else places)
    if tile.zx == tile.zy:
        low, high = guard.span(*tile.keys)
        return high - low, _lowest(frozen(rows), at, frozen(lowest), np.array([low]), np.array([high]))
    ranges = ranges_within(guard, tile.codes)
    whole = ranges.whole
    edge = positions_of(ranges.low[~whole], ranges.high[~whole])
    near = edge[cells_of(guard.keys.take(edge), tile) >= 0]
    inside = rows[near if places is None else places[near]]
    count = int((ranges.high - ranges.low)[whole].sum()) + len(inside)
    found = _lowest(frozen(rows), at, frozen(lowest), ranges.low[whole], ranges.high[whole])
    oldest = [each for each in (found, int(inside.min()) if len(inside) else -1) if each >= 0]
    return count, min(oldest, default=-1)


@jit
def _lowest(rows: Array, places: Array, lowest: Array, low: Array, high: Array) -> int:
    """The lowest of some ranges of row numbers; -1 where these are empty."""
    best = np.int64(1) << 32
    for k in range(low.size):
        at, stop = low[k], high[k]
        while at < stop:
            if at % _BLOCK == 0 and at + _BLOCK <= stop:
                best = min(best, np.int64(lowest[at // _BLOCK]))
                at += _BLOCK
            else:
                place = np.int64(places[at]) if places.size > 0 else at
                best = min(best, np.int64(rows[place]))
                at += 1
    return int(best) if best < np.int64(1) << 32 else -1
