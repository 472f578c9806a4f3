"""Boxes of rows in order, against a look at every row; and what they bound: the rows that tiles next to lines touch."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigviz.aggregate.axis import Axis
from bigviz.aggregate.reductions.parse import parse
from bigviz.common.errors import Unreadable
from bigviz.common.jit import jit
from bigviz.common.workers import Crew
from bigviz.tiles.grid.interleave import compact
from bigviz.tiles.grid.tile_key import DEEPEST, TileKey
from bigviz.tiles.morton.order import build_order
from bigviz.tiles.morton.packed_rtree import BOXED, Boxes, boxes_of, enclosed, stack_boxes, touched
from bigviz.tiles.morton.quadtree import ranges_within
from bigviz.tiles.morton.sorted_keys import SortedKeys
from bigviz.tiles.pyramid.accumulators import revive
from bigviz.tiles.pyramid.layer_columns import gather_inputs
from bigviz.tiles.pyramid.pyramid import Pyramid

from ...examples import examples
from ..built import build_pyramid

MakeAxis = Callable[..., Axis]
CREW = Crew(2)


@jit
def call_touched(boxes: Boxes, low: int, high: int, x0: int, x1: int, y0: int, y1: int) -> bool:
    return touched(boxes, low, high, x0, x1, y0, y1)


@jit
def call_enclosed(boxes: Boxes, low: int, high: int, x0: int, x1: int, y0: int, y1: int) -> bool:
    return enclosed(boxes, low, high, x0, x1, y0, y1)


def spread_all(codes: np.ndarray) -> np.ndarray:
    """Codes of 32 bits with a zero before each bit."""
    for by in (16, 8, 4, 2, 1):
        kept = (2**64 - 1) // (2**by + 1)  # `by` bits of every 2 * `by`
        codes = (codes | codes << np.uint64(by)) & np.uint64(kept)
    return codes


def keys_of(size: int, bits: int, seed: int) -> np.ndarray:
    x, y = np.random.default_rng(seed).integers(0, 1 << bits, (2, size)).astype(np.uint64)
    return np.sort(spread_all(x) | spread_all(y) << np.uint64(1))


def sides_of(keys: np.ndarray) -> list[int]:
    x = [int(compact(key)) for key in keys]
    y = [int(compact(key >> np.uint64(1))) for key in keys]
    return [min(x), max(x), min(y), max(y)]


KEYS = {bits: keys_of(20_000, bits, bits) for bits in (3, 9, 32)}


@cache
def lowest(bits: int) -> np.ndarray:
    """The boxes of these keys."""
    return boxes_of(KEYS[bits])


def test_a_box_holds_its_rows_and_no_more() -> None:
    for bits, keys in KEYS.items():
        parts = [keys[start : start + BOXED] for start in range(0, len(keys), BOXED)]
        assert lowest(bits).tolist() == [sides_of(part) for part in parts]
    assert boxes_of(np.empty(0, np.uint64)).shape == (0, 4)


@pytest.mark.parametrize("rows", [1, 256, 257, 8192, 8193, 20_000])
def test_boxes_are_stacked_until_one_holds_all(rows: int) -> None:
    keys = KEYS[32][:rows]
    boxes = stack_boxes(boxes_of(keys))
    assert boxes.starts[-1] == len(boxes.sides) and boxes.starts[-1] - boxes.starts[-2] == 1
    assert boxes.sides[-1].tolist() == sides_of(keys)
    step = BOXED
    for start, stop in zip(boxes.starts[:-1], boxes.starts[1:], strict=True):
        held = [sides_of(keys[at : at + step]) for at in range(0, rows, step)]
        assert boxes.sides[start:stop].tolist() == held
        step *= 32


@settings(max_examples=examples(100, fuzzed=300), deadline=None)
@given(st.data(), st.sampled_from([3, 9, 32]))
def test_what_is_not_touched_has_no_row_and_what_is_enclosed_has_no_other(data: st.DataObject, bits: int) -> None:
    keys, boxed = KEYS[bits], lowest(bits)
    low = data.draw(st.integers(0, len(keys) - 1))
    high = data.draw(st.integers(low + 1, len(keys)))
    ends = st.integers(0, (1 << bits) - 1)
    (x0, x1), (y0, y1) = (sorted((data.draw(ends), data.draw(ends))) for _ in range(2))
    some = boxed[low // BOXED : (high - 1) // BOXED + 1].astype(np.int64)
    met = (some[:, 0] <= x1) & (some[:, 1] >= x0) & (some[:, 2] <= y1) & (some[:, 3] >= y0)
    boxes = stack_boxes(boxed)
    assert call_touched(boxes, low, high, x0, x1, y0, y1) == met.any()
    whole = boxed[-(-low // BOXED) : high // BOXED].astype(np.int64)
    inside = (whole[:, 0] >= x0) & (whole[:, 1] <= x1) & (whole[:, 2] >= y0) & (whole[:, 3] <= y1)
    assert call_enclosed(boxes, low, high, x0, x1, y0, y1) == (len(whole) > 0 and inside.all())


def test_boxes_must_fit() -> None:
    with pytest.raises(Unreadable, match="boxes"):
        SortedKeys(KEYS[9], boxes=lowest(9)[1:])


ROWS = 1_500_000
LINES = {
    "y constant": lambda x, k: (x, np.full(len(x), 3.25)),
    "x constant": lambda x, k: (np.full(len(x), 3.25), x),
    "three values": lambda x, k: (x, k % 3.0),
    "rounded": lambda x, k: (x, np.round(np.sin(k), 1)),
    "half zero": lambda x, k: (x, np.where(k % 2, 0.0, np.abs(np.sin(k)))),
    "close lines": lambda x, k: (x, 1000 + k % 3.0 + np.where(k % 100, 0.0, 1e7)),
    "in a corner": lambda x, k: (np.where(k % 100, x * 1e-6, 1.0), np.where(k % 100, 0.0, 1.0)),
}


@pytest.fixture(scope="module", params=list(LINES))
def line(request: pytest.FixtureRequest, axis: MakeAxis) -> tuple[SortedKeys, Pyramid]:
    """A table of so few places on one axis that its rows lie on lines, in order, and its complete pyramid of counts."""
    x = np.random.default_rng(6).normal(size=ROWS)
    order = build_order(*(axis(each) for each in LINES[request.param](x, np.arange(ROWS))), False, CREW)
    return order.guard, build_pyramid(order.guard, gather_inputs(order, parse("count"), {}, CREW), CREW)


def test_no_tile_touches_more_rows_than_may_be_scanned(line: tuple[SortedKeys, Pyramid]) -> None:
    """Over all levels, at rows and next to them: the rows in the ranges of a tile that is neither kept nor few runs."""
    guard, pyramid = line
    most = pyramid.inputs.many_apart
    rng = np.random.default_rng(7)
    asked = touched_rows = 0
    for zx in range(DEEPEST + 1):
        for zy in range(DEEPEST + 1):
            key = guard.keys.array[rng.integers(ROWS)]
            i, row = int(compact(key)) >> 32 - zx, int(compact(key >> np.uint64(1))) >> 32 - zy
            for across, up in ((0, 0), (0, 1), (0, -1), (1, 0), (-1, 0)):
                if not (0 <= i + across < 1 << zx and 0 <= row + up < 1 << zy):
                    continue
                tile = TileKey(zx, zy, i + across, (1 << zy) - 1 - (row + up))
                if pyramid.kept(tile) is not None:
                    continue
                ranges = ranges_within(guard, tile.codes)
                loose = ranges.rows - int((ranges.high - ranges.low)[ranges.whole].sum())
                few = pyramid._runs(ranges, DEEPEST - max(zx, zy), 2048) <= 2048
                assert ranges.rows <= most or few, (tile, ranges.rows)
                assert loose <= most, (tile, loose)
                asked, touched_rows = asked + 1, max(touched_rows, loose)
    assert asked > 1000 and touched_rows > 0


def test_tiles_on_lines_and_beside_them_count_their_rows(line: tuple[SortedKeys, Pyramid]) -> None:
    guard, pyramid = line
    x, y = (_codes(guard.keys.array, axis) for axis in (0, 1))
    rng = np.random.default_rng(8)
    for zx, zy in [(0, 0), (3, 20), (20, 3), (1, 24), (24, 1), (7, 18), (2, 9), (24, 24), (0, 12), (12, 0)]:
        at = int(rng.integers(ROWS))
        column, line_of = (x >> 24 - zx) - (int(x[at]) >> 32 - zx) * 256, (y >> 24 - zy) - (int(y[at]) >> 32 - zy) * 256
        for up in (0, 1):
            row = (int(y[at]) >> 32 - zy) + up
            if row >= 1 << zy:
                continue
            tile = TileKey(zx, zy, int(x[at]) >> 32 - zx, (1 << zy) - 1 - row)
            kept = pyramid.kept(tile)
            planes = revive(pyramid.inputs.reduction, kept, pyramid.inputs.dtype) if kept else pyramid.scan(tile)[0]
            from_below = line_of - 256 * up
            inside = (column >= 0) & (column < 256) & (from_below >= 0) & (from_below < 256)
            cells = (255 - from_below[inside]) * 256 + column[inside]
            assert (np.bincount(cells, minlength=65_536).reshape(256, 256) == planes[0]).all(), tile


def _codes(keys: np.ndarray, axis: int) -> np.ndarray:
    """The codes of keys, bit by bit."""
    out = np.zeros(len(keys), np.int64)
    for bit in range(32):
        out |= (keys >> np.uint64(2 * bit + axis) & np.uint64(1)).astype(np.int64) << bit
    return out
