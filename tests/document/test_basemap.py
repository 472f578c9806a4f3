"""Basemaps: which addresses are read, and the origins that a page may then ask; whatever is tried, nothing else."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import bigviz as bv
from bigviz.common.errors import BadInput
from bigviz.document.basemap import MOST_ORIGINS, basemap, map_origins, origins
from bigviz.document.json import from_json
from bigviz.document.spec import BasemapSpec

TILES = "https://tile.example/{z}/{x}/{y}.png"
CREDIT = "© Map makers"
ORIGIN = re.compile(r"https?://[a-z0-9-]+(\.[a-z0-9-]+)*(:[0-9]+)?")


def figure(**options: Any) -> bv.Figure:
    return bv.figure(x_axis_type="mercator", y_axis_type="mercator", **options)


def read(url: Any, **more: Any) -> BasemapSpec:
    return basemap({"url": url, "attribution": CREDIT, **more}, "basemap")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (TILES, ["https://tile.example"]),
        ("http://127.0.0.1:8080/t/{z}/{y}/{x}", ["http://127.0.0.1:8080"]),
        ("http://a:443/{z}/{y}/{x}", ["http://a:443"]),
        ("https://Tile.Example:0443/{z}/{x}/{y}{r}.png?key=a;b,c'd", ["https://tile.example"]),
        ("https://{s}.t.example/{z}/{x}/{y}", ["https://a.t.example", "https://b.t.example", "https://c.t.example"]),
        ("https://localhost/{x}{y}{z}", ["https://localhost"]),
    ],
)
def test_the_origins_of_an_address(url: str, expected: list[str]) -> None:
    assert list(origins(read(url))) == expected


REFUSED = [
    None, 3, "", "tile.example/{z}/{x}/{y}", "//tile.example/{z}/{x}/{y}", "/{z}/{x}/{y}.png",
    "javascript:alert(1)//{z}/{x}/{y}", "data:image/png,{z}{x}{y}", "file:///{z}/{x}/{y}", "ftp://a/{z}/{x}/{y}",
    "HTTPS://tile.example/{z}/{x}/{y}", " " + TILES, TILES + "\n", TILES + "#here", TILES + " x",
    "https://user@tile.example/{z}/{x}/{y}", "https://user:key@tile.example/{z}/{x}/{y}", "https:///{z}/{x}/{y}",
    "https://tile.example; script-src */{z}/{x}/{y}", "https://tile.example,*/{z}/{x}/{y}",
    "https://tile.example 'unsafe-inline'/{z}/{x}/{y}", "https://*.example/{z}/{x}/{y}", "https://*/{z}/{x}/{y}",
    "https://[::1]/{z}/{x}/{y}", "https://tile.example:/{z}/{x}/{y}", "https://tile.example:0/{z}/{x}/{y}",
    "https://tile.example:65536/{z}/{x}/{y}", "https://tile.example:*/{z}/{x}/{y}", "https://ümlaut.example/{z}/{x}/{y}",
    "https://tile.example\\{z}/{x}/{y}", "https://-tile.example/{z}/{x}/{y}", "https://tile..example/{z}/{x}/{y}",
    "https://{z}.example/{x}/{y}", "https://tile.{s}.example/{z}/{x}/{y}", "https://tile.example/{s}/{z}/{x}/{y}",
    "https://tile.example/{z}/{x}", "https://tile.example/{z}/{x}/{y}/{y}", "https://tile.example/{q}/{z}/{x}/{y}",
    "https://tile.example/" + "a" * 2_000 + "{z}/{x}/{y}",
]  # fmt: skip


@pytest.mark.parametrize("url", REFUSED)
def test_other_addresses_are_refused(url: Any) -> None:
    with pytest.raises(BadInput) as refused:
        read(url)
    assert refused.value.field == "basemap.url"
    if url is not None:
        with pytest.raises(BadInput):
            figure(basemap=url, attribution=CREDIT)


urls = st.one_of(
    st.text(max_size=40).map(lambda host: f"https://{host}/{{z}}/{{x}}/{{y}}"),
    st.text(";,' \"*\t\r\n\0@:/\\{}[]<>%a.s-", max_size=12).map(lambda host: f"http://a{host}/{{z}}/{{x}}/{{y}}"),
    st.text(max_size=40).map(lambda tail: TILES + tail),
    st.from_regex(r"https?://[A-Za-z0-9.:-]{1,30}/\{z\}/\{x\}/\{y\}", fullmatch=True),
)


@given(urls)
@example("https://a;b/{z}/{x}/{y}")
@example("https://a\r\nSet-Cookie: b/{z}/{x}/{y}")
def test_an_address_that_is_read_puts_an_origin_into_a_policy_and_nothing_else(url: str) -> None:
    try:
        found = origins(read(url))
    except BadInput:
        return
    assert found and all(ORIGIN.fullmatch(each) for each in found)


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"attribution": ""}, "attribution"), ({"attribution": " "}, "attribution"),
        ({"attribution": 3}, "attribution"), ({"attribution": "x" * 301}, "attribution"),
        ({"max_zoom": 25}, "max_zoom"), ({"max_zoom": -1}, "max_zoom"), ({"max_zoom": 1.5}, "max_zoom"),
        ({"max_zoom": True}, "max_zoom"), ({"tms": True}, "tms"),
    ],
)  # fmt: skip
def test_its_other_keys(more: dict[str, Any], field: str) -> None:
    with pytest.raises(BadInput) as refused:
        read(TILES, **more)
    assert refused.value.field == f"basemap.{field}"


def test_a_figure_with_a_map_there_and_back() -> None:
    made = bv.document(figure(title="Map", basemap=TILES, attribution=CREDIT, max_zoom=12))
    value = made.to_json()
    assert value["layout"]["basemap"] == {"url": TILES, "attribution": CREDIT, "max_zoom": 12}
    assert from_json(value) == made and map_origins(made) == ("https://tile.example",)
    plain = bv.document(figure(title="Map"))
    assert "basemap" not in plain.to_json()["layout"] and map_origins(plain) == ()
    assert from_json({**value, "layout": {**value["layout"], "basemap": None}}) == plain


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"basemap": TILES}, "needs attribution"),
        ({"attribution": CREDIT}, "attribution is for a map"),
        ({"basemap": TILES, "attribution": CREDIT, "max_zoom": 30}, "from 0 to 24"),
        ({"basemap": TILES, "attribution": CREDIT, "x_axis_type": "linear"}, "mercator"),
    ],
)
def test_what_the_figure_refuses(options: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        bv.figure(**{"x_axis_type": "mercator", "y_axis_type": "mercator", **options})


def test_a_map_needs_mercator_axes_in_json_too() -> None:
    value = bv.document(figure(title="Map", basemap=TILES, attribution=CREDIT)).to_json()
    for axis in ("x_axis", "y_axis"):
        value["layout"][axis]["kind"] = "linear"
    with pytest.raises(BadInput, match="mercator axes"):
        from_json(value)


def test_the_hosts_of_a_document_are_few() -> None:
    maps = [
        figure(title=str(n), basemap=f"https://t{n}.example/{{z}}/{{x}}/{{y}}", attribution=CREDIT) for n in range(13)
    ]
    assert len(map_origins(bv.document(bv.column(*maps[:MOST_ORIGINS])))) == MOST_ORIGINS
    with pytest.raises(BadInput, match="at most 12 hosts"):
        bv.document(bv.column(*maps))
