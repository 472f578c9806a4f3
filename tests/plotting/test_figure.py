"""`bigviz.plotting.figure`: Bokeh's names, and what each draws."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd
import pytest

import bigviz as bv
from bigviz.document.spec import LayerSpec
from bigviz.plotting import Figure, figure

X, Y = [1, 2, 3], [4, 6, 5]


def layer_of(p: Figure) -> LayerSpec:
    (source,) = [each for each, _ in p.sources()]
    return bv.document(p.build({source: source.table()})).layers()[0][1]


def test_a_lines_options():
    p = figure()
    p.line(X, Y, line_width=3, line_color="red", line_alpha=0.5, line_dash="4 2", legend="orders")
    layer = layer_of(p)
    assert (layer.glyph, layer.line_width, layer.color, layer.alpha) == ("line", 3, "red", 0.5)
    assert (layer.line_dash, layer.legend_label) == ((4, 2), "orders")


@pytest.mark.parametrize("marker", ["circle", "square", "diamond", "triangle", "cross", "x"])
def test_marks(marker: str):
    own, any_ = figure(), figure()
    options = {"size": 8, "fill_color": "navy", "line_color": None, "alpha": 0.2, "legend_label": "a"}
    getattr(own, marker)(X, Y, **options)
    any_.scatter(X, Y, marker=marker, **options)
    for p in (own, any_):
        layer = layer_of(p)
        assert (layer.glyph, layer.size, layer.color, layer.alpha) == ("points", 8, "navy", 0.2)
        assert layer.marker == marker and layer.legend_label == "a"


def test_marks_have_bokehs_size():
    p = figure()
    p.circle(X, Y)
    assert layer_of(p).size == 4


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"line_widht": 2}, "line has no option 'line_widht'. Did you mean line_width?"),
        (
            {"tools": "pan"},
            "It has alpha, color, legend, legend_label, line_alpha, line_color, line_dash, line_width, name",
        ),
        ({"color": "red", "line_color": "blue"}, "line has one color: color='red' and line_color='blue' differ"),
        ({"color": "redd"}, "redd"),
        ({"line_width": -1}, "line_width"),
        ({"line_dash": "4 x"}, "line_dash is a pattern's name or lengths"),
        ({"alpha": 2}, "alpha"),
    ],
)
def test_wrong_options_are_told_at_the_call(options: dict, said: str):
    p = figure()
    with pytest.raises(bv.BadInput) as error:
        p.line(X, Y, **options)
    assert said in error.value.message and p.renderers == []


def test_wrong_data_is_told_at_the_call():
    p = figure()
    for x, y, said in (
        (X, [1], "x has 3, y has 1"),
        (3, Y, "a list or an array"),
        ("abc", Y, "a list or an array"),
        ([3, 1, 2], Y, "x goes back from 3 to 1: sort the rows by x, or draw marks"),
    ):
        with pytest.raises(bv.BadInput, match=said):
            p.line(x, y)
    with pytest.raises(bv.BadInput, match="marker is one of"):
        p.scatter(X, Y, marker="star")
    p.circle([3, 1, 2], Y)
    p.line([1, float("nan"), 2], Y)


def test_figures_options():
    p = figure(title="T", width=300, plot_height=200, x_axis_label="day", x_axis_type="datetime", y_range=(0, 9))
    p.line([datetime(2024, 1, 1), datetime(2024, 1, 2)], np.array([1.0, 2.0]))
    (source,) = [each for each, _ in p.sources()]
    (made,) = bv.document(p.build({source: source.table()})).figures()
    assert (made.title, made.width, made.height, made.x_axis.label, made.x_axis.kind) == (
        "T",
        300,
        200,
        "day",
        "datetime",
    )
    with pytest.raises(bv.BadInput, match=r"figure has no option 'tools'. It has height, plot_height"):
        figure(tools="pan")
    with pytest.raises(bv.BadInput, match="x_axis_type"):
        figure(x_axis_type="logarithmic")


def test_columns_are_the_scripts_own_copies():
    y, frame = np.array([1.0, 2.0]), pd.Series([1, 2])
    p = figure()
    made = p.line(frame, y)
    y[0] = 9
    assert list(made.data_source.data["y"]) == [1, 2] and list(made.data_source.data["x"]) == [1, 2]
    table = made.data_source.table()
    made.data_source.data["y"][0] = 7
    assert table.column("y").values[0] == 1


def test_select():
    p = figure()
    first, _ = p.line(X, Y, name="a"), p.circle(X, Y, name="b")
    assert p.select({"name": "a"}) == [first] == p.select("a") and p.select("c") == []
    with pytest.raises(bv.BadInput, match="finds glyphs by name"):
        p.select({"type": "Line"})
