"""Strips of a square: their ranges are those that a descent finds for each of their tiles."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from bigviz.aggregate.axis import Axis
from bigviz.common.errors import Unreadable
from bigviz.common.workers import Crew
from bigviz.common.xxh64 import sum_blocks
from bigviz.tiles.grid.tile_key import DEEPEST, TileKey
from bigviz.tiles.morton.order import build_order
from bigviz.tiles.morton.quadtree import LONG, ranges_within
from bigviz.tiles.morton.sorted_keys import SortedKeys
from bigviz.tiles.morton.verified_array import VerifiedArray
from bigviz.tiles.pyramid.strips import Strip, halves

MakeAxis = Callable[..., Axis]
SIZE = 60_000


def points(shape: str) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=SIZE), rng.normal(size=SIZE)
    if shape == "lines":  # a slanted one and one along y: squares that a descent leaves whole though they are large
        y = np.where(rng.random(SIZE) < 0.5, 0.3 * x, y)
        x[: SIZE // 3] = 0.3
    if shape == "piles":
        x[: SIZE // 2], y[: SIZE // 2] = 0.25, 0.25
    return x, y


@pytest.fixture(scope="module", params=["normal", "lines", "piles"])
def guard(request: pytest.FixtureRequest, axis: MakeAxis) -> SortedKeys:
    x, y = points(request.param)
    return build_order(axis(x), axis(y), False, Crew(1)).guard


def strips_of(guard: SortedKeys, tile: TileKey, along_x: bool) -> Iterator[Strip]:
    """All strips of a square, four levels deep, and of those below them the one with the most rows of each level."""
    waiting = [Strip.square(tile, *guard.span(*tile.keys))]
    while waiting:
        waiting = [half for strip in waiting for half in halves(guard, strip, along_x) if half.rows > LONG]
        yield from waiting
        if len(waiting) > 8:
            waiting = [max(waiting, key=lambda strip: strip.rows)]


def tiles_in(strip: Strip, tile: TileKey, first: int, end: int, along_x: bool) -> Iterator[tuple[TileKey, int, int]]:
    """A tile of a strip and those in it, with their ranges."""
    yield tile, first, end
    if tile.zx != tile.zy:
        lower, upper = (tile.half(not along_x, each) for each in (False, True))
        cut = strip.cut(upper, first, end)
        for half, start, stop in ((lower, first, cut), (upper, cut, end)):
            if strip.rows_of(start, stop) > LONG:
                yield from tiles_in(strip, half, start, stop, along_x)


@pytest.mark.parametrize("along_x", [True, False])
@pytest.mark.parametrize("tile", [TileKey(0, 0, 0, 0), TileKey(2, 2, 1, 1), TileKey(2, 2, 2, 2)])
def test_ranges_that_are_inherited_are_those_of_a_descent(guard: SortedKeys, tile: TileKey, along_x: bool) -> None:
    seen = 0
    for strip in strips_of(guard, tile, along_x):
        for each, first, end in tiles_in(strip, strip.tile, 0, len(strip.squares), along_x):
            ours, theirs = strip.ranges(first, end), ranges_within(guard, each.codes)
            assert np.array_equal(ours.low, theirs.low) and np.array_equal(ours.high, theirs.high), each
            assert np.array_equal(ours.whole, theirs.whole), each
            seen += 1
    assert seen > 3


def test_the_last_level_has_no_halves(guard: SortedKeys) -> None:
    assert halves(guard, Strip.square(TileKey(DEEPEST, DEEPEST, 0, 0), 0, 1), True) == []


def test_damaged_keys_are_found(guard: SortedKeys) -> None:
    keys = guard.keys.array.copy()
    sums = sum_blocks(keys)
    keys[20_000] ^= np.uint64(1)
    damaged = SortedKeys(VerifiedArray(keys, sums), guard.fences, guard.boxes.sides[: -(-len(keys) // 256)])
    with pytest.raises(Unreadable):
        list(strips_of(damaged, TileKey(0, 0, 0, 0), True))
