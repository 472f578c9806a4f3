"""Canvas against datashader on the same table and window, bit for bit; `reductions/test_datashader.py` has every
reduction compiled."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from bigviz.aggregate.canvas import axes
from bigviz.aggregate.canvas.canvas import Canvas
from bigviz.aggregate.reductions import api as r
from bigviz.data.open import open as open_source

from .against_datashader import COMMON, REDUCTIONS, SIGNED, UNSIGNED, both, compare, frames, identical, windows, within

BY = ("by count", "by mean", "by first", "by sum")


@pytest.mark.parametrize("names", [REDUCTIONS, *((name,) for name in BY)], ids=str)
@COMMON
@given(data=st.data())
def test_points_reductions(names: tuple[str, ...], data: st.DataObject) -> None:
    compare(data, data.draw(frames("float64", "float64")), "points", *names)


@pytest.mark.parametrize("names", [REDUCTIONS, ("by sum",)], ids=str)
@COMMON
@given(data=st.data())
def test_line_reductions(names: tuple[str, ...], data: st.DataObject) -> None:
    compare(data, data.draw(frames("float64", "float64", infinite=False)), "line", *names)


@pytest.mark.parametrize(
    ("x", "y"),
    [("float32", "float32"), ("float32", "int64"), *zip(SIGNED, UNSIGNED, strict=True), ("uint64", "float64")],
)
@COMMON
@given(data=st.data())
def test_points_dtypes(x: str, y: str, data: st.DataObject) -> None:
    compare(data, data.draw(frames(x, y)), "points", "count")


@pytest.mark.parametrize(("x", "y"), [("float32", "float32"), ("float64", "float32"), ("int32", "float32")])
@COMMON
@given(data=st.data())
def test_line_dtypes(x: str, y: str, data: st.DataObject) -> None:
    compare(data, data.draw(frames(x, y, infinite=False)), "line", "any")


@pytest.mark.parametrize(("x", "y"), [("int8", "int16"), ("int64", "int64")])
@COMMON
@given(data=st.data())
def test_lines_of_integers_are_those_of_the_same_float64(x: str, y: str, data: st.DataObject) -> None:
    frame = data.draw(frames(x, y, infinite=False))
    x_range, width = data.draw(windows(frame["x"].to_numpy(), False))
    y_range, height = data.draw(windows(frame["y"].to_numpy(), False))
    canvas = Canvas(width, height, x_range, y_range)
    identical(canvas.line(frame, "x", "y"), canvas.line(frame.astype({"x": "float64", "y": "float64"}), "x", "y"))


@pytest.mark.parametrize(
    ("value", "names"),
    [*((value, ("sum", "max")) for value in ("float32", "int64", "uint8")), ("float32", ("by max",))],
)
@COMMON
@given(data=st.data())
def test_value_dtypes(value: str, names: tuple[str, ...], data: st.DataObject) -> None:
    compare(data, data.draw(frames("float64", "float64", value)), "points", *names)


@pytest.mark.parametrize(
    ("glyph", "dtype", "log"),
    [
        ("points", "float64", (True, False)),
        ("points", "float32", (True, True)),
        ("points", "int32", (False, True)),
        ("line", "float64", (True, True)),
        ("line", "float32", (True, False)),
    ],
)
@COMMON
@given(data=st.data())
def test_log_axes(glyph: str, dtype: str, log: tuple[bool, bool], data: st.DataObject) -> None:
    frame = data.draw(frames(dtype, dtype, infinite=False))
    compare(data, frame, glyph, "count" if glyph == "points" else "any", log=log)


@pytest.mark.parametrize("dtype", ["float64", "int32"])
@COMMON
@given(data=st.data())
def test_the_columns_own_ranges(dtype: str, data: st.DataObject) -> None:
    frame = data.draw(frames(dtype, dtype))
    options = {"plot_width": data.draw(st.integers(1, 9)), "plot_height": 3}
    sides = [Canvas(**options).points(pa.Table.from_pandas(frame), "x", "y").attrs[f"{axis}_range"] for axis in "xy"]
    if all(within(*each, False, np.zeros(1)) for each in zip(sides, options.values(), strict=True)):
        for images in both(frame, "points", ("count",), options):
            identical(*images)


def test_ranges_of_an_opened_table_are_found_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """And those of the rows that a filter keeps each time."""
    looked: list[int] = []
    found = axes.ends
    monkeypatch.setattr(axes, "ends", lambda columns, threads: looked.append(len(columns)) or found(columns, threads))
    table = open_source({"x": [3.0, math.nan, 1.0], "y": [1.0, 2.0, -4.0]})
    for _ in range(2):
        assert Canvas(2, 2).points(table, "x", "y").attrs == {"x_range": (1.0, 3.0), "y_range": (-4.0, 2.0)}
        assert Canvas(2, 2).points(table, "x", "y", filter="x > 2").attrs["x_range"] == (2.0, 4.0)
        assert Canvas(2, 2, (0, 1)).points(table, "x", "y").attrs["y_range"] == (-4.0, 2.0)
    assert sum(looked) == 2 + 2 * 2


def test_all_null_columns() -> None:
    frame = pd.DataFrame({"x": [math.nan] * 3, "y": [math.nan] * 3, "v": [1.0] * 3, "k": pd.Categorical(["a"] * 3)})
    for images in both(frame, "points", ("count", "mean"), {"plot_width": 2, "plot_height": 2}):
        identical(*images)


def test_text_and_defaults() -> None:
    table = pa.table({"x": [0.0, 1.0], "y": [0.0, 1.0], "k": ["b", "a"]})
    canvas = Canvas(2, 2)
    assert canvas.points(table, "x", "y").dtype == np.uint32
    assert canvas.line(table, "x", "y").dtype == np.bool_
    by = canvas.points(table, "x", "y", "by(k)")
    assert by.dims == ("y", "x", "k") and by.k.values.tolist() == ["a", "b"]
    assert by.sel(k="a").values.tolist() == [[0, 0], [0, 1]]


def test_what_datashader_refuses_is_a_number() -> None:
    """Bool, float16, nulls of integers, decimals."""
    columns = {
        "b": pa.array([True, False, None]),
        "h": pa.array(np.array([1, 0, 2], np.float16)),
        "i": pa.array([1, 0, None], pa.int8()),
        "d": pa.array(["1", "0", None]).cast(pa.decimal128(5, 1)),
    }
    canvas = Canvas(2, 1, (0, 1), (0, 1))
    for name, column in columns.items():
        counts = canvas.points(pa.table({"x": column, name: column}), "x", name)
        assert counts.values.tolist() == [[1, 1]], name


def test_columns_that_pandas_names_by_numbers() -> None:
    """datashader refuses them; the dimensions are their text."""
    frame = pd.DataFrame({0: [0.0, 1.0, 1.0], 1: [0.0, 0.0, 1.0], 2: [5.0, 6.0, 8.0]})
    image = Canvas(2, 2).points(frame, 0, 1, r.mean(2))
    named = Canvas(2, 2).points(frame.set_axis(["0", "1", "2"], axis=1), "0", "1", r.mean("2"))
    assert image.dims == ("1", "0") and image.identical(named)


@pytest.mark.parametrize("agg", ["count", "mean(v)", "last(v)", "by(kind)"])
def test_a_filter_is_a_table_of_fewer_rows(agg: str) -> None:
    rng = np.random.default_rng(5)
    x, y, v = rng.normal(size=(3, 2_000))
    v[::7] = np.nan
    kind = np.array(["a", "b", "c"])[rng.integers(0, 3, 2_000)]
    table = pa.table({"x": x, "y": y, "v": v, "kind": pa.array(kind, mask=rng.random(2_000) < 0.1)})
    some = table.filter((table["v"].to_numpy() > 0.2) & (kind != "b") & np.asarray(table["kind"].is_valid()))
    canvas, text = Canvas(20, 10), "v > 0.2 and kind != 'b'"
    found = canvas.points(table, "x", "y", agg, filter=text)
    expected = canvas.points(some, "x", "y", agg)
    if agg == "by(kind)":  # labels are those of all rows
        assert not found.sel(kind="b").any()
        found = found.sel(kind=["a", "c"])
    xr.testing.assert_identical(found, expected)
    line = canvas.line(table, "x", "y", filter=text)
    xr.testing.assert_identical(line, canvas.line(some, "x", "y"))


@pytest.mark.parametrize("glyph", ["points", "line"])
def test_a_reversed_range_is_datashaders(glyph: str) -> None:
    frame = pd.DataFrame({"x": [1.0, 2.0, 3.0], "y": [1.0, 3.0, 2.0]})
    options: dict[str, Any] = {"plot_width": 4, "plot_height": 3, "x_range": (5, 0), "y_range": (0, 4)}
    for images in both(frame, glyph, ("count" if glyph == "points" else "any",), options):
        identical(*images)
