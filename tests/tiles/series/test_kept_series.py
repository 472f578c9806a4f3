"""The rows of a series that a filter keeps are the series of these rows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from bigviz.aggregate.axis import Axis
from bigviz.aggregate.layer import Layer
from bigviz.common.workers import Crew
from bigviz.data.open import open as open_table
from bigviz.tiles import filtered_rows
from bigviz.tiles.engine import Engine
from bigviz.tiles.grid.row_filter import hidden
from bigviz.tiles.series.kept_series import kept_series
from bigviz.tiles.series.series import build_series

MakeAxis = Callable[..., Axis]
CREW = Crew(2)


@pytest.mark.parametrize("size", [0, 1, 3_000])
@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("sort", [False, True])
@pytest.mark.parametrize("whole", [False, True])
def test_it_equals_the_series_of_the_kept_rows(
    axis: MakeAxis, size: int, share: float, sort: bool, whole: bool
) -> None:
    rng = np.random.default_rng(2)
    xs = np.arange(size) if sort else rng.integers(0, max(size // 2, 1), size).astype(np.float64)
    if not sort and size > 10:
        xs[:: size // 7] = np.nan
    missing = rng.random(size) < 0.2
    ys = (
        pa.array(rng.integers(-9, 9, size), mask=missing) if whole else np.where(missing, np.inf, rng.normal(size=size))
    )
    x, y, keep = axis(xs), axis(ys, "linear", "y"), rng.random(size) < share
    found = kept_series(build_series(x, y, CREW), keep, CREW)
    wanted = build_series(Axis(hidden(x.column, keep), x.space), y, CREW)
    assert len(found) == len(wanted)
    assert found.sorted == wanted.sorted
    every = np.arange(len(wanted))
    np.testing.assert_array_equal(found.numbers(every), wanted.numbers(every))
    np.testing.assert_array_equal(found.x.slice(0, len(found)), wanted.x.slice(0, len(wanted)))
    np.testing.assert_array_equal(found.y, wanted.y)
    np.testing.assert_array_equal(found.gaps.values, wanted.gaps.values)
    np.testing.assert_array_equal(found.tree.values, wanted.tree.values)
    np.testing.assert_array_equal(found.tree.places, wanted.tree.places)


def test_a_filtered_line_sorts_nothing_where_the_line_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    dataset = open_table(pa.table({"x": rng.random(5_000), "y": rng.normal(size=5_000)}))
    engine, layer = Engine(threads=2), Layer("line", "x", "y", "any", filter="y > 0.5")
    wanted = Engine(threads=2).columns(dataset, layer, 0.1, 0.9, 50)
    engine.columns(dataset, Layer("line", "x", "y", "any"), 0, 1, 50)
    monkeypatch.setattr(filtered_rows, "build_series", None)
    found = engine.columns(dataset, layer, 0.1, 0.9, 50)
    np.testing.assert_array_equal(found.row, wanted.row)
    np.testing.assert_array_equal(found.column, wanted.column)
