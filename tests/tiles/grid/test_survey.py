from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigviz.aggregate.axis import Axis
from bigviz.aggregate.dyadic_cells import Root, root_of
from bigviz.common.workers import Crew
from bigviz.tiles.grid.survey import FAR_SHARE, Survey, survey

MakeAxis = Callable[..., Axis]
CREW = Crew(1)


def far_oracle(values: list[Any]) -> Root:
    """docs/reference.md, "Far rows", read literally: leave out any rows at both ends, fewest first; then again."""
    kept = sorted(values)
    root = root_of(kept[0], kept[-1])
    while True:
        spare = (len(values) - 1) // FAR_SHARE - (len(values) - len(kept))
        best = None
        for out in range(1, spare + 1):
            for low in range(out + 1):
                part = kept[low : len(kept) - (out - low)]
                shorter = root_of(part[0], part[-1])
                if root.exponent - shorter.exponent >= 12:
                    best = (part, shorter)
                    break
            if best is not None:
                break
        if best is None:
            return root
        kept, root = best


def look(axis: MakeAxis, x: Any, y: Any = None, far: bool = True, kind: str = "linear") -> Survey:
    ys = np.zeros(len(x)) if y is None else y
    return survey(axis(x, kind), axis(ys, side="y"), far, CREW)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_far_rows_against_the_rule_read_literally(axis: MakeAxis, data: st.DataObject) -> None:
    seed = data.draw(st.integers(0, 2**32))
    rng = np.random.default_rng(seed)
    size = data.draw(st.sampled_from([500, 1000, 1001, 2500, 4100]))
    integers = data.draw(st.booleans())
    values = rng.normal(0, 1000, size)
    count = data.draw(st.integers(0, 6))
    scales = data.draw(st.lists(st.sampled_from([1e5, 1e7, 3e7, 1e8, 1e12, 1e17]), min_size=count, max_size=count))
    for scale in scales:
        values[rng.integers(0, size)] = scale * rng.choice([-1, 1])
    column = values.astype(np.int64) if integers else values
    found = look(axis, column)
    expected = far_oracle(column.tolist())
    assert found.x == expected
    inside = [value for value in column.tolist() if expected.holds(value)]
    assert (found.inside, found.far, found.outside) == (len(inside), size - len(inside), 0)
    assert found.low is not None and found.high is not None
    assert (found.low[0], found.high[0]) == (min(inside), max(inside))


def test_a_fill_value_once_in_a_million_is_far(axis: MakeAxis) -> None:
    values = np.random.default_rng(1).normal(10, 3, 1_100_000).astype(np.float32)
    values[12_345] = values[700_000] = 9.96921e36
    found = look(axis, values)
    assert found.far == 2 and found.x.exponent < 8
    full = look(axis, values, far=False)
    assert full.far == 0 and full.x == root_of(float(values.min()), float(values.max()))


def test_one_in_a_thousand_is_not_far(axis: MakeAxis) -> None:
    values = np.arange(2000.0)
    values[5] = 1e30
    assert look(axis, values).far == 1
    values[6] = 1e30
    assert look(axis, values).far == 0  # 2 of 2,000 are not fewer than 1 in 1,000


def test_far_at_both_ends_and_on_both_axes(axis: MakeAxis) -> None:
    x, y = np.arange(6000.0), np.arange(6000.0) % 100
    x[10], x[20], y[20], y[30] = -1e20, 1e20, 1e25, -1e25
    found = look(axis, x, y)
    assert found.far == 3 and found.inside == 5997
    assert found.x == root_of(0.0, 5999.0) and found.y == root_of(0.0, 99.0)


def test_a_single_number_left_over_need_not_be_shorter(axis: MakeAxis) -> None:
    values = np.full(5000, 1.0)
    values[7] = 1.0 + 2.0**-40  # its root is far shorter than [1, 2), the root of 1 alone
    found = look(axis, values)
    assert found.far == 0 and found.x == root_of(1.0, 1.0 + 2.0**-40)


def test_rows_sorted_in_the_file_are_not_taken_for_concentrated(axis: MakeAxis) -> None:
    values = np.concatenate([np.zeros(2_500_000), np.arange(3_000.0)])
    assert look(axis, values).x == root_of(0.0, 2999.0)


def test_rows_count_only_with_numbers_on_both_axes(axis: MakeAxis) -> None:
    x = np.array([1.0, np.nan, 3.0, 1e308, np.inf, 2.0])
    y = np.array([1.0, 50.0, np.nan, 2.0, 3.0, -np.inf])
    found = look(axis, x, y)
    assert (found.rows, found.inside, found.outside, found.far) == (6, 1, 5, 0)
    assert found.low == found.high == (1.0, 1.0)
    assert found.x == root_of(1.0, 1.0) and found.y == root_of(1.0, 1.0)


@pytest.mark.parametrize("size", [0, 3])
def test_no_numbers_at_all(axis: MakeAxis, size: int) -> None:
    found = look(axis, pa.nulls(size, pa.float32()), pa.nulls(size, pa.int16()))
    assert (found.rows, found.inside, found.outside, found.far) == (size, 0, size, 0)
    assert found.low is None and found.high is None
    assert found.x == found.y == Root(0, 0)


def test_integers_beyond_2_53_keep_their_extremes(axis: MakeAxis) -> None:
    x = np.array([2**53 + 1, 2**63 - 1], np.int64)
    y = np.array([0, 2**64 - 1], np.uint64)
    found = look(axis, x, y)
    assert found.low == (2**53 + 1, 0) and found.high == (2**63 - 1, 2**64 - 1)
    assert found.y == Root(0, 64)


def test_logarithms_leave_out_what_has_none(axis: MakeAxis) -> None:
    found = look(axis, np.array([0, -5, 1, 1000, 10], np.int32), kind="log")
    assert (found.inside, found.outside) == (3, 2)
    assert found.low is not None and found.low[0] == 0.0
    assert found.high is not None and found.high[0] == np.log10(1000)


def test_the_world_has_one_root_and_places_beyond_it_none(axis: MakeAxis) -> None:
    lon = np.array([-180.0, 180.0, 179.9, 200.0, 0.0, 0.0])
    lat = np.array([0.0, 0.0, 85.0, 0.0, 86.0, -85.06])
    found = survey(axis(lon, "mercator"), axis(lat, "mercator", "y"), True, CREW)
    assert found.x == found.y == Root(0, 0)
    assert (found.inside, found.outside, found.far) == (3, 3, 0)
