"""M4 against its definition, and its pixels against those of all rows."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigviz.aggregate.axis import Axis
from bigviz.aggregate.glyphs.bins import Bins
from bigviz.aggregate.glyphs.line import line_image
from bigviz.aggregate.inputs import Numbers
from bigviz.aggregate.reductions.counts import Presence
from bigviz.common.errors import BadInput
from bigviz.common.jit import frozen
from bigviz.common.workers import Crew
from bigviz.tiles.series.m4 import Picks, column_bounds, first_above, first_from, pick_rows
from bigviz.tiles.series.minmax_search import find_parts
from bigviz.tiles.series.series import Series, Tree, build_series

MakeAxis = Callable[..., Axis]
CREW = Crew(1)
START = 1_700_000_000_000_000_000


def times(kind: str, size: int, rng: np.random.Generator) -> Any:
    """Ascending numbers with many duplicates, whole ones and a few far apart."""
    steps = rng.choice([0, 0, 1, 1, 2, 30], size).cumsum()
    if kind == "stamp":
        return pa.array(START + steps * rng.choice([1, 1_000_000_007]), pa.timestamp("ns"))
    if kind in ("i1", "u8"):
        shift = np.uint64(2**63 if rng.random() < 0.5 else 0)
        return (steps % 100).astype(kind) if kind == "i1" else steps.astype(kind) + shift
    return (steps * rng.choice([1.0, 0.1, 1e-7, 1e20]) - rng.choice([0, 50])).astype(kind)


def walk(kind: str, size: int, gaps: float, rng: np.random.Generator) -> Any:
    values = np.round(rng.normal(size=size).cumsum(), int(rng.integers(0, 3)))
    missing = rng.random(size) < gaps
    if kind == "i2":
        return pa.array(np.clip(values * 10, -30_000, 30_000).astype(np.int16), mask=missing)
    values[missing] = rng.choice([np.nan, np.inf])
    return values.astype(kind)


def make(axis: MakeAxis, seed: int, size: int, x: str, y: str, gaps: float) -> Series:
    rng = np.random.default_rng(seed)
    xs = times(x, size, rng)
    if x == "i1":
        xs.sort()
    return build_series(axis(xs), axis(walk(y, size, gaps, rng), side="y"), CREW)


def window(data: st.DataObject, values: np.ndarray) -> tuple[Any, Any]:
    """A window whose ends often are numbers of the column, inside or beyond."""
    whole = values.dtype.kind in "iu"
    span = int(values[-1]) - int(values[0]) if whole else float(values[-1]) - float(values[0])
    ends = []
    for _ in range(2):
        value = values[data.draw(st.integers(0, len(values) - 1))].item()
        share = data.draw(st.sampled_from([0, 0, 0.1, -0.3, 1.5]))
        shift = int(span * share) if whole else span * share
        ends.append(value + shift)
    if values.dtype == np.float32:  # datashader's rule loses a segment that ends exactly on the window's edge
        ends = [end + 1e-9 * (abs(end) or 1.0) for end in ends]
    low, high = sorted(ends)
    return (low, high) if low < high else (low, high + (span or abs(low) or 1))


def numbers_of(series: Series) -> np.ndarray:
    return series.x.slice(0, len(series))


def drawn(series: Series, positions: np.ndarray, runs: np.ndarray, x_bins: Bins, y_bins: Bins) -> np.ndarray:
    """The image of some rows, cut where the run changes."""
    cuts = np.flatnonzero(np.diff(runs)) + 1
    at = np.insert(positions, cuts, positions[cuts])
    valid = np.ones(len(at), np.bool_)
    valid[cuts + np.arange(len(cuts))] = False
    x, y = series.x.at(at), series.y[at]
    return line_image(Numbers(x), Numbers(y, valid), x_bins, y_bins, Presence()).values


def all_drawn(series: Series, x_bins: Bins, y_bins: Bins) -> np.ndarray:
    heights = Numbers(*series.heights(0, len(series)))
    return line_image(Numbers(numbers_of(series)), heights, x_bins, y_bins, Presence()).values


@settings(max_examples=250, deadline=None)
@given(
    st.data(),
    st.integers(0, 2**32),
    st.sampled_from([2, 5, 100, 3000]),
    st.sampled_from(["f4", "f8", "i1", "u8", "stamp"]),
    st.sampled_from(["f4", "f8", "i2"]),
    st.sampled_from([0.0, 0.003, 0.05, 0.5]),
)
def test_the_picked_rows_ink_the_pixels_of_all_rows(
    axis: MakeAxis, data: st.DataObject, seed: int, size: int, x: str, y: str, gaps: float
) -> None:
    series = make(axis, seed, size, x, y, gaps)
    low, high = window(data, numbers_of(series))
    width, height = data.draw(st.sampled_from([1, 2, 7, 100, 640])), data.draw(st.sampled_from([1, 5, 90]))
    picks = pick_rows(series, column_bounds(series.x, low, high, width))
    numbers = series.y[np.isfinite(series.y.astype(float))].astype(float)
    bottom, top = (numbers.min(), numbers.max()) if len(numbers) else (0.0, 1.0)
    shrink = data.draw(st.sampled_from([0.0, 0.3]))
    y_bins = Bins(bottom + shrink * (top - bottom), top + 1e-3 + abs(top) * 1e-6, height)
    x_bins = Bins(low, high, width)
    if len(picks.positions) == 0:
        assert not all_drawn(series, x_bins, y_bins).any()
        return
    expected = all_drawn(series, x_bins, y_bins)
    ours = drawn(series, picks.positions, picks.runs, x_bins, y_bins)
    exact = np.ones(width, np.bool_)
    exact[picks.flagged] = False
    assert (ours[:, exact] == expected[:, exact]).all()


@settings(max_examples=120, deadline=None)
@given(
    st.data(),
    st.integers(0, 2**32),
    st.sampled_from([1, 40, 2000]),
    st.sampled_from(["f4", "i1", "u8", "stamp"]),
    st.sampled_from([0.0, 0.02, 0.4, 1.0]),
)
def test_picks_follow_the_definition(
    axis: MakeAxis, data: st.DataObject, seed: int, size: int, x: str, gaps: float
) -> None:
    series = make(axis, seed, size, x, "i2", gaps)
    low, high = window(data, numbers_of(series))
    width = data.draw(st.sampled_from([1, 3, 50]))
    bounds = column_bounds(series.x, low, high, width)
    assert (np.diff(bounds) >= 0).all()
    picks = pick_rows(series, bounds)
    expected, flagged = by_definition(series, bounds)
    assert list(zip(picks.columns.tolist(), picks.positions.tolist(), strict=True)) == [each[:2] for each in expected]
    assert picks.flagged.tolist() == flagged
    joins = [one[2] == other[2] for one, other in pairwise(expected)]
    assert (np.diff(picks.runs) == 0).tolist() == joins
    assert picks.runs.dtype == np.int32 and picks.rows == bounds[-1] - bounds[0]
    inside = (numbers_of(series) >= low) & (numbers_of(series) <= high) if x != "f4" else None
    if inside is not None:
        assert inside.sum() == picks.rows


def present(series: Series) -> np.ndarray:
    edges = np.zeros(len(series) + 1, np.int8)
    edges[series.gaps.slice(0, len(series.gaps))] = 1
    return np.cumsum(edges[:-1]) % 2 == 0


def by_definition(series: Series, bounds: np.ndarray) -> tuple[list[tuple[int, int, Any]], list[int]]:
    """(column, position, run) of every pick, row by row."""
    size = len(series)
    valid = present(series)
    runs = np.cumsum(~valid)
    picks: list[tuple[int, int, Any]] = []
    flagged = []
    before = [k for k in range(bounds[0]) if valid[k]]
    if before:
        picks.append((-1, before[-1], runs[before[-1]]))
    for column in range(len(bounds) - 1):
        rows = [k for k in range(bounds[column], bounds[column + 1]) if valid[k]]
        groups: dict[int, list[int]] = {}
        for k in rows:
            groups.setdefault(int(runs[k]), []).append(k)
        order = list(groups)
        ends = dict.fromkeys([order[0], order[-1]]) if order else {}
        for run in order:
            if run in ends:
                some = groups[run]
                low, high = min(some, key=lambda k: series.y[k]), min(some, key=lambda k: -int(series.y[k]))
                chosen = sorted({some[0], low, high, some[-1]})
                picks += [(column, k, run) for k in chosen]
            if run == order[0] and len(order) > 2:
                some = [k for other in order[1:-1] for k in groups[other]]
                low, high = min(some, key=lambda k: series.y[k]), min(some, key=lambda k: -int(series.y[k]))
                picks += [(column, k, ("between", column)) for k in sorted({low, high})]
                flagged.append(column)
    after = [k for k in range(bounds[-1], size) if valid[k]]
    if after:
        picks.append((len(bounds) - 1, after[0], runs[after[0]]))
    return picks, flagged


def picked(axis: MakeAxis, y: list[float], low: float, high: float, width: int) -> Picks:
    series = build_series(axis(np.arange(len(y), dtype=float)), axis(np.array(y), side="y"), CREW)
    return pick_rows(series, column_bounds(series.x, low, high, width))


def test_a_column_of_one_run_keeps_first_low_high_last(axis: MakeAxis) -> None:
    picks = picked(axis, [5, 1, 7, 9, 2, 8, 3, 4], 1.0, 6.0, 1)
    assert picks.positions.tolist() == [0, 1, 3, 6, 7]  # the neighbours, and rows 1 (first and lowest), 3, 6
    assert picks.columns.tolist() == [-1, 0, 0, 0, 1]
    assert picks.runs.tolist() == [0] * 5


def test_three_runs_flag_the_column(axis: MakeAxis) -> None:
    nan = float("nan")
    picks = picked(axis, [1, 2, nan, 5, 0, nan, nan, 3, 3], 0.0, 8.0, 1)
    assert picks.positions.tolist() == [0, 1, 3, 4, 7, 8]
    assert picks.runs.tolist() == [0, 0, 1, 1, 2, 2]
    assert picks.flagged.tolist() == [0]


def test_an_empty_window_between_two_rows_is_crossed(axis: MakeAxis) -> None:
    picks = picked(axis, [1, 2], 0.25, 0.75, 4)
    assert picks.positions.tolist() == [0, 1] and picks.columns.tolist() == [-1, 4] and picks.runs.tolist() == [0, 0]
    apart = picked(axis, [1, float("nan"), 2], 0.25, 1.75, 4)
    assert apart.positions.tolist() == [0, 2] and apart.runs.tolist() == [0, 1]


def test_the_upper_end_is_in_the_last_column(axis: MakeAxis) -> None:
    picks = picked(axis, [0.0, 1.0, 2.0, 3.0], 0.0, 2.0, 2)
    assert dict(zip(picks.positions.tolist(), picks.columns.tolist(), strict=True)) == {0: 0, 1: 1, 2: 1, 3: 2}


@pytest.mark.parametrize(
    ("low", "high", "width"), [(1.0, 1.0, 5), (2.0, 1.0, 5), (0.0, float("inf"), 5), (0.0, 1.0, 0)]
)
def test_windows_that_cannot_be_divided_are_refused(axis: MakeAxis, low: float, high: float, width: int) -> None:
    with pytest.raises(BadInput):
        picked(axis, [1.0, 2.0], low, high, width)


def test_nanoseconds_stay_distinct_over_fifty_years(axis: MakeAxis) -> None:
    stamps = np.array([START, START + 1, START + 2, START + 50 * 31_556_952 * 10**9], np.int64)
    x = build_series(axis(stamps), axis(np.arange(4), side="y"), CREW)
    assert column_bounds(x.x, START, START + 2, 3).tolist() == [0, 1, 2, 3]
    assert first_from(x.x, START + 1) == 1 and first_above(x.x, START + 1) == 2
    assert column_bounds(x.x, -(2**70), 2**70, 2).tolist() == [0, 0, 4]
    assert column_bounds(x.x, START, 2**63 - 1, 2).tolist()[1:] == [4, 4]
    assert first_from(x.x, START + 0.5) == 0  # a float that near 2^61 means START itself


def test_trees_that_may_be_written_share_one_machine_code_with_others(axis: MakeAxis) -> None:
    series = make(axis, 1, 600, "f8", "f8", 0.0)
    tree = Tree(*(frozen(getattr(series.tree, name)) for name in ("values", "places", "xs", "starts")))
    bounds = column_bounds(series.x, 0, 100, 9)
    expected = pick_rows(series, bounds)
    before = len(find_parts.signatures)  # type: ignore[attr-defined]
    found = pick_rows(replace(series, y=frozen(series.y), tree=tree), bounds)
    assert found.positions.tolist() == expected.positions.tolist()
    assert len(find_parts.signatures) == before  # type: ignore[attr-defined]
