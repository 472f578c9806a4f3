"""A tile of one root as tiles of another root within it: an index keeps the roots it was made with when data grows.

Roots are dyadic, and the root of more rows holds that of fewer. So a tile is a tile of the smaller root too, at a level
that is less deep by the difference of the exponents. A tile that holds the whole smaller root, or half of it, is put
together from its halves, halved again until they have the tile's cells: roots lie at multiples of half their width.
"""

from __future__ import annotations

from dataclasses import dataclass

from bigviz.aggregate.dyadic_cells import Root
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.wire.codec import SIDE

__all__ = ["TilePiece", "holds", "tile_pieces"]

_MOST_HALVINGS = SIDE.bit_length() - 1


@dataclass(frozen=True, slots=True)
class TilePiece:
    """A tile of the smaller root, halved `less` times along y and along x, from row and column `place` of the tile
    on."""

    key: TileKey
    place: tuple[int, int] = (0, 0)
    less: tuple[int, int] = (0, 0)

    @property
    def same(self) -> bool:
        """Whether it is all of the tile, as it is."""
        return self.less == (0, 0)


def holds(root: Root, other: Root) -> bool:
    """Whether the other root lies within this one."""
    return root.exponent >= other.exponent and root.start <= other.start and other.stop <= root.stop


def tile_pieces(roots: tuple[Root, Root], within: tuple[Root, Root], key: TileKey) -> list[TilePiece]:
    """The tiles of `within`, smaller roots (x, y) or the same ones, that hold all their rows in a tile of `roots`."""
    if roots == within:
        return [TilePiece(key)]
    across = _pieces(roots[0], within[0], key.zx, key.i)
    up = _pieces(roots[1], within[1], key.zy, key.row)
    pieces = []
    for zx, i, column, less_x in across:
        for zy, row, line, less_y in up:
            tile = TileKey(zx, zy, i, (1 << zy) - 1 - row)
            height = SIDE >> less_y
            pieces.append(TilePiece(tile, (SIDE - line - height, column), (less_y, less_x)))
    return pieces


def _pieces(root: Root, within: Root, level: int, index: int) -> list[tuple[int, int, int, int]]:
    """On one axis: the level and number of each tile of the smaller root, the tile's cell that it begins at, counted
    from the low end, and how often it is halved."""
    below = root.exponent - within.exponent
    if below == 0:
        return [(level, index, 0, 0)] if root == within else []
    # In halves of the smaller root, which are counted from zero: both roots begin at a whole number of them.
    start = (root.multiple << below) - within.multiple
    if level > below:
        depth = level - below
        first = (start << depth - 1) + index
        return [(depth, first, 0, 0)] if 0 <= first < 1 << depth else []
    halves = 2 << below - level  # of the smaller root, that the tile is wide
    found = []
    for half in (0, 1):
        offset = half - start - index * halves
        if 0 <= offset < halves:
            less = halves.bit_length() - 1
            found.append((1, half, offset * SIDE // halves, min(less, _MOST_HALVINGS)))
    return found
