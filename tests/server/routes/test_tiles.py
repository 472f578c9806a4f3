"""`tiles/{z}/{x}/{y}` as numbers, and the ETags of all answers."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

from bigviz.aggregate.layer import Layer
from bigviz.document.spec import Document
from bigviz.tiles.engine import Engine
from bigviz.tiles.grid.tile_key import TileKey

from ..running import Gated, Running, asked, running
from .answers import WINDOW, L, failure, npy, table


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
    assert get("mean(t)").dtype == "M8[ns]" and (np.isnat(get("mean(t)")) == (count == 0)).all()
    stamps = table(served.get(f"{L}/tiles/0/0/0.arrow?agg=mean(t)").body)["mean(t)"]
    assert stamps.type == pa.timestamp("ns", "Europe/Paris") and stamps.null_count == (count == 0).sum()
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


def test_what_was_encoded_is_answered_from_its_bytes(documents: list[Document]):
    engine = Gated()
    with running(documents[:1], engine) as server:
        for name in ("1/0/1.png", "1/0/1.npy", "1/0/1.arrow", "4/5/5@2x.png", "1/0/1.png?low=0&high=9&how=log"):
            first = server.get(f"{L}/tiles/{name}")
            computed = len(engine.computed)
            again = server.get(f"{L}/tiles/{name}")
            assert first.status == 200 and again.body == first.body and len(engine.computed) == computed
            assert {k: v for k, v in first.headers.items() if k != "Date"} == {
                k: v for k, v in again.headers.items() if k != "Date"
            }
        server.on_loop(server.engine._tiles.clear)
        assert server.get(f"{L}/tiles/1/0/1.npy").body == npy_body(server) and len(engine.computed) > computed


def npy_body(server: Running) -> bytes:
    return server.get(f"{L}/tiles/1/0/1.npy").body


def test_if_match(served: Running):
    path = f"{L}/tiles/1/0/1.npy"
    tag = served.get(path).headers["Etag"]
    for wanted in (tag, "*", f'"other", {tag}'):
        assert served.get(path, If_Match=wanted).status == 200
    for wanted in ('"other"', f"W/{tag}", ""):
        answer = served.get(path, If_Match=wanted, If_None_Match=tag)
        assert answer.status == 412 and json.loads(answer.body)["field"] == "If-Match"


def test_an_address_may_be_whole(served: Running):
    host = served.url.removeprefix("http://").rstrip("/")
    path = f"{L}/tiles/1/0/1.npy?agg=count"
    plain = served.get(path)
    for address in (f"http://{host}{path}", f"HTTP://{host}{path}"):
        answer = served.get(address, Host="other.example")
        assert (answer.status, answer.body) == (200, plain.body), "its host counts"
    assert served.get(f"http://{host}").status == 200
    for address in (f"http://other.example{path}", f"http://me@{host}{path}", f"ftp://{host}{path}"):
        assert served.get(address).status in (400, 403, 404)


@pytest.mark.parametrize(
    "place",
    ["25/0/0", "1/2/0", "1/0/2", "0/1/0", "3,25/0/0", "3,2/8/0", "3,2/0/4", "99999999999/0/0", "1/99999999999/0"],
)
def test_tiles_outside_their_level(served: Running, place):
    found = failure(served, f"{L}/tiles/{place}.npy", 404)
    assert "0 to" in found["error"]


@pytest.mark.parametrize("name", ["1/0/0@2x.npy", "1/0/0@2x.arrow", "24/0/0@2x.png", "1/0/0@3x.png"])
def test_pictures_that_have_not_twice_the_pixels(served: Running, name: str):
    failure(served, f"{L}/tiles/{name}", 404)


@pytest.mark.parametrize("place", ["-1/0/0", "1/0", "a/0/0", "1/0/0/0", "1.0/0/0", "1,1,1/0/0", "1/0/0.gif"])
def test_addresses_that_are_no_tiles(served: Running, place):
    failure(served, f"{L}/tiles/{place}", 404)
    failure(served, f"{L}/tiles/{place}.npy", 404)


def test_numbers_are_kept_once_they_are_asked_for_again(served: Running):
    """Most tiles of a view are never asked for again, and 256 KiB of new memory take as long as to fill them."""
    connection = served.connection()
    try:
        answers = [asked(connection, f"{L}/tiles/9/251/260.npy", "GET", None, {}) for _ in range(3)]
    finally:
        connection.close()
    assert len({answer.body for answer in answers}) == 1 and npy(answers[0].body).sum() > 0
    found = served.engine.kept_body(answers[0].headers["ETag"].strip('"'))
    assert found is not None and bytes(found) == answers[0].body


def test_numbers_that_were_asked_for_once_are_not(served: Running):
    connection = served.connection()
    try:
        answer = asked(connection, f"{L}/tiles/9/251/259.npy", "GET", None, {})
    finally:
        connection.close()
    assert npy(answer.body).sum() > 0
    assert served.engine.kept_body(answer.headers["ETag"].strip('"')) is None
