"""Points in polygons against the rule in fractions."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigviz.common.errors import BadInput
from bigviz.tiles.selection.polygon import MOST_VERTICES, Polygon

SMALL = st.integers(-6, 6)
WHOLE = st.integers(1_600_000_000_000_000_000, 1_600_000_000_000_000_012) | st.integers(-3, 3)
FLOATS = st.sampled_from([-1.0, 0.0, 0.1, 0.30000000000000004, 1 / 3, 0.5, 1.0, 1.5, 1e-300, 2.0**60, -(2.0**60)])
KINDS = {
    "int64": (WHOLE, np.int64),
    "small": (SMALL, np.int64),
    "uint64": (st.integers(0, 5) | st.integers(2**64 - 4, 2**64 - 1), np.uint64),
    "float64": (FLOATS, np.float64),
    "float32": (st.integers(-8, 8).map(lambda k: k / 8), np.float32),
}


def has(vertices: list[tuple[Any, Any]], x: Any, y: Any) -> bool:
    """An edge is crossed if its ends are on both sides of y (the lower one may be on it), strictly right of x."""
    crossed = 0
    for (ax, ay), (bx, by) in zip(vertices, vertices[1:] + vertices[:1], strict=True):
        ax, ay, bx, by = map(Fraction, (ax, ay, bx, by))
        low, high = min(ay, by), max(ay, by)
        if low <= y < high:
            crossed += ax + (bx - ax) * (Fraction(y) - ay) / (by - ay) > x
    return crossed % 2 == 1


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_points_are_in_as_fractions_say(kind: str, data: st.DataObject):
    numbers, dtype = KINDS[kind]
    vertices = data.draw(st.lists(st.tuples(numbers, numbers), min_size=3, max_size=8))
    points = data.draw(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=8)) + vertices
    x, y = (np.array([point[k] for point in points], dtype) for k in (0, 1))
    expected = [has(vertices, a, b) for a, b in zip(x.tolist(), y.tolist(), strict=True)]
    assert Polygon(tuple(vertices)).holds(x, y).tolist() == expected


def test_vertices_between_whole_numbers_and_between_floats():
    x = np.repeat(np.arange(-2, 6), 8)
    y = np.tile(np.arange(-2, 6), 8)
    vertices = [(-0.5, -1.25), (3.7, 0.1), (4.5, 4.5), (0.1, 3.0)]
    expected = [has(vertices, a, b) for a, b in zip(x.tolist(), y.tolist(), strict=True)]
    assert Polygon(tuple(vertices)).holds(x, y).tolist() == expected
    wide = [(-(2**60) - 1, -5), (2**60 + 1, -4), (7, 2**61 + 1)]  # whole numbers that float64 does not hold
    found = Polygon(tuple(wide)).holds(x.astype(np.float64), y.astype(np.float64))
    assert found.tolist() == [has(wide, a, b) for a, b in zip(x.tolist(), y.tolist(), strict=True)]


def test_polygons_that_tile_the_plane_share_no_point():
    rng = np.random.default_rng(1)
    x, y = rng.integers(0, 8, 500).astype(np.float64), rng.integers(0, 8, 500).astype(np.float64)
    corner = (3.25, 2.75)
    square = [(-1, -1), (9, -1), (9, 9), (-1, 9)]
    parts = [Polygon((a, b, corner)) for a, b in zip(square, square[1:] + square[:1], strict=True)]
    assert (sum(part.holds(x, y).astype(int) for part in parts) == 1).all()


def test_what_is_no_number_is_in_none():
    values = np.array([0.5, np.nan, np.inf, -np.inf])
    square = Polygon(((0, 0), (1, 0), (1, 1), (0, 1)))
    assert square.holds(values, np.full(4, 0.5)).tolist() == [True, False, False, False]
    assert square.holds(np.full(4, 0.5), values).tolist() == [True, False, False, False]


@pytest.mark.parametrize("vertices", [((0, 0), (1, 1)), ((0, 0), (1, 1), (float("nan"), 0)), ((0, 0),) * 6_000])
def test_what_is_no_polygon(vertices: Any):
    with pytest.raises(BadInput, match="lasso"):
        Polygon(vertices)


def test_a_polygon_wider_than_float64_over_whole_numbers():
    wide = Polygon(((-1.7e308, -1.0), (1.7e308, -1.0), (0.0, 1.0)))
    assert wide.holds(np.zeros(1), np.zeros(1, np.int64)).tolist() == [True]
    with pytest.raises(BadInput, match="too wide for float64"):
        wide.holds(np.zeros(1, np.int64), np.zeros(1))


def test_a_zigzag_of_very_many_edges():
    rng = np.random.default_rng(2)
    vertices = [(float(k), float(100 * (k % 2))) for k in range(MOST_VERTICES - 1)] + [(0.0, -1.0)]
    x, y = rng.uniform(0, MOST_VERTICES, 4), rng.uniform(-2, 101, 4)
    expected = [has(vertices, a, b) for a, b in zip(x.tolist(), y.tolist(), strict=True)]
    assert Polygon(tuple(vertices)).holds(x, y).tolist() == expected
