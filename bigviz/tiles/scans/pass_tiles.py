"""Which tiles are made in a pass besides the requested ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bigviz.tiles.grid.tile_key import Codes, TileKey

__all__ = ["around", "block_of", "ring_of"]

_BLOCK: Final = 4  # a single requested tile is made with those of its block of 4 x 4


def around(rectangles: Sequence[Codes]) -> Codes:
    """The rectangle that holds all."""
    firsts, lasts, bottoms, tops = zip(*rectangles, strict=True)
    return min(firsts), max(lasts), min(bottoms), max(tops)


def block_of(key: TileKey) -> list[TileKey]:
    """The tiles of the block of 4 x 4 that a tile lies in, the same ones in the same order for each."""
    columns, rows = (
        range(at // _BLOCK * _BLOCK, min((at // _BLOCK + 1) * _BLOCK, 1 << level))
        for at, level in ((key.i, key.zx), (key.j, key.zy))
    )
    return [TileKey(key.zx, key.zy, i, j) for j in rows for i in columns]


def ring_of(keys: Sequence[TileKey]) -> list[TileKey]:
    """The tiles around those of a view, which are all of one level; none around tiles that do not belong to a view."""
    levels = {(key.zx, key.zy) for key in keys}
    if len(levels) != 1:
        return []
    ((zx, zy),) = levels
    left, right = (choose(key.i for key in keys) for choose in (min, max))
    top, bottom = (choose(key.j for key in keys) for choose in (min, max))
    columns = range(max(left - 1, 0), min(right + 2, 1 << zx))
    rows = range(max(top - 1, 0), min(bottom + 2, 1 << zy))
    if len(columns) * len(rows) > 4 * len(keys) + 64:
        return []
    have = set(keys)
    around = [TileKey(zx, zy, i, j) for j in rows for i in columns]
    return [key for key in around if key not in have]
