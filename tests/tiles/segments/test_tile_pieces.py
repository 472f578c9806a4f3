"""A tile of a root is the same cells whether it is looked at in that root or in the smaller one of fewer rows."""

from __future__ import annotations

import numpy as np

from bigviz.aggregate.dyadic_cells import Root, root_of
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.segments.tile_pieces import TilePiece, holds, tile_pieces


def test_a_number_falls_into_the_same_cell_of_a_tile_by_way_of_its_pieces() -> None:
    rng = np.random.default_rng(1)
    for _ in range(2_000):
        few = np.sort(rng.uniform(-10, 10, 2) * 2.0 ** rng.integers(-14, 4, 2))
        many = np.sort([*few, rng.uniform(-10, 10) * 2.0 ** rng.integers(-14, 8)])
        small, large = root_of(*few.tolist()), root_of(many[0].item(), many[-1].item())
        assert holds(large, small)
        level, value = int(rng.integers(0, 25)), float(rng.choice([*few, few.mean()]))
        index = large.cell(value, level)
        expected = large.cell(value, level + 8) - 256 * index
        key = TileKey(level, level, index, (1 << level) - 1 - index)
        cells = []
        for piece in tile_pieces((large, large), (small, small), key):
            column = small.cell(value, piece.key.zx + 8) - 256 * piece.key.i
            line = small.cell(value, piece.key.zy + 8) - 256 * piece.key.row
            if 0 <= column < 256 and 0 <= line < 256:
                place = piece.place[0] + (255 - line >> piece.less[0]), piece.place[1] + (column >> piece.less[1])
                cells.append(place)
        assert cells == [(255 - expected, expected)]


def test_a_tile_of_the_same_root_is_itself_and_one_beside_a_smaller_root_is_nothing() -> None:
    key, small, large = TileKey(3, 5, 2, 9), Root(0, 0), Root(-2, 4)
    assert tile_pieces((small, small), (small, small), key) == [TilePiece(key)]
    assert tile_pieces((large, large), (small, small), TileKey(1, 1, 0, 0)) == []
    assert not holds(small, large) and not holds(Root(0, 0), Root(1, 0))
