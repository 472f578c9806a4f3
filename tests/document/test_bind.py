"""Documents and the tables that they name."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest

import bigviz as bv
from bigviz.common.errors import BadInput, NotFound, Unplottable
from bigviz.document.bind import bind, require_bound
from bigviz.document.json import from_json

LAYER = {"id": "f0-0", "dataset": "rows", "glyph": "points", "x": "when", "y": "a", "agg": "mean(b)"}
FIGURE = {"id": "f0", "type": "figure", "x_range": "x0", "y_range": "y0", "layers": [LAYER]}
FIGURE |= {"x_axis": {"kind": "auto"}, "y_axis": {"kind": "auto", "zone": "UTC"}}
DOCUMENT: dict[str, Any] = {"format": 2, "id": "d", "title": "", "datasets": ["rows"], "layout": FIGURE}
DOCUMENT["ranges"] = {"x0": {"start": 0, "end": 2e9}, "y0": {"start": 0, "end": 2.5}}


def changed(**layer: str) -> bv.Document:
    value = copy.deepcopy(DOCUMENT)
    value["layout"]["layers"][0] |= layer
    return from_json(value)


def test_what_is_left_to_the_columns_is_filled_in(rows: bv.Dataset):
    made = bind(from_json(DOCUMENT), {"rows": rows, "another": rows})
    (spec,) = made.figures()
    assert (spec.x_axis.kind, spec.x_axis.zone) == ("datetime", "Europe/Paris")
    assert (spec.y_axis.kind, spec.y_axis.zone) == ("linear", "UTC")
    assert (made.ranges["x0"].start, made.ranges["x0"].end) == ("0", "2000000000")
    assert (made.ranges["y0"].start, made.ranges["y0"].end) == (0, 2.5)
    assert made.sources == {"rows": rows} and bind(made, {"rows": rows}) == made


def test_it_is_what_the_tables_themselves_would_have_made(rows: bv.Dataset, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plots = [
        bv.document(bv.figure(x_range=(None, 7)).points(source, "when", "a").line(source, "when", "b"))
        for source in (rows, "rows")
    ]
    assert plots[0] != plots[1] and bind(plots[1], {"rows": rows}) == plots[0]


def test_each_column_is_looked_up_once_however_many_layers_show_it(rows: bv.Dataset, monkeypatch):
    asked: list[str] = []
    info = bv.Dataset.info
    monkeypatch.setattr(bv.Dataset, "info", lambda self, name: asked.append(name) or info(self, name))
    lengths = []
    for count in (1, 50):
        layers = [{**LAYER, "id": f"f0-{number}"} for number in range(count)]
        asked.clear()
        made = bind(from_json({**DOCUMENT, "layout": {**FIGURE, "layers": layers}}), {"rows": rows})
        assert len(made.layers()) == count and {"when", "a"} <= set(asked)
        lengths.append(len(asked))
    assert lengths[0] == lengths[1]


def test_one_wrong_layer_among_equal_ones_is_found(rows: bv.Dataset):
    layers = [{**LAYER, "id": f"f0-{number}", "agg": "mean(b)" if number != 7 else "mean(word)"} for number in range(9)]
    with pytest.raises(BadInput, match="word"):
        bind(from_json({**DOCUMENT, "layout": {**FIGURE, "layers": layers}}), {"rows": rows})


def test_an_empty_figure_has_linear_axes():
    made = bv.document(bv.figure())
    assert made.figures()[0].x_axis.kind == "linear" and bind(made, {}) == made


@pytest.mark.parametrize(
    ("layer", "error", "field"),
    [
        ({"x": "wen"}, NotFound, "x"),
        ({"y": "list"}, Unplottable, "y"),
        ({"agg": "mean(word)"}, BadInput, "agg"),
        ({"agg": "mode(a)"}, BadInput, "agg"),
        ({"glyph": "line"}, BadInput, "agg"),
    ],
)
def test_layers_are_checked_against_their_columns(rows: bv.Dataset, layer: dict[str, str], error: type, field: str):
    with pytest.raises(error) as told:
        bind(changed(**layer), {"rows": rows})
    assert told.value.field == field


def test_axes_that_their_columns_cannot_have(rows: bv.Dataset):
    for kind, match in (("log", "holds times"), ("datetime", None)):
        made = from_json(DOCUMENT)
        figure = made.figures()[0]
        made = replace(made, layout=replace(figure, x_axis=replace(figure.x_axis, kind=kind)))
        if match:
            with pytest.raises(BadInput, match=match):
                bind(made, {"rows": rows})
        else:
            assert bind(made, {"rows": rows}).figures()[0].x_axis.kind == kind


def test_a_range_of_times_has_whole_nanoseconds(rows: bv.Dataset):
    made = from_json({**DOCUMENT, "ranges": {**DOCUMENT["ranges"], "x0": {"start": 0.25, "end": 0.5}}})
    with pytest.raises(BadInput, match=r"whole nanoseconds, got 0\.25 to 0\.5"):
        bind(made, {"rows": rows})


def test_a_dataset_that_is_not_there(rows: bv.Dataset):
    with pytest.raises(NotFound, match="Did you mean 'row'") as told:
        bind(from_json(DOCUMENT), {"row": rows})
    assert (told.value.field, told.value.got) == ("dataset", "rows")


def test_a_name_is_not_served_without_its_server(rows: bv.Dataset, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    require_bound(bind(from_json(DOCUMENT), {"rows": rows}))
    with pytest.raises(NotFound, match="no file 'trips'") as told:
        bv.serve(bv.figure().points("trips", "x", "y"), port=0, block=False)
    assert (told.value.field, told.value.got) == ("dataset", "trips")
