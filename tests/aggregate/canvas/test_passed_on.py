"""What `Canvas` leaves to datashader reaches it as it was asked for."""

from __future__ import annotations

from typing import Any

import datashader as ds
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import xarray as xr

from bigviz.aggregate.canvas.canvas import Canvas

from ...unoptimised import unoptimised

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
