from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigviz.aggregate.axis import Axis
from bigviz.common.cancel import Cancel
from bigviz.common.errors import BadInput, Cancelled
from bigviz.common.workers import Crew
from bigviz.tiles.grid.tile_key import DEEPEST, TileKey
from bigviz.tiles.morton import quadtree, sorted_keys
from bigviz.tiles.morton.order import Order, build_order
from bigviz.tiles.morton.quadtree import cells_of, count_cells, positions_of, ranges_within
from bigviz.tiles.morton.sorted_keys import SortedKeys

MakeAxis = Callable[..., Axis]
CREW = Crew(1)


def make(axis: MakeAxis, shape: str, size: int, seed: int) -> tuple[Order, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=size), rng.normal(size=size)
    if shape == "piles":
        x, y = x[rng.integers(0, min(7, size), size)], y[rng.integers(0, min(3, size), size)]
    elif shape == "integers":
        x, y = np.floor(x * 50), np.floor(y * 3)
    elif shape == "line":
        y = np.zeros(size)
    elif shape == "corner":
        x, y = np.exp(20 * x), np.exp(20 * y)
    order = build_order(axis(x), axis(y), False, CREW)
    codes = np.empty((2, size), np.uint32)
    order.survey.x.codes(x, None, codes[0])
    order.survey.y.codes(y, None, codes[1])
    return order, codes[0].astype(np.int64), codes[1].astype(np.int64)


def brute(codes_x: np.ndarray, codes_y: np.ndarray, tile: TileKey) -> np.ndarray:
    column = (codes_x >> (24 - tile.zx)) - tile.i * 256
    row = (codes_y >> (24 - tile.zy)) - tile.row * 256
    inside = (column >= 0) & (column < 256) & (row >= 0) & (row < 256)
    return np.bincount((255 - row[inside]) * 256 + column[inside], minlength=65_536).reshape(256, 256)


SHAPES = st.sampled_from(["normal", "piles", "integers", "line", "corner"])


@settings(max_examples=60, deadline=None)
@given(st.data(), SHAPES, st.integers(0, 2**32), st.sampled_from([1, 300, 5000]))
def test_any_tile_counts_its_rows(axis: MakeAxis, data: st.DataObject, shape: str, seed: int, size: int) -> None:
    order, codes_x, codes_y = make(axis, shape, size, seed)
    for _ in range(6):
        zx, zy = data.draw(st.integers(0, DEEPEST)), data.draw(st.integers(0, DEEPEST))
        row = data.draw(st.integers(0, size - 1))
        tile = TileKey(zx, zy, int(codes_x[row]) >> (32 - zx), (1 << zy) - 1 - (int(codes_y[row]) >> (32 - zy)))
        plane = np.zeros((256, 256), np.uint32)
        ranges = ranges_within(order.guard, tile.codes)
        count_cells(order.guard, ranges, tile, plane)
        expected = brute(codes_x, codes_y, tile)
        assert (plane == expected).all() and expected.sum() > 0
        positions = positions_of(ranges.low, ranges.high)
        assert ranges.rows == len(positions) == len(set(positions.tolist()))
        cells = cells_of(order.keys[positions], tile)
        assert (np.bincount(cells[cells >= 0], minlength=65_536).reshape(256, 256) == expected).all()
        whole = positions_of(ranges.low[ranges.whole], ranges.high[ranges.whole])
        assert (cells_of(order.keys[whole], tile) >= 0).all()


@settings(max_examples=60, deadline=None)
@given(st.data(), SHAPES, st.integers(0, 2**32))
def test_any_rectangle_finds_its_rows(axis: MakeAxis, data: st.DataObject, shape: str, seed: int) -> None:
    order, codes_x, codes_y = make(axis, shape, 3000, seed)
    edges = st.one_of(
        st.integers(0, 2**32 - 1), st.sampled_from([int(code) for code in [*codes_x[:20], *codes_y[:20]]])
    )
    x0, x1 = sorted((data.draw(edges), data.draw(edges)))
    y0, y1 = sorted((data.draw(edges), data.draw(edges)))
    inside = (codes_x >= x0) & (codes_x <= x1) & (codes_y >= y0) & (codes_y <= y1)
    inner = (codes_x > x0) & (codes_x < x1) & (codes_y > y0) & (codes_y < y1)
    ranges = ranges_within(order.guard, (x0, x1, y0, y1), inner=(x0 + 1, x1 - 1, y0 + 1, y1 - 1))
    found = order.rows[positions_of(ranges.low, ranges.high)]
    assert set(np.flatnonzero(inside).tolist()) <= set(found.tolist())
    whole = order.rows[positions_of(ranges.low[ranges.whole], ranges.high[ranges.whole])]
    assert inner[whole].all()
    assert (ranges.low[1:] >= ranges.high[:-1]).all()


@pytest.mark.parametrize("shape", ["normal", "piles", "line", "corner"])
def test_ranges_are_the_same_with_a_table_of_squares(
    axis: MakeAxis, shape: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sorted_keys, "_TOLD", 5)
    monkeypatch.setattr(sorted_keys, "_SQUARES", 7)
    order, codes_x, codes_y = make(axis, shape, 20_000, 3)
    rng, found = np.random.default_rng(4), []
    windows = [
        tuple(int(end) for codes in (codes_x, codes_y) for end in np.sort(rng.choice(codes, 2))) for _ in range(30)
    ]
    for _ in range(2):
        found.append([ranges_within(order.guard, (w[0], w[1], w[2], w[3])) for w in windows])
        order.guard.tabulate(Crew(2))
    assert order.guard.fenced.squares.size == (1 << 10) + 1
    for before, after in zip(*found, strict=True):
        np.testing.assert_array_equal(before.low, after.low)
        np.testing.assert_array_equal(before.high, after.high)
        np.testing.assert_array_equal(before.whole, after.whole)


def test_long_answers_come_in_batches(axis: MakeAxis, monkeypatch: pytest.MonkeyPatch) -> None:
    order, codes_x, codes_y = make(axis, "normal", 20_000, 1)
    tile = TileKey(4, 0, 6, 0)
    whole = ranges_within(order.guard, tile.codes)
    assert len(whole.low) > 6
    monkeypatch.setattr(quadtree, "_BATCH", 3)
    monkeypatch.setattr(quadtree, "SLICE", 100)
    parts = ranges_within(order.guard, tile.codes)
    assert (parts.low == whole.low).all() and (parts.whole == whole.whole).all()
    plane = np.zeros((256, 256), np.uint32)
    count_cells(order.guard, parts, tile, plane)
    assert (plane == brute(codes_x, codes_y, tile)).all()
    cancel = Cancel()
    cancel.cancel()
    with pytest.raises(Cancelled):
        ranges_within(order.guard, tile.codes, cancel)
    with pytest.raises(Cancelled):
        count_cells(order.guard, parts, tile, plane, cancel)


def test_a_pile_costs_its_logarithm(axis: MakeAxis) -> None:
    keys = SortedKeys(np.repeat(np.array([5, 2**40, 2**63], np.uint64), 3_000_000))
    plane = np.zeros((256, 256), np.uint32)
    tile = TileKey(0, 0, 0, 0)
    steps = 0
    for _ in range(200):  # 2 * 10^9 rows: seconds if each were read
        plane[:] = 0
        count_cells(keys, ranges_within(keys, tile.codes), tile, plane)
        steps += 1
    assert steps == 200 and sorted(plane[plane > 0].tolist()) == [3_000_000, 6_000_000]


@pytest.mark.parametrize(
    "key", [(-1, 0, 0, 0), (25, 0, 0, 0), (0, 25, 0, 0), (3, 2, 8, 0), (3, 2, 0, 4), (1, 1, -1, 0), (1, 1, 0, -1)]
)
def test_tiles_outside_their_level_are_refused(key: tuple[int, int, int, int]) -> None:
    with pytest.raises(BadInput) as caught:
        TileKey(*key).check()
    assert caught.value.field == "tile" and caught.value.got == list(key)


def test_a_tile_is_counted_from_the_top() -> None:
    tile = TileKey(1, 2, 1, 0)
    tile.check()
    assert tile.row == 3
    assert tile.codes == (2**31, 2**32 - 1, 3 * 2**30, 2**32 - 1)
    assert TileKey(1, 1, 1, 0).morton == 3 and TileKey(1, 1, 1, 1).morton == 1
