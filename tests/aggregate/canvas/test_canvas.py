"""Canvas against datashader on the same table and window, bit for bit.

Datashader compiles its kernels again for every glyph, reduction, dtype and list of categories (a second or more each),
which is what takes the time for so few rows: where Python calculates as the machine code does, it is not compiled.
`reductions/test_datashader.py` has every reduction compiled.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

import datashader as ds
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bigviz.aggregate.canvas import axes
from bigviz.aggregate.canvas.canvas import Canvas
from bigviz.aggregate.canvas.in_cells import Side
from bigviz.aggregate.glyphs.bins import Bins
from bigviz.aggregate.reductions import api as r
from bigviz.common.errors import BadInput, NotFound, TooLarge
from bigviz.data.open import open as open_source

from ...interpreted import interpreted
from ...unoptimised import unoptimised

COMMON = settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
SIGNED, UNSIGNED = ("int8", "int16", "int32", "int64"), ("uint8", "uint16", "uint32", "uint64")
REDUCTIONS = ("count", "any", "count(v)", "any(v)", "sum", "mean", "min", "max", "first", "last")
ROUND = [k / 4 for k in range(-12, 13)]  # on the edges of cells, and on both ends of windows


def elements(dtype: str, infinite: bool) -> st.SearchStrategy[Any]:
    kind = np.dtype(dtype)
    if kind.kind in "iu":
        limits = np.iinfo(kind)
        return st.integers(max(limits.min, -(2**40)), min(limits.max, 2**40)) | st.integers(0, 12)
    width: Any = 8 * kind.itemsize
    odd = [math.nan, -0.0, *([math.inf, -math.inf] if infinite else [])]
    return st.sampled_from(ROUND) | st.floats(-3, 3, width=width) | st.sampled_from(odd)


@st.composite
def frames(draw: st.DrawFn, x: str, y: str, value: str = "float64", infinite: bool = True) -> pd.DataFrame:
    """x, y, a value v and a category k; infinite vertices are for points alone: datashader's lines crash on them."""
    size = draw(st.integers(1, 30))
    columns = {
        "x": draw(arrays(x, size, elements=elements(x, infinite))),
        "y": draw(arrays(y, size, elements=elements(y, infinite))),
        "v": draw(arrays(value, size, elements=elements(value, True))),
        "k": pd.Categorical(draw(st.lists(st.sampled_from("ab"), min_size=size, max_size=size)), ["b", "a", "c"]),
    }
    return pd.DataFrame(columns)


def within(window: tuple[float, float], size: int, log: bool, values: np.ndarray) -> bool:
    """Whether datashader draws points, and clips segments of these numbers, within the image: outside it wraps, or
    overwrites memory."""
    known = values[np.isfinite(values)].astype(np.float64)
    most = float(np.abs(known).max(initial=0.0))
    try:
        return Side(Bins(*window, size, log), (-most, most), values.dtype == np.float32, False).is_safe(True)
    except BadInput:
        return False


@st.composite
def windows(draw: st.DrawFn, values: np.ndarray, log: bool = False) -> tuple[tuple[float, float], int]:
    """A window whose ends lie on, between or beyond the values, and a number of cells."""
    finite = sorted({float(v) for v in values.tolist() if math.isfinite(v) and (v > 0 or not log)} | {0.5, 2.0})
    ends = st.sampled_from(finite) | st.floats(finite[0] * (0.5 if log else 1), finite[-1] * 2)
    low, high = sorted((draw(ends), draw(ends)))
    size = draw(st.integers(1, 13))
    if not within((low, high), size, log, values):
        low, high = 0.25, 8.0
    return (low, high), size


def named(module: Any, name: str) -> Any:
    """A reduction of datashader's or of bigviz's."""
    inner, _, column = name.removeprefix("by ").partition("(")
    takes = [column.rstrip(")")] if column else [] if inner in ("count", "any") else ["v"]
    agg = getattr(module, inner)(*takes)
    return module.by("k", agg) if name.startswith("by ") else agg


@contextmanager
def datashaders(frame: pd.DataFrame) -> Iterator[Any]:
    """datashader, compiled where x or y has less than 64 bits: Python keeps their width."""
    if any(frame[name].dtype.itemsize < 8 for name in "xy"):
        with unoptimised():
            yield ds
    else:
        with interpreted() as module:
            yield module


def both(
    frame: pd.DataFrame, glyph: str, names: tuple[str, ...], options: dict[str, Any]
) -> Iterator[tuple[xr.DataArray, xr.DataArray]]:
    """datashader's image and bigviz's of each reduction; the categories of a pandas frame are those that it declares,
    those of an Arrow table the ones that occur."""
    with datashaders(frame) as theirs:
        aggs = {name: named(theirs, name) for name in names}
        ask = theirs.summary(**aggs) if len(aggs) > 1 else aggs[names[0]]
        drawn = getattr(theirs.Canvas(**options), glyph)(frame, "x", "y", ask)
    for name in names:
        source = frame if name.startswith("by ") else pa.Table.from_pandas(frame)
        image = getattr(Canvas(**options), glyph)(source, "x", "y", named(r, name))
        expected = drawn if len(aggs) == 1 else drawn[name].rename(None).assign_attrs(drawn.attrs)
        yield expected, image


def compare(
    data: st.DataObject, frame: pd.DataFrame, glyph: str, *names: str, log: tuple[bool, bool] = (False, False)
) -> None:
    x_range, width = data.draw(windows(frame["x"].to_numpy(), log[0]))
    y_range, height = data.draw(windows(frame["y"].to_numpy(), log[1]))
    kinds = ["log" if each else "linear" for each in log]
    options: dict[str, Any] = {
        "plot_width": width,
        "plot_height": height,
        "x_range": x_range,
        "y_range": y_range,
        "x_axis_type": kinds[0],
        "y_axis_type": kinds[1],
    }
    for expected, got in both(frame, glyph, names, options):
        identical(expected, got)


def identical(expected: xr.DataArray, got: xr.DataArray) -> None:
    assert expected.identical(got)
    assert expected.dtype == got.dtype and list(expected.coords) == list(got.coords)
    assert np.ascontiguousarray(expected.values).tobytes() == np.ascontiguousarray(got.values).tobytes()
    for name in expected.coords:
        if expected.coords[name].dtype.kind == "f":
            assert expected.coords[name].values.tobytes() == got.coords[name].values.tobytes()


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


def test_rows_without_a_label_are_in_no_plane() -> None:
    table = pa.table({"x": [0.0, 1.0], "y": [0.0, 1.0], "k": pa.array(["a", None])})
    assert Canvas(2, 2).points(table, "x", "y", "by(k)").values[..., 0].tolist() == [[1, 0], [0, 0]]


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


STAMP = 1_700_000_000_000_000_000


@COMMON
@given(st.lists(st.integers(STAMP, STAMP + 10**6), min_size=1, max_size=20), st.integers(1, 40), st.integers(1, 10**6))
def test_stamps_are_binned_exactly(stamps: list[int], width: int, span: int) -> None:
    table = pa.table({"t": pa.array(stamps, pa.timestamp("ns")), "y": [0.5] * len(stamps)})
    got = Canvas(width, 1, (STAMP + 3, STAMP + 3 + span), (0, 1)).points(table, "t", "y")
    expected = [0] * width
    for stamp in stamps:
        if STAMP + 3 <= stamp <= STAMP + 3 + span:
            expected[min(int(Fraction(stamp - STAMP - 3) * width / span), width - 1)] += 1
    assert got.values[0].tolist() == expected
    assert got.t.dtype == np.dtype("datetime64[ns]")


def test_ways_to_write_a_range_of_time() -> None:
    day = datetime.datetime(2024, 5, 1)
    table = pa.table({"t": pa.array([day, day + datetime.timedelta(hours=30)]), "y": [0.0, 1.0]})
    zone = datetime.timezone(datetime.timedelta(hours=2))
    ways: list[tuple[Any, Any]] = [
        ("2024-05-01", "2024-05-03"),
        (np.datetime64("2024-05-01"), np.datetime64("2024-05-03", "s")),
        (day, datetime.date(2024, 5, 3)),
        (day.replace(hour=2, tzinfo=zone), pd.Timestamp("2024-05-03")),
        (1_714_521_600_000_000_000, 1_714_694_400_000_000_000),
    ]
    for way in ways:
        image = Canvas(2, 1, way, (0, 1)).points(table, "t", "y")
        assert image.values.tolist() == [[1, 1]]
        assert image.t.values.tolist() == np.array(["2024-05-01T12", "2024-05-02T12"], "M8[ns]").tolist()
    own = Canvas(2, 1, None, (0, 1)).line(table, "t", "y")
    assert own.values.tolist() == [[True, True]]


def test_durations_have_durations_as_coordinates() -> None:
    table = pa.table({"d": pa.array([0, 10], pa.duration("s")), "y": [0.0, 1.0]})
    image = Canvas(2, 2, (datetime.timedelta(0), np.timedelta64(10, "s"))).points(table, "d", "y")
    assert image.d.dtype == np.dtype("timedelta64[ns]") and image.values.sum() == 2


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


def test_columns_that_pandas_names_by_numbers() -> None:
    """datashader refuses them; the dimensions are their text."""
    frame = pd.DataFrame({0: [0.0, 1.0, 1.0], 1: [0.0, 0.0, 1.0], 2: [5.0, 6.0, 8.0]})
    image = Canvas(2, 2).points(frame, 0, 1, r.mean(2))
    named = Canvas(2, 2).points(frame.set_axis(["0", "1", "2"], axis=1), "0", "1", r.mean("2"))
    assert image.dims == ("1", "0") and image.identical(named)


@pytest.mark.parametrize("agg", ["by({})", "by({}, mean(v))", "by({}, count(v))"])
def test_integers_and_booleans_are_categories_in_the_order_of_their_values(agg: str) -> None:
    """As those of the same values as text, which here sort alike."""
    rng = np.random.default_rng(17)
    numbers, flags = rng.integers(2, 9, 500), rng.random(500) < 0.5
    table = pa.table({
        "x": rng.random(500), "y": rng.random(500), "v": rng.normal(size=500),
        "n": pa.array(numbers.astype(np.uint16), mask=numbers == 5), "flag": flags,
        "n text": pa.array(numbers.astype(str), mask=numbers == 5), "flag text": flags.astype(str),
    })  # fmt: skip
    canvas = Canvas(5, 4)
    for name, labels in (("n", ["2", "3", "4", "6", "7", "8"]), ("flag", ["False", "True"])):
        image = canvas.points(table, "x", "y", agg.format(name))
        assert image.dims == ("y", "x", name) and image.coords[name].values.tolist() == labels
        want = canvas.points(table, "x", "y", agg.format(f"{name} text"))
        np.testing.assert_array_equal(image.values, want.values)


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


def test_a_wrong_filter_is_refused() -> None:
    with pytest.raises(BadInput) as error:
        Canvas(2, 2).points(pa.table({"x": [1.0], "y": [1.0]}), "x", "y", filter="x >")
    assert (error.value.field, error.value.at) == ("filter", 3)


@pytest.mark.parametrize("glyph", ["points", "line"])
def test_a_reversed_range_is_datashaders(glyph: str) -> None:
    frame = pd.DataFrame({"x": [1.0, 2.0, 3.0], "y": [1.0, 3.0, 2.0]})
    options: dict[str, Any] = {"plot_width": 4, "plot_height": 3, "x_range": (5, 0), "y_range": (0, 4)}
    for images in both(frame, glyph, ("count" if glyph == "points" else "any",), options):
        identical(*images)


@pytest.mark.parametrize(
    "kinds",
    [pd.Categorical(["b", "a", None, "b"], ["c", "b", "a"], ordered=True), pd.Categorical([3, 1, 3, 1], [3, 2, 1])],
)
def test_declared_categories_keep_their_order_and_kind(kinds: pd.Categorical) -> None:
    frame = pd.DataFrame({"x": [0.0, 1.0, 1.0, 0.0], "y": [0.0, 0.0, 1.0, 1.0], "v": [1.0, 2.0, 3.0, 4.0], "k": kinds})
    frame = frame[frame["k"].notna()]
    for name in ("by count", "by max"):
        with datashaders(frame) as theirs:
            expected = theirs.Canvas(2, 2).points(frame, "x", "y", named(theirs, name))
        identical(expected, Canvas(2, 2).points(frame, "x", "y", named(ds, name)))
    if kinds.ordered:
        by = Canvas(2, 2).points(pa.Table.from_pandas(frame), "x", "y", "by(k)")
        with datashaders(frame) as theirs:
            identical(theirs.Canvas(2, 2).points(frame, "x", "y", theirs.by("k")), by)


PASSED_ON = [
    ds.var("v"), ds.std("v"), ds.where(ds.max("v"), "x"), ds.summary(a=ds.count(), b=ds.mean("v")),
    ds.max_n("v", 2), ds.by("k", ds.var("v")), ds.by(ds.category_modulo("n", 3)),
]  # fmt: skip


class Asked:
    """What datashader was asked to draw, instead of its kernels, each of which takes seconds to compile."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[tuple[str, Any, tuple[Any, ...], dict[str, Any]]] = []
        for glyph in ("points", "line", "area", "quadmesh", "raster"):
            monkeypatch.setattr(ds.core.Canvas, glyph, self.told(glyph))

    def told(self, glyph: str) -> Any:
        return lambda canvas, source, **options: self.calls.append((glyph, source, vars(canvas), options))

    def of(self, canvas: Any, glyph: str, source: Any, *columns: Any, **options: Any) -> tuple[Any, dict[str, Any]]:
        getattr(canvas, glyph)(source, *columns, **options)
        told, frame, sides, arguments = self.calls.pop()
        assert told == glyph and (sides["plot_width"], sides["x_range"]) == (3, (0.0, 1.0))
        return frame, {name: value for name, value in arguments.items() if value is not None}


@pytest.mark.parametrize("agg", PASSED_ON, ids=repr)
def test_other_reductions_are_passed_on(agg: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    frame = pd.DataFrame({"x": rng.random(50), "y": rng.random(50), "v": rng.integers(0, 9, 50).astype(float)})
    frame["n"] = rng.integers(0, 9, 50)
    frame["k"] = pd.Categorical(np.array(["a", "b"])[rng.integers(0, 2, 50)])
    table, canvas, asked = pa.Table.from_pandas(frame), Canvas(3, 2, (0, 1), (0, 1)), Asked(monkeypatch)
    for source in (frame, table, pl.from_pandas(frame).lazy()):
        given, arguments = asked.of(canvas, "points", source, "x", "y", agg)
        pd.testing.assert_frame_equal(given, frame[list(given)], check_categorical=False)
        assert arguments == {"x": "x", "y": "y", "agg": agg}
    some, _ = asked.of(canvas, "points", table, "x", "y", agg, filter="v > 3")
    expected = frame[frame["v"] > 3].reset_index(drop=True)[list(some)]
    pd.testing.assert_frame_equal(some, expected, check_categorical=False)


def test_what_is_passed_on_is_datashaders_image() -> None:
    frame = pd.DataFrame({"x": [0.0, 0.2, 1.0], "y": [0.0, 0.9, 0.5], "v": [1.0, 2.0, 5.0]})
    options: dict[str, Any] = {"plot_width": 3, "plot_height": 2, "x_range": (0, 1), "y_range": (0, 1)}
    with unoptimised():
        expected = ds.Canvas(**options).points(frame, "x", "y", ds.var("v"))
    for source in (frame, pa.Table.from_pandas(frame)):
        assert expected.identical(Canvas(**options).points(source, "x", "y", ds.var("v")))


def test_other_glyphs_are_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pd.DataFrame({"x": [0.0, 1.0, 2.0], "y": [0.0, 2.0, 1.0], "z": [1.0, 0.0, 2.0]})
    table, canvas, asked = pa.Table.from_pandas(frame), Canvas(3, 2, (0, 1), (0, 1)), Asked(monkeypatch)
    calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
        ("line", ("x", ["y", "z"]), {}),
        ("line", (["x", "y"], ["y", "z"]), {"axis": 1}),
        ("line", ("x", "y"), {"line_width": 2}),
        ("line", ("x", "y"), {"agg": ds.max("z"), "antialias": True}),
        ("area", ("x", "y"), {}),
    ]
    for glyph, columns, more in calls:
        for source in (frame, table):
            given, arguments = asked.of(canvas, glyph, source, *columns, **more)
            pd.testing.assert_frame_equal(given, frame[list(given)])
            assert {"x": columns[0], "y": columns[1], **more}.items() <= arguments.items(), (glyph, columns, more)


def test_grids_are_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    canvas, asked = Canvas(3, 2, (0, 1), (0, 1)), Asked(monkeypatch)
    grid = xr.DataArray(np.arange(12.0).reshape(3, 4), {"y": [0, 1, 2], "x": [0, 1, 2, 3]}, ("y", "x"), name="z")
    of_grid = grid.to_dataset()
    given, arguments = asked.of(canvas, "quadmesh", of_grid, "x", "y")
    assert given is of_grid and arguments == {"x": "x", "y": "y"}
    given, arguments = asked.of(canvas, "raster", grid, layer=1)
    assert given is grid and arguments == {"layer": 1}


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


def test_categoricals_are_read_where_more_than_their_codes_is_asked_for():
    frame = pd.DataFrame({"x": [0.0, 1, 2], "y": [0.0, 1, 2], "k": pd.Categorical(["a", "b", None])})
    wanted = {("count(k)", ""): 2, ("any(k)", ""): 2, ("count", "k = 'a'"): 1, ("count", "k is null"): 1,
              ("by(k)", "k = 'b'"): 1, ("by(k, count(k))", ""): 2}  # fmt: skip
    for (agg, kept), rows in wanted.items():
        image = Canvas(3, 3).points(frame, "x", "y", agg, filter=kept)
        assert image.values.sum() == rows, (agg, kept)
        if "by" in agg:
            assert image.coords["k"].values.tolist() == ["a", "b"]


FAR: list[Any] = [
    ("0001-01-01", "9999-12-31"), (np.datetime64("NaT"), np.datetime64("2024")), (0.5, 1e30), (2**63, 2**64),
    (datetime.date(1, 1, 1), datetime.date(9999, 1, 1)), (datetime.timedelta(200_000), datetime.timedelta(300_000)),
    (10**400, 10**401),
]  # fmt: skip


@pytest.mark.parametrize("ends", FAR, ids=lambda ends: str(ends)[:30])
def test_ends_that_nanoseconds_do_not_hold_are_refused(ends: Any):
    """numpy wraps them around, and the image would be empty."""
    frame = pd.DataFrame({"t": pd.to_datetime(["2024-01-01", "2024-01-02"]), "y": [0.0, 1]})
    with pytest.raises(BadInput, match="x_range") as told:
        Canvas(4, 3, x_range=ends).points(frame, "t", "y")
    assert isinstance(told.value, ValueError)
    held = (-(2**63), 2**63 - 1)
    assert Canvas(4, 3, x_range=held).points(frame, "t", "y").values.sum() == 2
    with pytest.raises(BadInput, match="y_range"):
        Canvas(4, 3, y_range=(10**400, 10**401)).points(frame, "t", "y")
