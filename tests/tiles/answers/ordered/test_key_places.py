"""Rows counted and placed by 32 bits of their keys, against the cells of their numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigviz.aggregate.axis import Axis
from bigviz.aggregate.glyphs.bins import Bins
from bigviz.aggregate.glyphs.place_points import Places
from bigviz.aggregate.spaces import LINEAR
from bigviz.common.jit import frozen
from bigviz.common.workers import Crew
from bigviz.data.open import open as open_source
from bigviz.tiles.answers.ordered.key_places import KeyMaps, count_by_keys, place_by_keys
from bigviz.tiles.morton.order import MemoryOrder, build_order

ROWS = 40_000


@pytest.fixture(scope="module", params=["float32", "float64", "int64"])
def order(request: pytest.FixtureRequest) -> MemoryOrder:
    """A cloud with a pile, a dense part, and numbers that their codes do not tell apart."""
    rng = np.random.default_rng(8)
    x, y = rng.normal(size=(2, ROWS))
    x[:3_000], y[:3_000] = 0.5, -0.25
    x[3_000:9_000] *= 1e-3
    y[3_000:9_000] *= 1e-3
    x[9_000:12_000] *= 1e-10
    dtype = np.dtype(request.param)
    if dtype.kind != "f":
        x, y = (np.round(each * 1e7) + 1_000 for each in (x, y))
    dataset = open_source({"x": x.astype(dtype), "y": y.astype(dtype)})
    return build_order(*(Axis(dataset.column(name), LINEAR) for name in "xy"), True, Crew(1))


def cells_of(order: MemoryOrder, x: Bins, y: Bins) -> np.ndarray:
    """The cell of each ordered row, by its numbers."""
    numbers = [order.numbers(which, np.arange(ROWS)) for which in (0, 1)]
    cells = np.empty(ROWS, np.int32)
    Places(x, y, x.size * y.size).write((numbers[0], None), (numbers[1], None), cells)
    return cells


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_every_row_is_where_its_numbers_are(order: MemoryOrder, data: st.DataObject) -> None:
    at = st.integers(0, ROWS - 1)
    bins = []
    for which in (0, 1):
        low, high = sorted(order.numbers(which, np.array([data.draw(at), data.draw(at)])).tolist())
        bins.append(Bins(low, high if high > low else low + 1, data.draw(st.sampled_from([1, 2, 9, 64, 700]))))
    cells, outside = cells_of(order, *bins), bins[0].size * bins[1].size
    maps = KeyMaps.of((order.survey.x, order.survey.y), (bins[0], bins[1]), outside)
    keys = frozen(order.guard.keys.array)
    words = np.empty(data.draw(st.sampled_from([1, 50, 2_048])), np.uint32)
    left, out = np.empty(ROWS, np.int64), np.empty(ROWS, np.int32)
    count = place_by_keys(keys, maps, words, out, left)
    assert (out[left[:count]] == outside).all()
    out[left[:count]] = cells[left[:count]]
    assert (out == cells).all()

    cut = data.draw(at)
    low, high = np.array([0, cut]), np.array([cut, ROWS])
    grid = np.zeros(outside + 1, np.uint32)
    room = len(words) * data.draw(st.sampled_from([1, 3]))
    while len(low):
        done, position, found = count_by_keys(
            keys, frozen(low), frozen(high), maps, words, np.empty(len(words), np.int32), grid, left[:room]
        )
        np.add.at(grid, cells[left[:found]], np.uint32(1))
        low, high = low[done:].copy(), high[done:]
        low[:1] = position
    assert (grid[:-1] == np.bincount(cells, minlength=outside + 1)[:-1]).all()


def test_keys_tell_most_rows() -> None:
    """Of a cloud of a thousand pixels a side, all but one in a hundred."""
    x, y = np.random.default_rng(5).normal(size=(2, ROWS))
    dataset = open_source({"x": x, "y": y})
    order = build_order(*(Axis(dataset.column(name), LINEAR) for name in "xy"), True, Crew(1))
    bins = Bins(-2.0, 2.0, 1_000), Bins(-2.0, 2.0, 1_000)
    maps = KeyMaps.of((order.survey.x, order.survey.y), bins, 1_000_000)
    left = np.empty(ROWS, np.int64)
    out, words = np.empty(ROWS, np.int32), np.empty(2_048, np.uint32)
    assert place_by_keys(frozen(order.guard.keys.array), maps, words, out, left) < ROWS / 100
