"""What the command line makes of a table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import bigviz as bv
from bigviz.aggregate.layer import Layer
from bigviz.commands.info import summary
from bigviz.common.errors import BadInput, NotFound
from bigviz.render import colormaps
from bigviz.server.jobs.layer_json import hello
from bigviz.server.limits import Limits
from bigviz.server.run import loading
from bigviz.server.run.index_options import Storage
from bigviz.server.run.loading import Columns, demo_documents, document_of
from bigviz.tiles.store.catalog import directory
from bigviz.wire.frames import json_parts

ROWS = 50
RNG = np.random.default_rng(4)


def opened(**columns: object) -> bv.Dataset:
    return bv.open(pa.table(columns), name="t")


@pytest.fixture
def places() -> bv.Dataset:
    return opened(lon=RNG.uniform(-10, 10, ROWS), lat=RNG.uniform(40, 50, ROWS), speed=RNG.random(ROWS))


@pytest.fixture
def ticks() -> bv.Dataset:
    return opened(at=pa.array(np.arange(ROWS), pa.timestamp("s")), price=RNG.random(ROWS), size=RNG.random(ROWS))


def shown(dataset: bv.Dataset, **columns: str) -> tuple:
    ((figure, layer),) = document_of(dataset, "t", Columns(**columns)).layers()
    return layer.glyph, layer.x, layer.y, layer.agg, figure.x_axis.kind, figure.y_axis.kind


def test_degrees_are_drawn_on_the_map(places: bv.Dataset):
    assert shown(places) == ("points", "lon", "lat", "count", "mercator", "mercator")
    assert shown(places, agg="mean(speed)")[3:] == ("mean(speed)", "mercator", "mercator")
    assert shown(places, x="lon", y="speed") == ("points", "lon", "speed", "count", "linear", "linear")
    assert shown(places, x="lon", y="lat")[4:] == ("linear", "linear"), "columns that are said are drawn as they are"


def test_a_map_below_degrees(places: bv.Dataset, ticks: bv.Dataset):
    below = {"basemap": "https://tile.example/{z}/{x}/{y}.png", "attribution": "Map makers"}
    ((figure, _),) = document_of(places, "t", Columns(**below)).layers()
    assert figure.basemap and vars(figure.basemap) == {
        "url": below["basemap"],
        "attribution": "Map makers",
        "max_zoom": 19,
    }
    assert shown(places, x="lon", y="lat", **below)[4:] == ("mercator", "mercator")
    with pytest.raises(BadInput, match="no columns that are longitude and latitude"):
        document_of(ticks, "t", Columns(**below))
    with pytest.raises(BadInput, match="needs attribution"):
        document_of(places, "t", Columns(basemap=below["basemap"]))
    with pytest.raises(BadInput, match="mercator"):
        document_of(places, "t", Columns(xaxis="linear", **below))


def test_times_are_a_line_unless_cells_are_asked_for(ticks: bv.Dataset):
    assert shown(ticks) == ("line", "at", "price", "any", "datetime", "linear")
    assert shown(ticks, agg="max(size)") == ("points", "at", "price", "max(size)", "datetime", "linear")
    assert shown(ticks, glyph="points")[:4] == ("points", "at", "price", "count")
    assert shown(ticks, y="size")[:3] == ("line", "at", "size")
    assert shown(ticks, x="price", y="size", glyph="line")[:4] == ("line", "price", "size", "any")


def test_a_line_has_no_other_reduction(ticks: bv.Dataset):
    with pytest.raises(BadInput, match="line"):
        document_of(ticks, "t", Columns(glyph="line", agg="mean(price)"))


def test_axes_that_are_said(places: bv.Dataset, ticks: bv.Dataset):
    assert shown(places, x="lat", y="speed", yaxis="log")[4:] == ("linear", "log")
    assert shown(places, xaxis="linear", yaxis="linear")[1:] == ("lon", "lat", "count", "linear", "linear")
    assert shown(ticks, yaxis="log")[4:] == ("datetime", "log")
    with pytest.raises(BadInput, match="log axis"):
        document_of(ticks, "t", Columns(xaxis="log"))
    with pytest.raises(BadInput, match="mercator"):
        document_of(places, "t", Columns(x="speed", y="lat", yaxis="mercator"))


def test_columns_that_are_not_there(ticks: bv.Dataset):
    with pytest.raises(NotFound, match="'price'"):
        document_of(ticks, "t", Columns(y="pric"))


def test_the_demo_shares_its_tables(tmp_path):
    paths = []
    for name, table in (
        ("points", {"x": [1.0], "y": [2.0]}),
        ("walk", {"time": pa.array([1], "timestamp[ns]"), "value": [1.0]}),
    ):
        paths.append(str(tmp_path / f"{name}.parquet"))
        pq.write_table(pa.table(table), paths[-1])
    both, points, walk = demo_documents(*paths).documents
    assert [each.id for each in (both, points, walk)] == ["demo", "points", "walk"]
    assert both.sources["points"] is points.sources["points"] and both.sources["walk"] is walk.sources["walk"]


def test_the_summary(tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"a": [1, 2], "list": [[1], [2]], "b": [1.0, 2.0]}), path)
    lines = summary(str(path)).splitlines()
    assert lines[0] == "t: 2 rows, 3 columns" and "list<element: int64>  (cannot be plotted)" in lines[2]
    assert lines[-1] == "Shown without --x and --y: line of a and b."
    pq.write_table(pa.table({"a": [1, 2]}), path)
    assert "needs two columns" in summary(str(path)).splitlines()[-1]


def test_a_wide_table_in_the_greeting(tmp_path):
    """10,000 columns: a greeting of about a hundred bytes a column, in frames of at most 1 MiB."""
    path = tmp_path / "wide.parquet"
    pq.write_table(pa.table({f"sensor {number}": RNG.random(20) for number in range(10_000)}), path)
    document = document_of(bv.open(path), "wide", Columns())
    assert [layer.x for _, layer in document.layers()] == ["sensor 0"]
    parts = json_parts(hello(document, Limits(), {}), colormaps.body())
    sizes = [len(part.json) + len(part.body) for part in parts]
    assert max(sizes) < 1 << 20 and sum(sizes) < 1_200_000
    assert len(summary(str(path)).splitlines()) == 10_002


def test_a_user_without_a_place_for_indexes_is_served_without(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    def nowhere() -> Path:
        raise BadInput("There is no home directory.", "store-dir")

    monkeypatch.setattr(directory, "default_root", nowhere)
    with caplog.at_level("WARNING", "bigviz"):
        engine = loading.engine_of(Storage())
        loading.engine_of(Storage(tmp_path))
    assert engine.info(opened(x=[1.0], y=[2.0]), Layer("points", "x", "y")).rows == 1
    assert caplog.messages == ["Indexes are neither used nor kept: There is no home directory."]
