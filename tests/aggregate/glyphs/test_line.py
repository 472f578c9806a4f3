"""Images of lines over arrays: gaps, slices, large integers, cancelling."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bigviz.aggregate.glyphs.bins import Bins
from bigviz.aggregate.glyphs.line import line_image
from bigviz.aggregate.inputs import Inputs, Numbers
from bigviz.aggregate.reductions.parse import parse
from bigviz.common.cancel import Cancel
from bigviz.common.errors import Cancelled

SIDE = Bins(0.0, 4.0, 4)
STAMP = 1_700_000_000_000_000_000


def numbers(*values: float) -> Numbers:
    return Numbers(np.array(values, np.float64))


def picture(*rows: str) -> list[list[int]]:
    """The plane whose top row comes first."""
    return [[int(mark != ".") for mark in row] for row in reversed(rows)]


def test_ends_are_snapped_and_joined() -> None:
    grid = line_image(numbers(0, 3.9), numbers(0.2, 2.7), SIDE, SIDE, parse("any"))
    assert grid.values.tolist() == picture("....", "...#", ".##.", "#...")


@pytest.mark.parametrize("gap", [math.nan, math.inf, -math.inf])
def test_gaps(gap: float) -> None:
    for x, y in (
        (numbers(0, 1, 2, 3, 4), numbers(0, 0, gap, 3, 3)),
        (numbers(0, 1, gap, 3, 4), numbers(0, 0, 2, 3, 3)),
    ):
        grid = line_image(x, y, SIDE, SIDE, parse("count"))
        assert grid.values.tolist() == [[1, 1, 0, 0], [0] * 4, [0] * 4, [0, 0, 0, 1]]


def test_a_null_is_a_gap_and_a_lone_vertex_is_not_drawn() -> None:
    y = Numbers(np.array([0, 0, 3, 0, 0], np.int32), np.array([True, False, True, False, True]))
    grid = line_image(numbers(0, 1, 2, 3, 4), y, SIDE, SIDE, parse("any"))
    assert not grid.filled.any()


def test_segments_carry_their_first_row() -> None:
    read = Inputs(values=numbers(5, 7, 9))
    grid = line_image(numbers(0.5, 1.5, 3.5), numbers(0, 0, 0), SIDE, SIDE, parse("sum(v)"), read)
    assert grid.values[0].tolist() == [5, 5, 7, 7]
    last = line_image(numbers(0.5, 1.5, 3.5), numbers(0, 0, 0), SIDE, SIDE, parse("last(v)"), read)
    assert last.values[0].tolist() == [5, 5, 7, 7]


@pytest.mark.parametrize("text", ["any", "count", "sum(v)", "first(v)"])
def test_slices_and_full_buffers_change_nothing(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(3)
    x, y = np.cumsum(random.normal(size=(2, 500)), axis=1)
    y[random.random(500) < 0.05] = math.nan
    read = Inputs(values=Numbers(random.integers(0, 9, 500)), dtype=np.dtype(np.int64))
    sides = Bins(float(x.min()), float(x.max()) / 2, 23), Bins(-10.0, 10.0, 17)
    images = []
    for rows, room in ((1 << 17, 1 << 16), (7, 1), (1, 1)):
        monkeypatch.setattr("bigviz.aggregate.glyphs.line.SLICE", rows)
        monkeypatch.setattr("bigviz.aggregate.glyphs.line._CELLS", room)
        images.append(line_image(Numbers(x), Numbers(y), *sides, parse(text), read).values)
    assert np.array_equal(images[0], images[1]) and np.array_equal(images[0], images[2])
    assert images[0].any()


@pytest.mark.parametrize("dtype", [np.int64, np.uint64])
def test_large_integers_are_drawn_as_small_ones(dtype: type) -> None:
    random = np.random.default_rng(11)
    small = np.sort(random.integers(-50, 150, 60))
    y = Numbers(random.uniform(-0.2, 1.2, 60))
    side = Bins(0.0, 1.0, 9)
    expected = line_image(Numbers(small), y, Bins(0, 100, 12), side, parse("count"))
    shifted = Numbers((small + STAMP).astype(dtype))
    assert np.array_equal(
        line_image(shifted, y, Bins(STAMP, STAMP + 100, 12), side, parse("count")).values, expected.values
    )
    assert expected.values.any()


def test_a_window_outside_the_integers() -> None:
    x = Numbers(np.array([-(2**63), 2**63 - 1]))
    grid = line_image(x, numbers(0, 1), Bins(2.0**70, 2.0**71, 4), Bins(0.0, 1.0, 3), parse("any"))
    assert not grid.filled.any()
    wide = line_image(x, numbers(0.5, 0.5), Bins(-(2.0**64), 2.0**64, 4), Bins(0.0, 1.0, 3), parse("any"))
    assert wide.values[1].tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize(("width", "rows"), [(1000, 951), (640, 1089), (100, 761), (3, 30)])
def test_stamps_on_the_edges_of_columns_are_in_the_right_one(width: int, rows: int) -> None:
    """At regular stamps the affine map in float64 puts some a column too low."""
    stamps = STAMP + np.arange(rows) * 1_000_000_000
    low, high = int(stamps[0]), int(stamps[-1])
    y = np.where(np.arange(rows) % 2, np.nan, 0.5)  # every second vertex alone: joined to itself, so that it is drawn
    vertices, heights = np.repeat(stamps, 2), np.repeat(y, 2)
    grid = line_image(Numbers(vertices), Numbers(heights), Bins(low, high, width), Bins(0.0, 1.0, 1), parse("count"))
    expected = np.zeros(width, int)
    for stamp in stamps[::2].tolist():
        expected[min((stamp - low) * width // (high - low), width - 1)] += 1
    assert grid.values[0].tolist() == expected.tolist()


@pytest.mark.parametrize("rows", [0, 1])
def test_less_than_a_segment(rows: int) -> None:
    grid = line_image(numbers(*[1] * rows), numbers(*[1] * rows), SIDE, SIDE, parse("any"))
    assert not grid.filled.any()


def test_a_segment_longer_than_floats_reach_is_a_gap() -> None:
    x = numbers(-1.7e308, 1.7e308, 1, 2)
    grid = line_image(x, numbers(0, 0, 1, 1), SIDE, SIDE, parse("any"))
    assert grid.values.tolist()[0] == [0, 0, 0, 0]


def test_rounding_leaves_the_window_never() -> None:
    """Windows so narrow that float64 cannot tell their cells apart."""
    random = np.random.default_rng(2)
    for _ in range(300):
        low = random.uniform(1e5, 1e7)
        high = low
        for _ in range(random.integers(1, 40)):
            high = math.nextafter(high, math.inf)
        side = Bins(low, high, int(random.integers(1, 50)))
        x, y = random.uniform(low, high, (2, 30)) + random.choice([0.0, 1e-9, 1.0], 30)
        line_image(Numbers(x), Numbers(y), side, side, parse("count"))


def test_cancelled_between_slices() -> None:
    cancel = Cancel()
    cancel.cancel()
    with pytest.raises(Cancelled):
        line_image(numbers(1, 2), numbers(1, 2), SIDE, SIDE, parse("any"), cancel=cancel)
