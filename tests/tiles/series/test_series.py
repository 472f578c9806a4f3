from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigviz.aggregate.axis import Axis
from bigviz.common.errors import TooLarge
from bigviz.common.jit import frozen
from bigviz.common.workers import Crew
from bigviz.tiles.series import series as series_module
from bigviz.tiles.series.minmax_search import find_parts
from bigviz.tiles.series.series import Series, build_series

MakeAxis = Callable[..., Axis]
CREW = Crew(2)


def make(axis: MakeAxis, x: Any, y: Any, kind: str = "linear") -> Series:
    return build_series(axis(x), axis(y, kind, "y"), CREW)


def heights(kind: str, size: int, gaps: float, rng: np.random.Generator) -> Any:
    missing = rng.random(size) < gaps
    if kind == "f":
        values = np.round(rng.normal(size=size), 1)
        values[missing] = rng.choice([np.nan, np.inf, -np.inf], missing.sum())
        return values
    return pa.array(rng.integers(-5, 5, size), pa.int8(), mask=missing)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32),
    st.sampled_from([0, 1, 63, 64, 65, 1000, 20_000]),
    st.sampled_from([0.0, 0.001, 0.5, 1.0]),
    st.sampled_from("fi"),
)
def test_extremes_of_any_range(axis: MakeAxis, seed: int, size: int, gaps: float, kind: str) -> None:
    rng = np.random.default_rng(seed)
    series = make(axis, np.arange(size), heights(kind, size, gaps, rng))
    tree = series.tree
    for _ in range(30 if size else 0):
        first, stop = sorted(rng.integers(0, size + 1, 2).tolist())
        if first == stop:
            continue
        values, valid = series.heights(first, stop)
        part = values.astype(float)
        if valid is not None:
            part = np.where(valid, part, np.nan)
        if np.isnan(part[0]):
            continue
        found, ends = np.empty((1, 4), np.int64), np.empty((1, 4), series.y.dtype)
        rows = np.array([[0, 0, first, stop]])
        read = [frozen(each) for each in (series.y, tree.values, tree.places, tree.starts, rows)]
        find_parts(*read, found, ends)
        low, high, *nodes = found[0].tolist()
        assert (low, high) == (first + np.nanargmin(part), first + np.nanargmax(part))
        if not np.isnan(part[-1]):
            assert ends[0].tolist() == [part[0], np.nanmin(part), np.nanmax(part), part[-1]]
        for side, node in enumerate(nodes):
            assert node < 0 or tree.values.reshape(-1)[node] == part[(low, high)[side] - first]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([0, 1, 2, 500]), st.sampled_from(["f4", "f8", "i2", "u8"]), st.booleans())
def test_rows_in_x_order_without_those_that_have_none(
    axis: MakeAxis, seed: int, size: int, kind: str, ordered: bool
) -> None:
    rng = np.random.default_rng(seed)
    dtype = np.dtype(kind)
    if dtype.kind == "f":
        values = np.round(rng.normal(size=size) * 10).astype(dtype)
        values[rng.random(size) < 0.2] = -0.0
    else:
        values = rng.integers(0, 50, size).astype(dtype)
    if ordered:
        values.sort()
    x: Any = values
    if dtype.kind == "f":
        values[rng.random(size) < 0.1] = rng.choice([np.nan, np.inf, -np.inf])
        valid = np.isfinite(values)
    else:
        valid = rng.random(size) > 0.1
        x = pa.array(values, mask=~valid)
    y = heights("f", size, 0.2, rng)
    series = make(axis, x, y)
    rows = np.flatnonzero(valid)
    rows = rows[np.argsort(values[rows], kind="stable")]
    assert (series.numbers(np.arange(len(series))) == rows).all() and len(series) == len(rows)
    assert series.sorted == bool((np.diff(values[valid].astype(float)) >= 0).all())
    assert (series.x.slice(0, len(rows)) == values[rows]).all()
    assert series.x.dtype in (np.float32, np.float64, np.int64, np.uint64)
    gaps = ~np.isfinite(y[rows])
    assert np.isnan(series.y[gaps]).all() and (series.y[~gaps] == y[rows][~gaps]).all()
    found = np.zeros(len(rows), bool)
    edges = series.gaps.slice(0, len(series.gaps))
    for start, stop in zip(edges[0::2].tolist(), edges[1::2].tolist(), strict=True):
        found[start:stop] = True
    assert (found == gaps).all() and (np.diff(edges) > 0).all()


def test_sorted_columns_are_not_copied(axis: MakeAxis) -> None:
    x = axis(pa.array(np.arange(1000) ** 2, pa.timestamp("ns")))
    y = axis(np.arange(1000, dtype=np.float32), side="y")
    series = build_series(x, y, CREW)
    assert np.shares_memory(series.x.values, x.column.values) and np.shares_memory(series.y, y.column.values)
    assert series.rows is None and series.sorted


def test_logarithms_of_no_number_are_gaps(axis: MakeAxis) -> None:
    series = make(axis, np.arange(5), np.array([10, 0, -3, 100, 1]), "log")
    assert series.gaps.slice(0, 2).tolist() == [1, 3] and len(series.gaps) == 2
    assert np.array_equal(series.y, [1.0, np.nan, np.nan, 2.0, 0.0], equal_nan=True)


def test_positions_must_fit(axis: MakeAxis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(series_module, "MOST_ROWS", 10)
    with pytest.raises(TooLarge, match="fewer than 10 rows"):
        make(axis, np.arange(10), np.arange(10))
