"""Clipped segments against the plain loop, and long ones against the closed form in Python's integers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bigviz.aggregate.glyphs.bresenham import mark_path, mark_segment

from ...examples import examples

COMMON = settings(max_examples=examples(150, fuzzed=500))
NEAR = st.integers(-40, 40)
SIDE = st.integers(1, 17)


def loop(x: int, y: int, x1: int, y1: int) -> Iterator[tuple[int, int]]:
    """The algorithm as datashader runs it: error terms doubled, a tie stepping only towards higher numbers."""
    x_step, y_step = (x1 > x) - (x1 < x), (y1 > y) - (y1 < y)
    across, up = 2 * abs(x1 - x), 2 * abs(y1 - y)
    yield x, y
    error = 2 * up - across if across >= up else 2 * across - up
    while (x != x1) if across >= up else (y != y1):
        if across >= up:
            if error >= 0 and (error or x_step > 0):
                error, y = error - 2 * across, y + y_step
            error, x = error + 2 * up, x + x_step
        else:
            if error >= 0 and (error or y_step > 0):
                error, x = error - 2 * up, x + x_step
            error, y = error + 2 * across, y + y_step
        yield x, y


def closed_form(x0: int, y0: int, x1: int, y1: int, left: int, bottom: int, plane: np.ndarray) -> None:
    """The same cells found along the longer axis one by one."""
    steep = abs(y1 - y0) > abs(x1 - x0)
    a0, b0, a1, b1 = (y0, x0, y1, x1) if steep else (x0, y0, x1, y1)
    long, short = abs(a1 - a0), abs(b1 - b0)
    start, size = (bottom, plane.shape[0]) if steep else (left, plane.shape[1])
    for a in range(start, start + size):
        k = a - a0 if a1 > a0 else a0 - a
        if 0 <= k <= long:
            aside = (2 * short * k + long - (a1 < a0)) // (2 * long) if long else 0
            b = b0 + aside if b1 > b0 else b0 - aside
            column, row = (b - left, a - bottom) if steep else (a - left, b - bottom)
            if 0 <= column < plane.shape[1] and 0 <= row < plane.shape[0]:
                plane[row, column] = 1


@COMMON
@given(st.tuples(NEAR, NEAR, NEAR, NEAR), NEAR, NEAR, SIDE, SIDE)
def test_same_cells_as_the_loop(
    ends: tuple[int, int, int, int], left: int, bottom: int, width: int, height: int
) -> None:
    plane, expected = np.zeros((height, width), np.uint8), np.zeros((height, width), np.uint8)
    mark_segment(*ends, left, bottom, plane)
    for x, y in loop(*ends):
        if left <= x < left + width and bottom <= y < bottom + height:
            expected[y - bottom, x - left] = 1
    assert np.array_equal(plane, expected)


@COMMON
@given(st.tuples(NEAR, NEAR, NEAR, NEAR))
def test_both_directions_ink_the_same(ends: tuple[int, int, int, int]) -> None:
    planes = np.zeros((2, 81, 81), np.uint8)
    mark_segment(*ends, -40, -40, planes[0])
    mark_segment(*ends[2:], *ends[:2], -40, -40, planes[1])
    assert np.array_equal(*planes)


@COMMON
@given(
    st.sampled_from([0, -(2**40), 2**50]),
    st.tuples(*[st.integers(0, 2**33 - 1)] * 4),
    st.floats(0, 1),
    st.tuples(st.integers(0, 16), st.integers(0, 16)),
)
def test_long_segments(origin: int, ends: tuple[int, int, int, int], part: float, off: tuple[int, int]) -> None:
    x0, y0, x1, y1 = (origin + end for end in ends)
    left = int(x0 + part * (x1 - x0)) - off[0]
    bottom = int(y0 + part * (y1 - y0)) - off[1]
    plane, expected = np.zeros((16, 16), np.uint8), np.zeros((16, 16), np.uint8)
    mark_segment(x0, y0, x1, y1, left, bottom, plane)
    closed_form(x0, y0, x1, y1, left, bottom, expected)
    assert np.array_equal(plane, expected)


def test_tiles_join() -> None:
    whole, tiles = np.zeros((32, 32), np.uint8), np.zeros((2, 2, 16, 16), np.uint8)
    mark_segment(-7, 3, 45, 29, 0, 0, whole)
    for row in range(2):
        for column in range(2):
            mark_segment(-7, 3, 45, 29, 16 * column, 16 * row, tiles[row, column])
    assert np.array_equal(whole, np.block([list(row) for row in tiles]))


def test_a_path_breaks_where_it_is_not_joined() -> None:
    plane = np.zeros((3, 6), np.uint8)
    columns, rows = np.array([0, 2, 4, 5]), np.array([0, 0, 2, 2])
    mark_path(columns, rows, np.array([True, False, False, True]), 0, 0, plane)
    assert plane.tolist() == [[1, 1, 1, 0, 0, 0], [0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 1, 1]]


def test_an_empty_path_inks_nothing() -> None:
    plane = np.zeros((2, 2), np.uint8)
    none = np.empty(0, np.int64)
    mark_path(none, none, np.empty(0, np.bool_), 0, 0, plane)
    assert not plane.any()
