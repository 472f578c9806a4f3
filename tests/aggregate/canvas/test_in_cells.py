"""What is given to datashader never makes it write outside its image, and is drawn as it draws it elsewhere.

datashader is interpreted, and asked for each cell that it takes: machine code would write there without a word.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bigviz.aggregate.canvas import in_cells, passed_on
from bigviz.aggregate.canvas.canvas import Canvas
from bigviz.aggregate.canvas.in_cells import check_geometries, drawn_in_cells, unsafe
from bigviz.aggregate.glyphs.bins import Bins
from bigviz.common.errors import BadInput

from ...interpreted import interpreted

COMMON = settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])
NUMBERS = [-1e300, -1e10, -3.0, -1.0, 0.0, 1e-300, 1e-10, 0.25, 0.5, 1.0, 3.0, 7.5, 100.0, 1e10, 2.0**53 + 2, 1e300]
NUMBERS += [math.nan, math.inf, -math.inf]
COLUMNS = ("a", "b", "c", "d")


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> None:
    """The project's own kernel: it cannot be compiled while datashader is interpreted."""
    in_cells.places(np.zeros(1), Bins(1, 2, 1), "line")


@contextmanager
def watched() -> Iterator[Any]:
    """datashader's Canvas, interpreted; a segment whose ends are not in cells of the image is an AssertionError."""
    with interpreted() as module:
        build = module.glyphs.line._build_map_onto_pixel_for_line

        def building(x_mapper: Any, y_mapper: Any, antialias: bool = False) -> Any:
            inner = build(x_mapper, y_mapper, antialias)

            def place(*terms: Any) -> Any:
                sx, tx, sy, ty, _, xmax, _, ymax = terms[:8]
                column, row = inner(*terms)
                assert antialias or 0 <= column < round(x_mapper(xmax) * sx + tx), terms
                assert antialias or 0 <= row < round(y_mapper(ymax) * sy + ty), terms
                return column, row

            return place

        with (
            mock.patch.object(module.glyphs.line, "_build_map_onto_pixel_for_line", building),
            mock.patch.object(passed_on, "Canvas", module.Canvas),
        ):
            yield module


@st.composite
def options(draw: st.DrawFn) -> dict[str, Any]:
    """A window among the numbers, and logarithmic axes."""
    made: dict[str, Any] = {"plot_width": draw(st.integers(1, 9)), "plot_height": draw(st.integers(1, 9))}
    for role in "xy":
        log = draw(st.booleans())
        ends = [number for number in NUMBERS if math.isfinite(number) and (number > 0 or not log)]
        low, high = sorted(draw(st.lists(st.sampled_from(ends), min_size=2, max_size=2, unique=True)))
        made |= {f"{role}_range": (low, high), f"{role}_axis_type": "log" if log else "linear"}
    return made


def frames(dtype: str) -> st.SearchStrategy[pd.DataFrame]:
    rows = st.lists(st.lists(st.sampled_from(NUMBERS), min_size=4, max_size=4), min_size=2, max_size=6)
    return rows.map(lambda rows: pd.DataFrame(np.array(rows), columns=list(COLUMNS)).astype(dtype))


@pytest.mark.parametrize("axis", [0, 1])
@COMMON
@given(where=options(), frame=frames("float64"))
def test_no_line_leaves_the_image(axis: int, where: dict[str, Any], frame: pd.DataFrame) -> None:
    """The windows and numbers are those in which datashader, by itself, does leave it."""
    with np.errstate(all="ignore"), watched():
        try:
            image = Canvas(**where).line(frame, ["a", "b"], ["c", "d"], axis=axis)
        except BadInput:  # a window that cannot be divided
            return
    assert image.shape == (where["plot_height"], where["plot_width"]) and image.dims == ("y", "x")
    assert (image.attrs["x_range"], image.attrs["y_range"]) == (where["x_range"], where["y_range"])


@pytest.mark.parametrize("glyph", ["line", "points", "area"])
@COMMON
@given(data=st.data())
def test_what_lies_in_the_window_is_drawn_as_by_datashader(glyph: str, data: st.DataObject) -> None:
    """By the cells, although its own way would do."""
    log = data.draw(st.tuples(st.booleans(), st.booleans() if glyph != "area" else st.just(False)))
    numbers = st.lists(st.floats(0.25, 8.0) | st.sampled_from([0.25, 8.0, math.nan]), min_size=4, max_size=4)
    frame = pd.DataFrame({name: data.draw(numbers) for name in COLUMNS})
    where = {"plot_width": 7, "plot_height": 5, "x_range": (0.25, 8.0), "y_range": (0.25, 8.0)}
    where |= {f"{role}_axis_type": "log" if each else "linear" for role, each in zip("xy", log, strict=True)}
    arguments = {"x": "a", "y": "c"} if data.draw(st.booleans()) else {"x": ["a", "b"], "y": ["c", "d"]}
    if glyph == "points":
        arguments = {"x": "a", "y": "c"}
    with interpreted() as module:

        def draw(options: dict[str, Any], source: Any, arguments: dict[str, Any]) -> Any:
            return getattr(module.Canvas(**options), glyph)(source, **arguments, agg=module.count())

        assert unsafe(where, glyph, frame, arguments) is None
        with mock.patch("bigviz.aggregate.canvas.in_cells.Side.is_safe", return_value=False):
            sides = unsafe(where, glyph, frame, arguments)
        assert sides is not None
        expected, got = draw(where, frame, arguments), drawn_in_cells(draw, where, glyph, frame, arguments, sides)
    assert expected.identical(got)


def test_lines_of_a_width_on_a_logarithmic_axis() -> None:
    """datashader takes their limits from the ends of the window, not from their logarithms: here 14 times the width."""
    frame = pd.DataFrame({"x": [1.0, 30.0, 1000.0], "y": [1.0, 3.0, 2.0]})
    where = {"plot_width": 6, "plot_height": 5, "x_range": (1.0, 100.0), "y_range": (0.0, 4.0)}
    with watched() as module:
        got = Canvas(**where, x_axis_type="log").line(frame, "x", "y", module.count(), line_width=2)
        where["x_range"] = (0.0, 2.0)
        straight = module.Canvas(**where).line(
            frame.assign(x=np.log10(frame["x"])), "x", "y", module.count(), line_width=2
        )
    np.testing.assert_allclose(got.values, straight.values, rtol=1e-6)
    assert np.nansum(got.values) > 0 and got.attrs["x_range"] == (1.0, 100.0)


@pytest.mark.parametrize(("x", "columns"), [("log", [2, 3]), ("linear", [0, 1, 2, 3])])
def test_long_segments(x: str, columns: list[int]) -> None:
    """From 10^300 below to 10^300 above the window, and on a logarithmic axis from a number that is not there."""
    frame = pd.DataFrame({"a": [-1e300, 1e300], "b": [5.0, 1e300], "c": [1.5, 1.5], "d": [0.5, 0.5]})
    with watched():
        image = Canvas(4, 2, (1, 10), (0, 2), x_axis_type=x).line(frame, ["a", "b"], ["c", "d"])  # type: ignore[arg-type]
    assert np.flatnonzero(image.values[1]).tolist() == ([] if x == "log" else columns)
    assert np.flatnonzero(image.values[0]).tolist() == ([2, 3] if x == "log" else [1, 2, 3])


@pytest.mark.parametrize("dims", [("x", "line"), ("line", "x")])
@COMMON
@given(where=options(), frame=frames("float64"))
def test_lines_of_xarray_are_those_of_a_frame(
    dims: tuple[str, str], where: dict[str, Any], frame: pd.DataFrame
) -> None:
    """Which share their x, by either order of dimensions."""
    x, lines = frame["a"].to_numpy(), frame[["b", "c", "d"]].to_numpy()
    source = xr.Dataset({"y": (dims, lines if dims[0] == "x" else lines.T)}, {"x": x})
    table = pd.DataFrame(lines.T, columns=[f"{at}" for at in range(len(x))])
    with np.errstate(all="ignore"), watched() as module:
        canvas = Canvas(**where)
        try:
            image = canvas.line(source, "x", "y", module.count())
        except BadInput:
            return
        expected = canvas.line(table, x, list(table.columns), module.count(), axis=1)
    np.testing.assert_array_equal(image.values, expected.values)
    assert image.dims == ("y", "x")


def test_tables_of_xarray_are_frames() -> None:
    """Infinite vertices leave the image."""
    frame = pd.DataFrame({"a": [1.0, 3.0, 4.0], "c": [math.inf, 1.0, 1.0]})
    where: dict[str, Any] = {"plot_width": 3, "plot_height": 2, "x_range": (1.0, 4.0), "y_range": (0.0, 2.0)}
    tables = [xr.Dataset({name: ("row", frame[name]) for name in frame}), frame.set_index("a")["c"].to_xarray()]
    with watched() as module:
        expected = Canvas(**where).area(frame, "a", "c", agg=module.count())
        for table in tables:
            assert Canvas(**where).area(table, "a", "c", agg=module.count()).identical(expected)


def test_unsigned_columns_have_no_lines_that_wrap_around() -> None:
    frame = pd.DataFrame({"a": [0, 4], "b": [0, 4], "c": [5, 0], "d": [0, 5]}, dtype="uint8")
    with watched():
        images = [
            Canvas(5, 5, (1, 4), (1, 4)).line(each, ["a", "b"], ["c", "d"]) for each in (frame, frame.astype(float))
        ]
    assert images[0].identical(images[1])


class Whole(np.ndarray):  # type: ignore[type-arg]
    """Numbers that Python computes with as compiled code does: those of numpy wrap around at 8 bits."""

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        return int(found) if np.ndim(found) == 0 else found


def lists(module: Any, flat: np.ndarray, lengths: list[int]) -> Any:
    """Numbers as lists, each so long."""
    starts = np.cumsum([0, *lengths])[:-1].astype(np.uint32)
    return module.datatypes.RaggedArray({"start_indices": starts, "flat_array": flat[: sum(lengths)]})


@contextmanager
def whole() -> Iterator[Any]:
    """datashader, interpreted, which draws what `Canvas` gives it; IndexError for a cell that is not in the image."""
    with interpreted() as module:
        names = {name: getattr(module.datatypes, name) for name in ("RaggedArray", "RaggedDtype")}
        with (
            # Python walks along edges for seconds where machine code takes milliseconds.
            mock.patch.multiple(in_cells, **names, mesh=module.utils.mesh, _STEEP=2.0**8),
            mock.patch.object(passed_on, "Canvas", module.Canvas),
            mock.patch.object(
                names["RaggedArray"], "start_indices", property(lambda self: self._start_indices.view(Whole))
            ),
        ):
            yield module


@pytest.mark.parametrize("glyph", ["line", "area", "stack"])
@COMMON
@given(where=options(), frame=frames("float64"), lengths=st.lists(st.integers(0, 3), min_size=1, max_size=3))
def test_no_line_of_lists_leaves_the_image(
    glyph: str, where: dict[str, Any], frame: pd.DataFrame, lengths: list[int]
) -> None:
    with np.errstate(all="ignore"), whole() as module:
        flat = np.resize(frame.to_numpy().T, (3, 9))
        table = pd.DataFrame({name: lists(module, each, lengths) for name, each in zip("abc", flat, strict=True)})
        more = {"y_stack": "c"} if glyph == "stack" else {}
        try:
            image = getattr(Canvas(**where), "line" if glyph == "line" else "area")(table, "a", "b", axis=1, **more)
        except BadInput:
            return
    assert image.shape == (where["plot_height"], where["plot_width"]) and image.dims == ("b", "a")
    assert (image.attrs["x_range"], image.attrs["y_range"]) == (where["x_range"], where["y_range"])


@pytest.mark.parametrize("glyph", ["line", "area"])
def test_lines_of_lists_are_those_of_datashader(glyph: str) -> None:
    """By the cells, although its own way would do."""
    rng = np.random.default_rng(4)
    where: dict[str, Any] = {"plot_width": 7, "plot_height": 5, "x_range": (0.25, 8.0), "y_range": (0.25, 8.0)}
    with whole() as module:
        table = pd.DataFrame({name: lists(module, rng.uniform(0.3, 7.5, 9), [4, 0, 5]) for name in "ab"})
        canvas, agg = Canvas(**where), module.count()
        expected = getattr(canvas, glyph)(table, "a", "b", agg=agg, axis=1)
        with mock.patch("bigviz.aggregate.canvas.in_cells.Side.is_safe", return_value=False):
            assert getattr(canvas, glyph)(table, "a", "b", agg=agg, axis=1).identical(expected)
    assert expected.values.sum() > 9


def test_narrow_and_empty_lists_have_no_ends_that_wrap_around() -> None:
    canvas = Canvas(5, 5, (1, 4), (1, 4))
    for flat in (np.array([1, 5, 0, 4], np.uint8), np.array([1, 5, 0, np.inf], np.float32), np.empty(0)):
        one = flat.astype(float)
        expected = canvas.line(pd.DataFrame({"a": one, "b": one}), "a", "b").values if len(flat) else np.zeros((5, 5))
        with whole() as module:
            table = pd.DataFrame({name: lists(module, flat, [len(flat)]) for name in "ab"})
            np.testing.assert_array_equal(canvas.line(table, "a", "b", axis=1).values, expected)


def triangles(columns: list[float]) -> tuple[pd.DataFrame, pd.DataFrame]:
    places = np.resize(columns, (2, 6))
    vertices = pd.DataFrame({"east": places[0], "north": places[1], "z": np.arange(6.0)})
    return vertices, pd.DataFrame({"v0": [0, 3, 1], "v1": [1, 4, 5], "v2": [2, 5, 3]})


@pytest.mark.parametrize("interpolate", ["linear", "nearest"])
@COMMON
@given(where=options(), places=st.lists(st.sampled_from(NUMBERS), min_size=12, max_size=12))
def test_no_triangle_leaves_the_image(interpolate: str, where: dict[str, Any], places: list[float]) -> None:
    """On logarithmic axes datashader fills a row and a column after the last."""
    vertices, simplices = triangles(places)
    if not all(math.isfinite(place) for place in places):  # Python has no whole number for them, other than machines
        where |= {f"{role}_axis_type": "log" for role in "xy"}
        where |= {f"{role}_range": (0.5, 100.0) for role in "xy"}
    with np.errstate(all="ignore"), whole():
        try:
            image = Canvas(**where).trimesh(vertices, simplices, interpolate=interpolate)
        except BadInput:
            return
    assert image.shape == (where["plot_height"], where["plot_width"]) and image.dims == ("north", "east")


@pytest.mark.parametrize("ready", [False, True])
def test_triangles_on_logarithmic_axes_are_those_of_logarithms(ready: bool) -> None:
    """Up to the last row and column, and none after it."""
    vertices, simplices = triangles([1, 100, 2000, 3, 5, 900, 1, 30, 2, 2000, 1, 70])
    where: dict[str, Any] = {"plot_width": 6, "plot_height": 5, "x_range": (1.0, 1000.0), "y_range": (1.0, 1000.0)}
    logs = vertices.assign(east=np.log10(vertices["east"]), north=np.log10(vertices["north"]))
    with whole() as module:
        more = {"mesh": module.utils.mesh(vertices, simplices)} if ready else {}
        got = Canvas(**where, x_axis_type="log", y_axis_type="log").trimesh(vertices, simplices, **more)
        with pytest.raises(IndexError):
            module.Canvas(**where, x_axis_type="log", y_axis_type="log").trimesh(vertices, simplices)
        where |= {"x_range": (0.0, 3.0), "y_range": (0.0, 3.0)}
        expected = Canvas(**where).trimesh(logs, simplices)
    np.testing.assert_allclose(got.values, expected.values, rtol=1e-9)
    assert got.attrs["x_range"] == (1.0, 1000.0) and got["east"].values[0] == pytest.approx(10**0.25)


def test_an_edge_of_an_area_is_not_walked_along_from_a_galaxy_away() -> None:
    """By datashader itself that takes an hour."""
    frame = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0], "b": [1.0, 1e13, 1.0, -1e200]})
    where: dict[str, Any] = {"plot_width": 8, "plot_height": 5, "x_range": (1.0, 4.0), "y_range": (-2.0, 3.0)}
    image = Canvas(**where).area(frame, "a", "b")
    near = Canvas(**where).area(frame.clip(-1e4, 1e4), "a", "b")
    assert image.values.sum() > 10 and np.count_nonzero(image.values != near.values) <= 2


class Geometries:
    """A column of geometries, as far as its bounds are asked for."""

    def __init__(self, *bounds: float) -> None:
        self.total_bounds = bounds


@pytest.mark.parametrize(
    ("glyph", "bounds", "more", "safe"),
    [
        ("line", (0, 0, 5, 5), {}, True),
        ("line", (0, 0, math.inf, 5), {}, False),
        ("line", (-1e300, 0, 5, 5), {}, False),
        ("points", (-1e300, 0, math.inf, 5), {}, True),
        ("line", (1, 1, 5, 5), {"x_axis_type": "log", "line_width": 2}, False),
        ("points", (0, 0, 5, 5), {"x_range": (1.0, 1.0 + 2.0**-51)}, False),
    ],
)
def test_geometries_that_cannot_be_drawn_are_refused(
    glyph: str, bounds: tuple[float, ...], more: dict[str, Any], safe: bool
) -> None:
    """Their vertices are not given to datashader in cells."""
    where = {"plot_width": 9, "plot_height": 4, "x_range": (1.0, 4.0), "y_range": None}
    where |= {"x_axis_type": "linear", "y_axis_type": "linear"} | more
    arguments = {"geometry": "shape", "line_width": where.pop("line_width", 0)}
    if safe:
        check_geometries(where, glyph, {"shape": Geometries(*bounds)}, arguments)
        return
    with pytest.raises(BadInput, match="x_range"):
        check_geometries(where, glyph, {"shape": Geometries(*bounds)}, arguments)


class Polygons(pd.Series):  # type: ignore[type-arg]
    """A column of polygons of spatialpandas, as far as it is asked for."""

    total_bounds = (0.0, 0.0, 5.0, 5.0)

    @property
    def array(self) -> Any:
        return SimpleNamespace(buffer_values=self.to_numpy())


def test_polygons_with_unknown_coordinates_are_refused() -> None:
    """datashader takes NaN for a cell, and writes there."""
    where = {"plot_width": 9, "plot_height": 4, "x_range": (1.0, 4.0), "y_range": None}
    where |= {"x_axis_type": "linear", "y_axis_type": "linear"}
    known, unknown = Polygons([0.0, 5.0]), Polygons([0.0, math.nan])
    check_geometries(where, "polygons", {"shape": known}, {"geometry": "shape"})
    check_geometries(where, "line", {"shape": unknown}, {"geometry": "shape"})
    with pytest.raises(BadInput, match="some are NaN"):
        check_geometries(where, "polygons", {"shape": unknown}, {"geometry": "shape"})


def test_what_is_no_column_of_geometries_is_left_to_datashader() -> None:
    check_geometries({}, "line", pd.DataFrame({"a": [1.0]}), {"geometry": "a"})
