"""Points that are added by eights give what they give by blocks, to the bit; so do the last few, and all of few."""

from __future__ import annotations

import numpy as np
import pytest

from bigviz.aggregate.glyphs.bins import Bins
from bigviz.aggregate.glyphs.place_points import Sides
from bigviz.aggregate.glyphs.point_kernels import Points, Target, count_points, keep_extremes, sum_points
from bigviz.aggregate.reductions.tally import SPARE
from bigviz.common.jit import frozen

WIDTH, HEIGHT, LABELS = 7, 5, 3
SIDES = Sides.of(Bins(-1.0, 1.25, WIDTH), Bins(-0.5, 2.0, HEIGHT))
ROWS = (1, 8, 100, 128, 136, 1003)


def both(rows: int, splits: bool, valued: bool) -> tuple[Points, Points, Target]:
    """Points, among them some outside, on edges and without numbers; the second ones have a mask of all rows, for which
    there are blocks."""
    rng = np.random.default_rng(rows)
    x, y, values = (rng.normal(size=rows).astype(np.float32) for _ in range(3))
    for column in (x, y, values):
        column[rng.random(rows) < 0.1] = np.nan
        column[rng.random(rows) < 0.1] = np.inf
        column[rng.random(rows) < 0.2] = -1.0
    codes = rng.integers(-1, LABELS + 1, rows).astype(np.int8)
    columns = (codes if splits else np.empty(0, np.int32), values if valued else np.empty(0, np.float32))
    points = [
        Points(*(frozen(each) for each in (x, y, valid, *columns)))
        for valid in (np.empty(0, np.bool_), np.ones(rows, np.bool_))
    ]
    cells = WIDTH * HEIGHT * (LABELS if splits else 1)
    return points[0], points[1], Target(WIDTH * HEIGHT, LABELS, cells, SPARE - 1)


@pytest.mark.parametrize("rows", ROWS)
def test_counts(rows: int) -> None:
    for splits in (False, True):
        *each, target = both(rows, splits, False)
        found = []
        for points in each:
            low = np.zeros(target.outside + SPARE, np.uint8)
            count_points(points, SIDES, target, low, np.empty(rows, np.int32), 0)
            found.append(low[: target.outside])
        assert (found[0] == found[1]).all() and (rows < 100 or found[0].any())


@pytest.mark.parametrize("rows", ROWS)
def test_sums_and_extremes(rows: int) -> None:
    *each, target = both(rows, False, True)
    found: list[list[bytes]] = []
    for points in each:
        sums, low = np.zeros(target.outside + SPARE), np.zeros(target.outside + SPARE, np.uint8)
        sum_points(points, SIDES, target, sums, low, np.empty(rows, np.int32), 0)
        planes = [sums, low]
        for is_lowest in (False, True):
            planes.append(np.full(target.outside + SPARE, np.nan, np.float32))
            keep_extremes(points, SIDES, target, planes[-1], is_lowest)
        found.append([plane[: target.outside].tobytes() for plane in planes])
    assert found[0] == found[1]
