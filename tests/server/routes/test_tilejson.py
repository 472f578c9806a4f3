"""`tilejson.json`, and which layer an address means."""

from __future__ import annotations

import json
from urllib.parse import quote

import numpy as np
import pyarrow as pa
import pytest

from bigviz.aggregate.layer import Layer
from bigviz.document.document import document
from bigviz.document.figure import figure

from ..running import Running, running
from .answers import MORE, L, failure, npy, pixels


@pytest.mark.parametrize("number", ["1", "99", "-1", "x", "1e3", "00000000000000000001", "٣"])
def test_layers_that_are_not_there(served: Running, number):
    found = failure(served, f"/points/layers/{quote(number)}/tilejson.json", 404)
    assert found["field"] == "layer" and "0 to 0" in found["error"]


def test_tilejson(served: Running, dataset):
    served.engine.ensure(dataset, Layer("points", "x", "y", "count"))  # routes answer before the index is whole
    found = json.loads(served.get(f"{L}/tilejson.json").body)
    x, y = (dataset.column(name).values for name in ("x", "y"))
    assert found["tilejson"] == "3.0.0" and (found["minzoom"], found["maxzoom"]) == (0, 24)
    assert found["tiles"] == [served.url + "points/layers/0/tiles/{z}/{x}/{y}.png"]
    assert found["range"] == [float(x.min()), float(y.min()), float(x.max()), float(y.max())]
    assert (found["rows"], found["rows_outside"], found["rows_far"]) == (100_000, 0, 0)
    assert (found["index"], found["reduction"]) == ("ready", "count")
    assert (found["version"], found["data_version"]) == ("1.0.0", 1), "TileJSON wants x.y.z as a version"
    assert found["extent"][0] <= found["range"][0] and "bounds" not in found
    assert found["attribution"] == "Points"


def test_a_name_is_shown_by_maps_as_html(dataset):
    made = figure(title='<img src=x onerror="alert(1)"> & more').points(dataset, "x", "y")
    with running([document(made, id="points")]) as server:
        found = json.loads(server.get(f"{L}/tilejson.json").body)
        assert found["attribution"] == "&lt;img src=x onerror=&quot;alert(1)&quot;&gt; &amp; more"


def test_tilejson_with_other_columns(served: Running):
    found = json.loads(served.get(f"{L}/tilejson.json?x=t&agg=mean(value)").body)
    assert found["reduction"] == "mean(value)" and isinstance(found["range"][0], str)
    assert found["tiles"][0].endswith("{y}.png?x=t&agg=mean(value)")
    line = json.loads(served.get("/line/layers/0/tilejson.json").body)
    assert line["reduction"] == "any" and isinstance(line["range"][1], float)
    back = json.loads(served.get("/line/layers/0/tilejson.json?glyph=points").body)
    assert back["reduction"] == "count"


def test_mercator_has_bounds_and_center_in_degrees(served: Running, dataset):
    found = json.loads(served.get(f"{L}/tilejson.json?xaxis=mercator&yaxis=mercator").body)
    x, y = (dataset.column(name).values.astype(float) for name in ("x", "y"))
    np.testing.assert_allclose(found["bounds"], [x.min(), y.min(), x.max(), y.max()], atol=1e-6)
    west, south, east, north = found["bounds"]
    assert west < x.min() and south < y.min() and east > x.max() and north > y.max()
    lon, lat, zoom = found["center"]
    assert west < lon < east and south < lat < north and 0 < zoom <= 16
    assert found["extent"] == [0.0, 0.0, 1.0, 1.0]


def test_layers_are_counted_depth_first(served: Running):
    kinds = [json.loads(served.get(f"{MORE}/layers/{n}/tilejson.json").body)["reduction"] for n in range(3)]
    assert kinds == ["count", "any", "mean(value)"]


def test_documents_without_layers_or_rows(table: pa.Table):
    empty = figure(title="Empty").points(table.slice(0, 0), "x", "y")
    with running([document(figure(title="Nothing"), id="nothing"), document(empty, id="empty")]) as server:
        assert "it has none" in failure(server, "/nothing/layers/0/tilejson.json", 404)["error"]
        found = json.loads(server.get("/empty/layers/0/tilejson.json").body)
        assert found["range"] is None and found["rows"] == 0
        assert not npy(server.get("/empty/layers/0/tiles/0/0/0.npy").body).any()
        assert not pixels(server.get("/empty/layers/0/tiles/0/0/0.png").body).any()
