"""Pages, addresses without one, static files and the prefix."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given

from bigviz.common.errors import BadInput
from bigviz.document.basemap import basemap, origins
from bigviz.document.document import document
from bigviz.document.figure import figure
from bigviz.document.layout import column
from bigviz.server.http.pages import STATIC, content_policy

from ...document.test_basemap import urls
from ..running import Running, running
from .answers import MORE, L, failure


def test_the_list(served: Running):
    page = served.get("/").body.decode()
    assert 'class="card-link" href="points/">' in page and '<span class="card-name">Points</span>' in page
    assert 'href="all%20of%20them%20%26%20%3Cmore%3E/">' in page and "all of them &amp; &lt;more&gt;</span>" in page
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
    is_there = (STATIC / "page.js").exists()  # perhaps of other modules than these, which no page loads
    assert served.get("/_/static/page.js").status == (200 if is_there else 404) and is_there >= bundled


def test_a_prefix_stands_before_everything(documents):
    with running(documents[:1], prefix="/plots") as server:
        assert server.get("/").status == 404 and server.get("/points/").status == 404
        assert server.get("/plots/").status == 200 and server.get("/plots/points/").status == 200
        assert server.get("/plots/points").headers["Location"] == "points/"
        assert server.get("/plots/healthz").status == 200 and server.get("/plots/_/static/style.css").status == 200
        assert server.get("/plots/points/layers/0/tiles/0/0/0.npy").status == 200
        assert json.loads(server.get("/plots/points/layers/0/tilejson.json").body)["tiles"][0].startswith(server.url)


def policy_of(served: Running, path: str) -> dict[str, str]:
    return dict(each.split(" ", 1) for each in served.get(path).headers["Content-Security-Policy"].split("; "))


def test_the_page_of_a_map_lets_pictures_come_from_its_host_and_no_other_page_does(table):
    axes = {"x_axis_type": "mercator", "y_axis_type": "mercator", "attribution": "Map makers"}
    address = "https://{s}.Tile.example:8443/{z}/{x}/{y}.png?key=a;b,c"
    maps = [
        figure(title="One", **axes, basemap=address).points(table, "x", "y"),
        figure(title="Two", **axes, basemap="http://other.example/{z}/{y}/{x}").points(table, "x", "y"),
    ]
    documents = [
        document(column(*maps), id="maps"), document(figure(title="None").points(table, "x", "y"), id="none"),
    ]  # fmt: skip
    with running(documents) as served:
        plain, allowed = policy_of(served, "/none/"), policy_of(served, "/maps/")
        hosts = [f"https://{each}.tile.example:8443" for each in "abc"]
        assert allowed.pop("img-src") == " ".join(["'self' data: blob: http://other.example", *hosts])
        assert plain.pop("img-src") == policy_of(served, "/")["img-src"] == "'self' data: blob:"
        assert allowed == plain
        pages = [served.get("/none/"), served.get("/maps/")]
        found = [re.findall(rb'<meta name="map-origins" content="([^"]*)">', page.body) for page in pages]
        assert found == [[], [" ".join(["http://other.example", *hosts]).encode()]]
        assert pages[0].headers["Etag"] != pages[1].headers["Etag"]
    with running(documents, basemaps=False) as served:
        assert policy_of(served, "/maps/")["img-src"] == policy_of(served, "/none/")["img-src"] == "'self' data: blob:"
        assert b'<meta name="map-origins" content="none">' in served.get("/maps/").body


@given(urls)
def test_no_address_of_a_map_says_more_in_a_policy_than_where_pictures_come_from(url: str):
    try:
        found = origins(basemap({"url": url, "attribution": "Map makers"}, "basemap"))
    except BadInput:
        return
    policy = content_policy(pictures=found)
    assert policy.replace("".join(f" {each}" for each in found), "", 1) == content_policy()
    assert policy.count(";") == content_policy().count(";") and "," not in policy and policy.isprintable()
