"""Rows counted and placed by squares of their order, against the cells of their numbers."""

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
from bigviz.tiles.answers.ordered.pixel_nodes import Nodes, count_nodes, nodes_of, place_nodes
from bigviz.tiles.grid.pixel_edges import pixel_edges
from bigviz.tiles.morton.order import MemoryOrder, build_order

ROWS = 40_000


@pytest.fixture(scope="module", params=["float32", "float64", "int64", "uint64"])
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
        x, y = (np.round(each * 200) + 1_000 for each in (x, y))
    dataset = open_source({"x": x.astype(dtype), "y": y.astype(dtype)})
    return build_order(*(Axis(dataset.column(name), LINEAR) for name in "xy"), True, Crew(1))


def drawn(order: MemoryOrder, x: Bins, y: Bins) -> tuple[np.ndarray, Nodes | None]:
    """The cell of each ordered row, by its numbers, and the squares of the image."""
    every = np.arange(ROWS)
    numbers = [order.numbers(which, every) for which in (0, 1)]
    cells = np.empty(ROWS, np.int32)
    Places(x, y, x.size * y.size).write((numbers[0], None), (numbers[1], None), cells)
    edges = [
        pixel_edges(root, bins, each.dtype)
        for root, bins, each in zip((order.survey.x, order.survey.y), (x, y), numbers, strict=True)
    ]
    assert edges[0] is not None and edges[1] is not None
    return cells, nodes_of(edges[0], edges[1], x.size * y.size)


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_every_row_is_where_its_numbers_are(order: MemoryOrder, data: st.DataObject) -> None:
    at = st.integers(0, ROWS - 1)
    bins = []
    for which in (0, 1):
        low, high = sorted(order.numbers(which, np.array([data.draw(at), data.draw(at)])).tolist())
        low -= data.draw(st.sampled_from([0, 1, 5]))
        size = data.draw(st.sampled_from([1, 2, 9, 64]))
        bins.append(Bins(low, high if high > low else low + 1, size))
    cells, nodes = drawn(order, *bins)
    if nodes is None:
        return
    keys = frozen(order.guard.keys.array)
    left = np.empty(ROWS, np.int64)
    out = np.empty(ROWS, np.int32)
    count = place_nodes(keys, *nodes, out, left)
    assert (out[left[:count]] == nodes.terms[5]).all()
    out[left[:count]] = cells[left[:count]]
    assert (out == cells).all()

    cut = data.draw(at)
    low, high = np.array([0, cut]), np.array([cut, ROWS])
    grid = np.zeros(nodes.terms[5] + 1, np.uint32)
    room = data.draw(st.sampled_from([2, 100, ROWS]))
    while len(low):
        done, position, found = count_nodes(keys, frozen(low), frozen(high), *nodes, grid, left[:room])
        np.add.at(grid, cells[left[:found]], np.uint32(1))
        low, high = low[done:].copy(), high[done:]
        low[:1] = position
    assert (grid[:-1] == np.bincount(cells, minlength=nodes.terms[5] + 1)[:-1]).all()


def test_pixels_of_less_than_a_code_have_no_squares(order: MemoryOrder) -> None:
    x = float(order.numbers(0, np.array([ROWS // 2]))[0])
    if order.numbers(0, np.array([0])).dtype.kind == "f":
        assert drawn(order, Bins(x, x + 1e-9, 999), Bins(-1e6, 1e6, 2))[1] is None
