"""The HTTP routes on a real server."""

from __future__ import annotations

import io
import json
import math
import re
from urllib.parse import quote

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bigviz.aggregate.layer import Layer
from bigviz.document.document import document
from bigviz.document.figure import figure
from bigviz.render.colormaps import lut
from bigviz.server.limits import Limits
from bigviz.tiles.engine import Engine
from bigviz.tiles.grid.tile_key import TileKey

from .running import Running, running

L = "/points/layers/0"
MORE = "/all%20of%20them%20%26%20%3Cmore%3E"
WINDOW = "x0=-1&x1=1&y0=-1&y1=2"


def npy(body: bytes) -> np.ndarray:
    return np.load(io.BytesIO(body), allow_pickle=False)


def table(body: bytes) -> pa.Table:
    return pa.ipc.open_file(pa.BufferReader(body)).read_all()


def failure(served: Running, path: str, status: int) -> dict:
    """The JSON of an error answer, which has one form everywhere."""
    answer = served.get(path)
    assert answer.status == status, (path, answer.status, answer.body)
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    found = json.loads(answer.body)
    assert set(found) == {"error", "field", "got"} and found["error"]
    assert served.get("/healthz").status == 200
    return found


def test_the_list(served: Running):
    page = served.get("/").body.decode()
    assert '<a href="points/">' in page and '<span class="card-name">Points</span>' in page
    assert '<a href="all%20of%20them%20%26%20%3Cmore%3E/">' in page and "all of them &amp; &lt;more&gt;</span>" in page
    documents = json.loads(served.get("/", Accept="application/json").body)["documents"]
    assert [each["name"] for each in documents] == ["points", "all of them & <more>", "line", "by"]
    assert documents[1]["url"] == "all%20of%20them%20%26%20%3Cmore%3E/"
    assert (documents[1]["rows"], documents[1]["columns"]) == (100_000, 8)
    assert served.get("/" + documents[1]["thumbnail"]).status == 200


def test_the_page_and_the_way_to_it(served: Running):
    answer = served.get("/points")
    assert (answer.status, answer.headers["Location"]) == (301, "points/")
    page = served.get("/points/")
    assert page.status == 200 and page.body.startswith(b"<!doctype html>") and b"importmap" in page.body
    assert served.get(MORE + "/").body == page.body
    assert served.get(MORE).headers["Location"] == "all%20of%20them%20%26%20%3Cmore%3E/"
    assert served.get("/points/", If_None_Match=page.headers["Etag"]).status == 304


@pytest.mark.parametrize(
    "path", ["/nope", "/nope/", "/nope/layers/0/tilejson.json", "/_/nope", "/_", "/points/nope", "/a/b/c"]
)
def test_what_is_not_there(served: Running, path):
    assert failure(served, path, 404)["error"].startswith("There is no")


@pytest.mark.parametrize(
    ("path", "root", "words"),
    [
        ("/point", "", "named “point”"),
        ("/pionts/", "../", "named “pionts”"),
        ("/%3Cb%3Epoints/", "../", "named “&lt;b&gt;points”"),
        ("/a/b/c", "../../", "nothing at this address"),
        ("/_/nope", "../", "nothing at this address"),
    ],
)
def test_an_unknown_address_is_a_page_to_those_who_read_pages(served: Running, path: str, root: str, words: str):
    answer = served.get(path, Accept="text/html,application/xhtml+xml;q=0.9,*/*;q=0.8")
    page = answer.body.decode()
    assert (answer.status, answer.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert answer.headers["Vary"] == "Accept" and answer.headers["X-Frame-Options"] == "DENY"
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert words in page and f'href="{root or "./"}">All plots</a>' in page
    assert (f'<a href="{root}points/">Points</a>' in page) == ("oint" in path or "pionts" in path)
    assert served.get("/points/layers/9/tilejson.json", Accept="text/html").body.startswith(b"{"), "not of data"


@pytest.mark.parametrize("number", ["1", "99", "-1", "x", "1e3", "00000000000000000001", "٣"])
def test_layers_that_are_not_there(served: Running, number):
    found = failure(served, f"/points/layers/{quote(number)}/tilejson.json", 404)
    assert found["field"] == "layer" and "0 to 0" in found["error"]


def test_healthz_and_metrics(served: Running):
    health = json.loads(served.get("/healthz").body)
    assert health == {"ok": True, "loaded": True, "documents": 4, "viewers": 0}
    served.get(f"{L}/tiles/0/0/0.npy")
    text = served.get("/metrics").body.decode()
    assert 'bigviz_http_requests_total{route="tiles",status="200"}' in text
    assert "bigviz_memory_bytes" in text and "points" not in text


def test_tilejson(served: Running, dataset):
    served.engine.ensure(dataset, Layer("points", "x", "y", "count"))  # routes answer before the index is whole
    found = json.loads(served.get(f"{L}/tilejson.json").body)
    x, y = (dataset.column(name).values for name in ("x", "y"))
    assert found["tilejson"] == "3.0.0" and (found["minzoom"], found["maxzoom"]) == (0, 24)
    assert found["tiles"] == [served.url + "points/layers/0/tiles/{z}/{x}/{y}.png"]
    assert found["range"] == [float(x.min()), float(y.min()), float(x.max()), float(y.max())]
    assert (found["rows"], found["rows_outside"], found["rows_far"]) == (100_000, 0, 0)
    assert (found["index"], found["reduction"], found["version"]) == ("ready", "count", 1)
    assert found["extent"][0] <= found["range"][0] and "bounds" not in found


def test_tilejson_with_other_columns(served: Running):
    found = json.loads(served.get(f"{L}/tilejson.json?x=t&agg=mean(value)").body)
    assert found["reduction"] == "mean(value)" and isinstance(found["range"][0], str)
    assert found["tiles"][0].endswith("{y}.png?x=t&agg=mean(value)")
    line = json.loads(served.get("/line/layers/0/tilejson.json").body)
    assert line["reduction"] == "any" and isinstance(line["range"][1], float)
    back = json.loads(served.get("/line/layers/0/tilejson.json?glyph=points").body)
    assert back["reduction"] == "count"


def test_mercator_has_bounds_in_degrees(served: Running):
    found = json.loads(served.get(f"{L}/tilejson.json?xaxis=mercator&yaxis=mercator").body)
    assert found["bounds"] == [-180.0, -85.0511287798066, 180.0, 85.0511287798066]
    assert found["extent"] == [0.0, 0.0, 1.0, 1.0]


def test_layers_are_counted_depth_first(served: Running):
    kinds = [json.loads(served.get(f"{MORE}/layers/{n}/tilejson.json").body)["reduction"] for n in range(3)]
    assert kinds == ["count", "any", "mean(value)"]


def test_tiles_sum_to_the_rows_and_row_0_is_the_highest(served: Running, dataset):
    info = json.loads(served.get(f"{L}/tilejson.json").body)
    x0, y0, x1, y1 = info["extent"]
    x, y = (dataset.column(name).values.astype(float) for name in ("x", "y"))
    total = 0
    for i in range(2):
        for j in range(2):
            plane = npy(served.get(f"{L}/tiles/1/{i}/{j}.npy").body)
            assert plane.dtype == np.uint32 and plane.shape == (256, 256)
            total += int(plane.sum())
            inside = (x >= (x0 + x1) / 2) == (i == 1)
            inside &= (y < (y0 + y1) / 2) == (j == 1)
            assert plane.sum() == inside.sum()
    assert total == info["rows"] - info["rows_outside"] - info["rows_far"]


def test_levels_of_both_axes(served: Running, dataset):
    wide = npy(served.get(f"{L}/tiles/2,0/1/0.npy").body)
    engine, layer = Engine(), Layer("points", "x", "y")
    engine.ensure(dataset, layer)
    np.testing.assert_array_equal(wide, engine.tile(dataset, layer, TileKey(2, 0, 1, 0)).arrays()[0])
    np.testing.assert_array_equal(
        npy(served.get(f"{L}/tiles/1,1/0/1.npy").body), npy(served.get(f"{L}/tiles/1/0/1.npy").body)
    )


def test_tile_arrow(served: Running):
    found = table(served.get(f"{L}/tiles/1/0/1.arrow").body)
    plane = npy(served.get(f"{L}/tiles/1/0/1.npy").body)
    assert found.column_names == ["count"] and found.num_rows == 65_536
    np.testing.assert_array_equal(found["count"].to_numpy(), plane.ravel())
    assert {key.decode(): int(value) for key, value in found.schema.metadata.items()} == {
        "z": 1,
        "i": 0,
        "j": 1,
        "version": 1,
    }
    deep = table(served.get(f"{L}/tiles/2,0/1/0.arrow").body).schema.metadata
    assert deep[b"zx"] == b"2" and deep[b"zy"] == b"0"
    mean = table(served.get(f"{L}/tiles/0/0/0.arrow?agg=mean(value)").body)["mean(value)"]
    assert mean.type == pa.float64() and mean.null_count > 0


def test_payload_types(served: Running):
    def get(agg: str) -> np.ndarray:
        return npy(served.get(f"{L}/tiles/0/0/0.npy?agg={agg}").body)

    count = get("count")
    assert get("sum(n)").dtype == np.int64 and get("sum(value)").dtype == np.float64
    mean = get("mean(value)")
    assert mean.dtype == np.float64 and (np.isnan(mean) == (count == 0)).all()
    assert get("min(value)").dtype == np.float32
    by = npy(served.get("/by/layers/0/tiles/0/0/0.npy").body)
    assert by.shape == (256, 256, 3) and by.dtype == np.uint32
    np.testing.assert_array_equal(by.sum(axis=2), count)
    labels = table(served.get("/by/layers/0/tiles/0/0/0.arrow").body).column_names
    assert labels == ["<b>c</b>", "a", "b"]


def test_etags_are_strong_and_cover_everything(served: Running):
    paths = [
        f"{L}/tiles/1/0/1.npy",
        f"{L}/tiles/1/0/1.png",
        f"{L}/tiles/1/0/1.png?cmap=bgy",
        f"{L}/tiles/1/0/1.arrow",
        f"{L}/tiles/1/1/1.npy",
        f"{L}/tiles/1,0/1/0.npy",
        f"{L}/tiles/1/0/1.npy?agg=mean(value)",
        f"{L}/tiles/1/0/1.npy?y=n",
        f"{L}/tiles/1/0/1.npy?root=full",
        f"{L}/tilejson.json",
        f"{L}/image.npy?{WINDOW}&width=10&height=10",
        f"{L}/image.npy?{WINDOW}&width=10&height=11",
        f"{L}/rows.arrow?{WINDOW}",
        f"{L}/rows.arrow?{WINDOW}&limit=7",
        "/line/layers/0/columns.arrow?x0=1700000000000000000&x1=1700000000100000000&width=4",
    ]
    tags = []
    for path in paths:
        answer = served.get(path)
        assert answer.status == 200, (path, answer.body)
        tags.append(answer.headers["Etag"])
        assert tags[-1].startswith('"')
        again = served.get(path, If_None_Match=tags[-1])
        assert (again.status, again.body) == (304, b"") and again.headers["Etag"] == tags[-1]
    assert len(set(tags)) == len(tags)
    assert served.get(f"{L}/tiles/1/0/1.npy?agg=count").headers["Etag"] == tags[0], "one spelling, one tag"


@pytest.mark.parametrize(
    "place",
    ["25/0/0", "1/2/0", "1/0/2", "0/1/0", "3,25/0/0", "3,2/8/0", "3,2/0/4", "99999999999/0/0", "1/99999999999/0"],
)
def test_tiles_outside_their_level(served: Running, place):
    found = failure(served, f"{L}/tiles/{place}.npy", 404)
    assert "0 to" in found["error"]


@pytest.mark.parametrize("place", ["-1/0/0", "1/0", "a/0/0", "1/0/0/0", "1.0/0/0", "1,1,1/0/0", "1/0/0.gif"])
def test_addresses_that_are_no_tiles(served: Running, place):
    failure(served, f"{L}/tiles/{place}", 404)
    failure(served, f"{L}/tiles/{place}.npy", 404)


def test_image_is_exact(served: Running, dataset):
    x, y = (dataset.column(name).values.astype(float) for name in ("x", "y"))
    image = npy(served.get(f"{L}/image.npy?{WINDOW}&width=7&height=5").body)
    assert image.shape == (5, 7)
    inside = (x >= -1) & (x <= 1) & (y >= -1) & (y <= 2)
    assert image.sum() == inside.sum()
    top = inside & (y >= -1 + 3 * 4 / 5)
    assert abs(int(image[0].sum()) - int(top.sum())) <= 1


def test_image_of_a_window_of_times(served: Running, dataset):
    start = 1_700_000_000_000_000_000
    path = f"{L}/image.npy?x=t&x0={start}&x1={start + 999_999_999}&y0=-100&y1=100&width=10&height=1"
    np.testing.assert_array_equal(npy(served.get(path).body), [[100] * 10])


@pytest.mark.parametrize(
    ("query", "field", "status"),
    [
        ("x0=nan&x1=1&y0=0&y1=1&width=9&height=9", "x0", 400),
        ("x0=0&x1=inf&y0=0&y1=1&width=9&height=9", "x1", 400),
        ("x0=0&x1=1&y0=-Infinity&y1=1&width=9&height=9", "y0", 400),
        ("x0=1&x1=0&y0=0&y1=1&width=9&height=9", "x0", 400),
        ("x0=1&x1=1&y0=0&y1=1&width=9&height=9", "x0", 400),
        ("x0=0&x1=1&y0=0&y1=5e-324&width=9&height=9", "y0", 400),
        ("x0=-1.7e308&x1=1.7e308&y0=0&y1=1&width=9&height=9", "x0", 400),
        ("x0=1e999&x1=2&y0=0&y1=1&width=9&height=9", "x0", 400),
        ("x0=0x10&x1=32&y0=0&y1=1&width=9&height=9", "x0", 400),
        ("x0=1_0&x1=32&y0=0&y1=1&width=9&height=9", "x0", 400),
        ("x0=&x1=32&y0=0&y1=1&width=9&height=9", "x0", 400),
        ("x1=32&y0=0&y1=1&width=9&height=9", "x0", 400),
        ("x0=0&x0=1&x1=32&y0=0&y1=1&width=9&height=9", "x0", 400),
        ("x0=%ff&x1=32&y0=0&y1=1&width=9&height=9", "x0", 400),
        ("x0=%3Cscript%3E&x1=32&y0=0&y1=1&width=9&height=9", "x0", 400),
        ("x0=0&x1=1&y0=0&y1=1&width=0&height=9", "width", 400),
        ("x0=0&x1=1&y0=0&y1=1&width=-5&height=9", "width", 400),
        ("x0=0&x1=1&y0=0&y1=1&width=1.5&height=9", "width", 400),
        ("x0=0&x1=1&y0=0&y1=1&width=9", "height", 400),
        ("x0=0&x1=1&y0=0&y1=1&width=1000000000&height=9", "width", 413),
        ("x0=0&x1=1&y0=0&y1=1&width=9&height=1000000000", "height", 413),
        ("x0=0&x1=1&y0=0&y1=1&width=16000&height=16000", "width", 413),
        ("x0=0&x1=1&y0=0&y1=1&width=9&height=9&x=nope", "x", 404),
        ("x0=0&x1=1&y0=0&y1=1&width=9&height=9&x=pair", "x", 422),
        ("x0=0&x1=1&y0=0&y1=1&width=9&height=9&agg=mean(label)", "agg", 400),
        ("x0=0&x1=1&y0=0&y1=1&width=9&height=9&agg=__import__(os)", "agg", 400),
        ("x0=0&x1=1&y0=0&y1=1&width=9&height=9&glyph=bars", "glyph", 400),
        ("x0=0&x1=1&y0=0&y1=1&width=9&height=9&xaxis=cubic", "xaxis", 400),
        ("x0=0.5&x1=99&y0=0&y1=1&width=9&height=9&x=t", "x0", 400),
        ("x0=0&x1=9223372036854775808&y0=0&y1=1&width=9&height=9&x=t", "x1", 400),
    ],
)
def test_images_that_cannot_be(served: Running, query, field, status):
    found = failure(served, f"{L}/image.npy?{query}", status)
    assert found["field"] == field
    assert b"<" not in json.dumps(found).encode() or b"<script" not in served.get(f"{L}/image.npy?{query}").body


@settings(max_examples=150, deadline=None)
@given(st.floats(width=64), st.floats(width=64), st.sampled_from(["x0,x1", "y0,y1"]))
def test_no_two_floats_crash_an_image(served: Running, a: float, b: float, axis: str):
    window = {"x0": -1.0, "x1": 1.0, "y0": -1.0, "y1": 1.0} | dict(zip(axis.split(","), (a, b), strict=True))
    query = "&".join(f"{name}={value!r}" for name, value in window.items())
    answer = served.get(f"{L}/image.npy?{query}&width=5&height=4")
    low, high = axis.split(",")
    if answer.status == 200:
        assert math.isfinite(a) and math.isfinite(b) and a < b
        assert npy(answer.body).sum() <= 100_000
    else:
        assert answer.status == 400 and json.loads(answer.body)["field"] in (low, high)
        assert not (a < b and b - a > 1e-3 and max(abs(a), abs(b)) < 1e12)


def test_rows_are_the_true_ones_of_a_half_open_window(served: Running, dataset):
    found = table(served.get(f"{L}/rows.arrow?{WINDOW}&limit=50000&agg=mean(value)").body)
    x, y = (dataset.column(name).values for name in ("x", "y"))
    inside = np.flatnonzero((x >= -1) & (x < 1) & (y >= -1) & (y < 2))
    matched = int(found.schema.metadata[b"matched"])
    assert matched == len(inside) and found.num_rows == min(matched, 50_000)
    assert found.column_names == ["row", "x", "y", "value"] and found.schema.field("row").type == pa.int64()
    rows = found["row"].to_numpy()
    assert set(rows) <= set(inside) and len(set(rows)) == len(rows)
    np.testing.assert_array_equal(found["x"].to_numpy(), x[rows])
    np.testing.assert_array_equal(found["value"].to_numpy(), dataset.column("value").values[rows])
    assert table(served.get(f"{L}/rows.arrow?{WINDOW}").body).num_rows == 1_000


@pytest.mark.parametrize("limit", ["0", "-1", "50001", "x", "1e3", "9" * 500])
def test_row_limits(served: Running, limit):
    assert failure(served, f"{L}/rows.arrow?{WINDOW}&limit={limit}", 400)["field"] == "limit"


def test_columns(served: Running, dataset):
    t = dataset.column("t").values
    found = table(served.get(f"/line/layers/0/columns.arrow?x0={t[50]}&x1={t[5_000]}&width=20").body)
    assert found.column_names == ["column", "run", "row", "t", "gap"]
    assert [found.schema.field(n).type for n in ("column", "run", "row")] == [pa.int32(), pa.int32(), pa.int64()]
    assert found.schema.field("t").type == pa.timestamp("ns", "Europe/Paris")
    columns, rows = found["column"].to_numpy(), found["row"].to_numpy()
    assert columns[0] == -1 and columns[-1] == 20 and (np.diff(columns) >= 0).all() and (np.diff(rows) > 0).all()
    assert len(set(columns)) == 22


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("x0=1&x1=2&width=16385", "width"),
        ("x0=1&x1=2&width=0", "width"),
        ("x0=2&x1=1&width=5", "x0"),
        ("x0=nan&x1=1&width=5", "x0"),
        ("x0=1&width=5", "x1"),
    ],
)
def test_columns_that_cannot_be(served: Running, query, field):
    assert failure(served, f"/line/layers/0/columns.arrow?{query}", 400)["field"] == field


def test_columns_are_for_lines(served: Running):
    assert failure(served, f"{L}/columns.arrow?x0=0&x1=1&width=5", 400)["field"] == "glyph"
    assert served.get(f"{L}/columns.arrow?x0=0&x1=1&width=5&glyph=line").status == 200


def pixels(body: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(body)).convert("RGBA"))


def test_pictures_are_transparent_where_nothing_is(served: Running):
    counts = npy(served.get(f"{L}/tiles/1/0/1.npy").body)
    image = pixels(served.get(f"{L}/tiles/1/0/1.png").body)
    assert image.shape == (256, 256, 4) and ((image[..., 3] == 255) == (counts > 0)).all()


@pytest.mark.parametrize("how", ["linear", "log", "cbrt", "eq_hist"])
def test_pictures_of_neighbours_join(served: Running, how):
    """One count has one colour over all tiles of a level."""
    colours: dict[int, set] = {}
    for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)):
        counts = npy(served.get(f"{L}/tiles/1/{i}/{j}.npy").body).ravel()
        image = pixels(served.get(f"{L}/tiles/1/{i}/{j}.png?how={how}&cmap=gray").body).reshape(-1, 4)
        for count in np.unique(counts):
            colours.setdefault(int(count), set()).update(map(tuple, image[counts == count]))
    assert all(len(each) == 1 for each in colours.values())
    levels = [next(iter(colours[count]))[0] for count in sorted(colours) if count]
    assert levels == sorted(levels) and levels[-1] == lut("gray")[-1, 0]
    assert how == "eq_hist" or levels[0] == lut("gray")[0, 0]


def test_pictures_between_given_ends(served: Running):
    counts = npy(served.get(f"{L}/tiles/0/0/0.npy").body)
    image = pixels(served.get(f"{L}/tiles/0/0/0.png?how=linear&cmap=gray&low=0&high=10").body)
    places = np.floor(np.minimum(counts, 10) / 10 * 255 + 0.5).astype(int)
    np.testing.assert_array_equal(image[counts > 0][:, :3], lut("gray")[places][counts > 0])


def test_pictures_of_windows_lines_and_categories(served: Running):
    image = pixels(served.get(f"{L}/image.png?{WINDOW}&width=30&height=20").body)
    assert image.shape == (20, 30, 4) and image[..., 3].any()
    line = pixels(served.get("/line/layers/0/tiles/0/0/0.png").body)
    assert line[..., 3].any() and not line[..., 3].all()
    by = pixels(served.get("/by/layers/0/tiles/0/0/0.png").body)
    assert len(np.unique(by[by[..., 3] > 0][:, 3])) > 3, "the sum decides the opacity"


@pytest.mark.parametrize(
    ("query", "field"),
    [("cmap=nope", "cmap"), ("how=sqrt", "how"), ("low=nan", "low"), ("high=1e999", "high"), ("low=5&high=5", "low")],
)
def test_pictures_that_cannot_be(served: Running, query, field):
    assert failure(served, f"{L}/tiles/0/0/0.png?{query}", 400)["field"] == field


def test_head_tells_what_get_would(served: Running):
    for path in ("/", "/points/", "/healthz", f"{L}/tilejson.json", f"{L}/tiles/0/0/0.npy", "/_/static/style.css"):
        head, get = served.get(path, "HEAD"), served.get(path)
        assert (head.status, head.body) == (200, b"")
        assert head.headers["Content-Length"] == str(len(get.body)) or "Etag" not in head.headers


def test_the_pages_modules_are_files(served: Running):
    page = served.get("/points/").body.decode()
    scripts = re.findall(r'(?:src|href)="\.\.(/_/static/[^"]+\.js)"', page)
    bundled = "/_/static/page.js" in scripts
    assert bundled or {"/_/static/main.js", "/_/static/vendor/d3.js"} <= set(scripts)
    for path in scripts:
        found = served.get(path)
        assert found.status == 200 and found.headers["Content-Type"].startswith("text/javascript")
        assert found.headers["X-Content-Type-Options"] == "nosniff"
        again = served.get(path, If_None_Match=found.headers["Etag"])
        assert (again.status, again.body) == (304, b"")
    assert served.get("/_/static/page.js").status == (200 if bundled else 404)


def test_documents_without_layers_or_rows(table: pa.Table):
    empty = figure(title="Empty").points(table.slice(0, 0), "x", "y")
    with running([document(figure(title="Nothing"), id="nothing"), document(empty, id="empty")]) as server:
        assert "it has none" in failure(server, "/nothing/layers/0/tilejson.json", 404)["error"]
        found = json.loads(server.get("/empty/layers/0/tilejson.json").body)
        assert found["range"] is None and found["rows"] == 0
        assert not npy(server.get("/empty/layers/0/tiles/0/0/0.npy").body).any()
        assert not pixels(server.get("/empty/layers/0/tiles/0/0/0.png").body).any()


def test_a_prefix_stands_before_everything(documents):
    with running(documents[:1], prefix="/plots") as server:
        assert server.get("/").status == 404 and server.get("/points/").status == 404
        assert server.get("/plots/").status == 200 and server.get("/plots/points/").status == 200
        assert server.get("/plots/points").headers["Location"] == "points/"
        assert server.get("/plots/healthz").status == 200 and server.get("/plots/_/static/style.css").status == 200
        assert server.get("/plots/points/layers/0/tiles/0/0/0.npy").status == 200
        assert json.loads(server.get("/plots/points/layers/0/tilejson.json").body)["tiles"][0].startswith(server.url)


def test_images_have_a_common_budget(documents):
    limits = Limits(answer_bytes=30 * 100 * 100)
    with running(documents[:1], limits=limits) as server:
        found = failure(server, f"{L}/image.npy?{WINDOW}&width=200&height=100", 413)
        assert "limit" in found["error"]
        assert server.get(f"{L}/image.npy?{WINDOW}&width=100&height=100").status == 200
        assert server.get(f"{L}/image.npy?{WINDOW}&width=100&height=100&agg=mean(value)").status == 200, "given back"
        server.on_loop(lambda: server.server.site.budget.admit(20 * 100 * 100))
        answer = server.get(f"{L}/image.npy?{WINDOW}&width=101&height=100")
        assert answer.status == 503 and answer.headers["Retry-After"] == "1"
