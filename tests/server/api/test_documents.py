"""Documents: published, read, changed under a version, restored, taken away, listed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bigviz.document.document import document as made
from bigviz.document.figure import figure
from bigviz.library.documents import Documents

from ..running import Running, running
from .calls import TABLE, ask, call, document, upload


def test_publish_read_and_delete(plots):
    assert upload(plots, "rows")[0] == 201
    status, told = call(plots, "PUT", "documents/trips", document("rows"))
    assert (status, told) == (201, {"name": "trips", "version": 1, "url": f"{plots.url}trips/"})
    answer = ask(plots, "GET", "documents/trips")
    assert (answer.status, answer.headers["ETag"]) == (200, '"1"')
    assert json.loads(answer.body) == document("rows") | {"id": "trips"}
    assert plots.get("/trips/").status == 200
    assert plots.get("/trips/layers/0/tiles/0/0/0.npy").status == 200
    assert ask(plots, "DELETE", "documents/trips").status == 204
    assert call(plots, "GET", "documents/trips")[0] == 404
    assert plots.get("/trips/").status == 404


def test_versions(plots):
    upload(plots, "rows")
    first, second = document("rows", title="First"), document("rows", title="Second")
    put = [call(plots, "PUT", "documents/a", each)[1]["version"] for each in (first, first, second)]
    assert put == [1, 1, 2]  # equal content makes none
    answer = ask(plots, "PUT", "documents/a", first, If_Match='"1"')
    told = json.loads(answer.body)
    assert (answer.status, answer.headers["ETag"], told["version"]) == (412, '"2"', 2)
    assert call(plots, "PUT", "documents/a", first, If_None_Match="*")[0] == 412
    assert call(plots, "GET", "documents/a?version=1")[1]["title"] == "First"
    assert call(plots, "GET", "documents/a?version=9")[0] == 404
    versions = call(plots, "GET", "documents/a/versions")[1]["versions"]
    assert [(each["version"], each["author"]) for each in versions] == [(2, None), (1, None)]
    assert call(plots, "POST", "documents/a/restore", {"version": 1})[1]["version"] == 3
    assert call(plots, "GET", "documents/a")[1]["title"] == "First"
    assert ask(plots, "DELETE", "documents/a", If_Match='"1"').status == 412
    assert ask(plots, "DELETE", "documents/a").status == 204
    assert call(plots, "PUT", "documents/a", first)[1]["version"] == 4  # numbers go on


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", None),
        (b"\xff\xfe", None),
        (b"[]", "body"),
        (b'{"format": NaN}', None),
        (b'{"format": 2, "format": 2}', None),
        (json.dumps(document() | {"format": 99}).encode(), "format"),
        (json.dumps(document() | {"surprise": 1}).encode(), "surprise"),
        (b"[" * 100_000, None),
    ],
)
def test_what_is_no_document(plots, body, field):
    status, told = call(plots, "PUT", "documents/a", body)
    assert (status, told["field"]) == (400, field)
    assert call(plots, "GET", "documents/a")[0] == 404


def test_datasets_that_do_not_fit(plots):
    upload(plots, "rows")
    status, told = call(plots, "PUT", "documents/a", document("nothing"))
    assert (status, told["field"]) == (422, "dataset")
    status, told = call(plots, "PUT", "documents/a", document("rows", agg="mean(none)"))
    assert (status, told["field"]) == (422, "agg")
    other = document("rows")
    other["layout"]["layers"][0]["x"] = "kind"
    other["layout"]["x_axis"] = {"kind": "log"}
    assert call(plots, "PUT", "documents/a", other)[0] == 422


def test_names_and_queries_that_cannot_be(plots):
    upload(plots, "rows")
    for name in ("_", "a%2Fb", "%20a", "a%0Ab", "metrics", "x" * 201):
        assert call(plots, "PUT", f"documents/{name}", document("rows"))[0] == 400
    assert call(plots, "GET", "documents?order=up")[1]["field"] == "query"
    assert call(plots, "GET", "documents?sort=size")[1]["field"] == "sort"
    assert call(plots, "GET", "documents?limit=0")[1]["field"] == "limit"
    assert call(plots, "GET", "documents?after=x")[1]["field"] == "after"
    assert call(plots, "PUT", "documents/a", document("rows"), If_Match="W/x")[1]["field"] == "If-Match"
    assert call(plots, "POST", "documents/a/restore", {"version": 10**30})[0] in (400, 404)


def test_a_body_beyond_the_limit_is_refused_before_it_comes(plots):
    answer = plots.get("/_/api/documents/a", "PUT", None, Content_Length=str(1 << 40))
    assert answer.status == 413 and json.loads(answer.body)["field"] == "body"
    answer = plots.get("/_/api/tokens", "POST", b" " * (65 << 10))
    assert answer.status == 413


def test_the_list(plots):
    upload(plots, "rows")
    for name, title in (("b", "Bees"), ("a", "Ants"), ("c", "Bears")):
        call(plots, "PUT", f"documents/{name}", document("rows", title=title))
    told = call(plots, "GET", "documents")[1]
    assert [each["name"] for each in told["documents"]] == ["c", "a", "b"] and told["next"] is None
    first = told["documents"][0]
    assert first["rows"] == 4 and first["bytes"] > 0 and first["role"] == "owner" and first["version"] == 1
    assert first.keys() == {"name", "title", "owner", "public", "role", "version", "rows", "bytes", "updated"}
    found = call(plots, "GET", "documents?q=be&sort=title&limit=1")[1]
    assert [each["title"] for each in found["documents"]] == ["Bears"]
    found = call(plots, "GET", f"documents?q=be&sort=title&limit=1&after={found['next']}")[1]
    assert [each["title"] for each in found["documents"]] == ["Bees"] and found["next"] is None


@pytest.fixture
def beside(tmp_path: Path):
    """A plot server that was started with a document too, of its own table."""
    own = made(figure(title="Own").points(TABLE, "x", "y"), id="own")
    with running([own], library=tmp_path / "library") as found:
        found.await_event("loaded")
        yield found


def test_documents_that_the_server_was_started_with(beside: Running):
    for name in ("a", "z"):
        assert call(beside, "PUT", f"documents/{name}", document("table", title=name))[0] == 201
    listed = call(beside, "GET", "documents?sort=name")[1]["documents"]
    assert [(each["name"], each["version"], each["rows"]) for each in listed] == [
        ("a", 1, 4),
        ("own", None, 4),
        ("z", 1, 4),
    ]
    pages, after = [], None
    while True:
        more = "" if after is None else f"&after={after}"
        told = call(beside, "GET", f"documents?sort=name&limit=1{more}")[1]
        pages += [each["name"] for each in told["documents"]]
        if (after := told["next"]) is None:
            break
    assert pages == ["a", "own", "z"]
    assert call(beside, "GET", "documents/own")[1]["title"] == "Own"
    for method, path in (("PUT", "documents/own"), ("DELETE", "documents/own"), ("GET", "documents/own/access")):
        assert call(beside, method, path, document("table") if method == "PUT" else None)[0] == 409
    assert upload(beside, "table")[0] == 409
    assert call(beside, "GET", "datasets/table")[1]["rows"] == 4


def test_without_a_library(served: Running):
    names = [each["name"] for each in call(served, "GET", "documents?sort=name")[1]["documents"]]
    assert names == sorted(["points", "line", "by", "all of them & <more>"])
    status, told = call(served, "PUT", "documents/a", document("rows"))
    assert status == 409 and "--library" in told["error"]


def test_a_restart_finds_everything_again(tmp_path: Path):
    for again in (False, True):
        with running([], library=tmp_path / "library") as found:
            found.await_event("loaded")
            if not again:
                upload(found, "rows")
                call(found, "PUT", "documents/a", document("rows"))
            assert found.get("/a/layers/0/tiles/0/0/0.npy").status == 200
            assert call(found, "GET", "datasets")[1]["datasets"][0]["name"] == "rows"


def test_a_document_of_very_many_values_is_refused_unread(plots):
    for body in (b"[" + b"1," * 200_000 + b"1]", b"[" * 200_001, b'{"layout":[' + b"{}," * 100_001 + b"{}]}"):
        assert call(plots, "PUT", "documents/a", body)[0] == 413


def test_a_dataset_that_goes_while_a_document_is_published(plots, monkeypatch):
    upload(plots, "rows")
    put = Documents.put

    def late(self: Documents, *arguments: Any, **options: Any) -> Any:
        plots.server.library.datasets.delete("rows")
        return put(self, *arguments, **options)

    monkeypatch.setattr(Documents, "put", late)
    status, told = call(plots, "PUT", "documents/a", document("rows"))
    assert (status, told["field"]) == (409, "dataset")
    assert call(plots, "GET", "documents")[1]["documents"] == []


def test_a_page_allows_the_maps_of_the_current_version(plots):
    upload(plots, "rows")
    axes = {each: {"kind": "mercator"} for each in ("x_axis", "y_axis")}

    def published(*hosts: str) -> str:
        value = document("rows")
        figures = [
            {**value["layout"], **axes, "id": f"f{n}", "layers": [], "basemap": None if not host else {
                "url": f"https://{host}/{{z}}/{{x}}/{{y}}", "attribution": "Map makers",
            }} for n, host in enumerate(hosts)
        ]  # fmt: skip
        value["layout"] = {"id": "l0", "type": "row", "children": figures}
        assert call(plots, "PUT", "documents/places", value)[0] in (200, 201)
        return plots.get("/places/").headers["Content-Security-Policy"].partition("img-src ")[2].partition(";")[0]

    assert published("") == "'self' data: blob:"
    assert published("", "a.example", "a.example") == "'self' data: blob: https://a.example"
    assert published("b.example") == "'self' data: blob: https://b.example"
    assert published("") == "'self' data: blob:"
    assert call(plots, "PUT", "documents/places", document("rows"))[0] == 200
    plots.server.site.library.documents.put("places", {"format": 9}, title="later", datasets=(), author=None)
    assert plots.get("/places/").status == 200
    ask(plots, "DELETE", "documents/places")
    assert "example" not in str(plots.get("/places/").headers)
