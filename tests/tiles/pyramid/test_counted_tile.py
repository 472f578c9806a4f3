"""Tiles that one call of a kernel counts are those that are counted range by range."""

from __future__ import annotations

import numpy as np
import pytest

from bigviz.aggregate.layer import Layer
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.errors import Cancelled
from bigviz.tiles.grid.interleave import spread
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.morton.quadtree import count_cells, ranges_within
from bigviz.tiles.morton.sorted_keys import SortedKeys
from bigviz.tiles.pyramid import counted_tile
from bigviz.tiles.pyramid.layer_columns import Inputs
from bigviz.tiles.pyramid.pyramid import Pyramid
from bigviz.wire.codec import SIDE

U4 = np.dtype(np.uint32)
KEYS = [
    *(TileKey(0, 0, 0, 0), TileKey(1, 1, 0, 1), TileKey(1, 1, 1, 0), TileKey(2, 2, 0, 0), TileKey(7, 7, 60, 66)),
    *(TileKey(1, 0, 1, 0), TileKey(0, 3, 0, 4), TileKey(6, 2, 31, 1), TileKey(2, 8, 1, 120), TileKey(24, 24, 0, 0)),
]


@pytest.fixture(scope="module")
def guard() -> SortedKeys:
    """60,000 rows, some of them many on one place."""
    rng = np.random.default_rng(2)
    x, y = (
        (np.clip(rng.normal(0.5, 0.08, 60_000), 0, 0.9999) * 2.0**32).astype(np.uint64),
        rng.integers(0, 1 << 32, 60_000).astype(np.uint64),
    )
    x[:9_000], y[:9_000] = 1 << 31, 1 << 31
    return SortedKeys(np.sort(spread_all(x) | spread_all(y) << np.uint64(1)))


def spread_all(codes: np.ndarray) -> np.ndarray:
    return np.array([spread(code) for code in codes], np.uint64)


def expected(guard: SortedKeys, tile: TileKey) -> np.ndarray:
    plane = np.zeros((SIDE, SIDE), np.uint32)
    count_cells(guard, ranges_within(guard, tile.codes), tile, plane)
    return plane


def test_counts_are_those_of_the_ranges(guard: SortedKeys) -> None:
    for tile in (*KEYS, *KEYS[::-1]):  # each plane is written over by that of the next tile
        found = counted_tile.counted_tile(guard, tile)
        assert found is not None
        plane, rows = found
        assert rows >= expected(guard, tile).sum() and (rows > 0 or not expected(guard, tile).any())
        if rows:
            np.testing.assert_array_equal(plane, expected(guard, tile))


def test_many_rows_and_many_ranges_are_left_to_others(guard: SortedKeys, monkeypatch: pytest.MonkeyPatch) -> None:
    few = counted_tile._Scratch()
    few.ranges = np.empty((2, 4), np.int64), np.empty(4, np.bool_)
    monkeypatch.setattr(counted_tile, "_scratch", few)
    assert counted_tile.counted_tile(guard, TileKey(0, 5, 0, 16)) is None
    assert counted_tile.counted_tile(guard, TileKey(0, 0, 0, 0)) is not None


def test_a_pyramid_counts_no_values_so_and_stops_when_it_is_told() -> None:
    empty, reduction = SortedKeys(np.empty(0, np.uint64)), Layer("points", "x", "y").reduction
    counts = Pyramid(empty, Inputs(reduction, U4, U4))
    for key in KEYS:
        found = counts.counted(key, NEVER)
        assert found is not None and found[1] == 0
    assert Pyramid(empty, Inputs(Layer("points", "x", "y", "any").reduction, U4, U4)).counted(KEYS[0]) is None
    stopped = Cancel()
    stopped.cancel()
    with pytest.raises(Cancelled):
        counts.counted(KEYS[0], stopped)
