"""What `Canvas` refuses, and in which words."""

from __future__ import annotations

import math
from typing import Any

import datashader as ds
import pandas as pd
import pyarrow as pa
import pytest

from bigviz.aggregate.canvas.canvas import Canvas
from bigviz.aggregate.reductions import api as r
from bigviz.common.errors import BadInput, NotFound, TooLarge


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"y_range": (2, 2)}, "y_range must ascend"),
        ({"x_range": (0, math.nan)}, "two finite numbers"),
        ({"x_range": (0, 1, 2)}, r"must be \(low, high\)"),
        ({"x_range": ("a", "b")}, "x_range must be two numbers, got 'a'"),
        ({"plot_width": 0}, "Invalid size: plot_width and plot_height must be bigger than 0, got 0 x 600"),
        ({"plot_height": -1}, "must be bigger than 0, got 600 x -1"),
        ({"x_axis_type": "polar"}, "x_axis_type must be one of linear, log, datetime"),
        ({"x_axis_type": "log", "x_range": (0, 1)}, "must be >0 for logarithmic axes"),
    ],
)
def test_bad_canvases(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(BadInput, match=problem):
        Canvas(**options).points(pa.table({"x": [1.0, 2.0], "y": [1.0, 2.0]}), "x", "y")


def test_other_mistakes() -> None:
    table = pa.table({"x": [1.0], "y": [1.0], "k": ["a"]})
    for x, agg in (("y", "count"), ("x", "by(x)")):
        with pytest.raises(BadInput, match="must be different columns"):
            Canvas().points(table, x, "y", agg)
    with pytest.raises(NotFound, match="'z'"):
        Canvas().points(table, "z", "y")
    with pytest.raises(BadInput, match="mean needs numbers"):
        Canvas().points(table, "x", "y", r.mean("k"))
    with pytest.raises(TooLarge, match="cells"):
        Canvas(100_000, 100_000)


def test_a_wrong_filter_is_refused() -> None:
    with pytest.raises(BadInput) as error:
        Canvas(2, 2).points(pa.table({"x": [1.0], "y": [1.0]}), "x", "y", filter="x >")
    assert (error.value.field, error.value.at) == ("filter", 3)


def test_errors_are_those_that_datashader_raises_too() -> None:
    table = pa.table({"x": [1.0], "y": [1.0], "k": ["a"]})
    for error in (KeyError, ValueError, NotFound):
        with pytest.raises(error, match="'z'"):
            Canvas().points(table, "z", "y")
    for source, x, agg in ((table, "x", r.mean("k")), (pd.DataFrame({"x": [1.0], "y": [1.0]}), None, None)):
        with pytest.raises(ValueError, match=r"mean needs numbers|coordinates may be specified"):
            Canvas().points(source, x, "y", agg)
    for canvas in (Canvas(0), Canvas(3, -1)):
        for agg in (None, ds.var("x")):
            with pytest.raises(ValueError, match="must be bigger than 0"):
                canvas.points(table, "x", "y", agg)
