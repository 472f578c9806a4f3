"""docs/url.md names exactly the keys that the routes of layers read.

Those of the hash are compared in tests/js/ui/url-state.test.js.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pytest

import bigviz as bv
from bigviz.server.http.base import Handler

from ..server.running import Running, running
from .markdown import ROOT, section, tables, words

PAGE = ROOT / "docs" / "url.md"
COMMON, BY_ROUTE = tables(section(PAGE, "Layer routes"))
DEFINITION = {name for row in COMMON for name in words(row[0])}
KEYS = {route: set(words(row[1])) for row in BY_ROUTE for route in words(row[0])}
WINDOW = "x0=0&x1=1&y0=0&y1=1&height=4"


@pytest.fixture(scope="module")
def served() -> Iterator[Running]:
    table = pa.table({"x": [0.0, 1.0, 2.0], "y": [0.0, 2.0, 1.0]})
    figure = bv.figure().points(table, "x", "y")
    with running([bv.document(bv.column(bv.checkbox("ID"), figure), id="d")]) as server:
        yield server


@pytest.mark.parametrize("route", KEYS)
def test_a_route_reads_the_keys_that_are_documented(
    served: Running, route: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: set[str] = set()
    query = Handler.query
    monkeypatch.setattr(Handler, "query", lambda self, name: read.add(name) or query(self, name))
    names = Handler.names
    monkeypatch.setattr(Handler, "names", lambda self, name: read.add(name) or names(self, name))
    glyph = {"columns.arrow": "&glyph=line", "bars.arrow": "&glyph=histogram"}.get(route, "")
    path = route.replace("Z/I/J", "0/0/0").replace("N.json", "0.json")
    width = 4 + list(KEYS).index(route)  # the layer that a query means is kept, and not read again for the same query
    assert served.get(f"/d/layers/0/{path}?{WINDOW}&width={width}{glyph}").status == 200
    assert read == DEFINITION | KEYS[route]


def test_every_route_of_layers_is_documented() -> None:
    kinds = {"tiles/Z/I/J": ("npy", "arrow", "png"), "image": ("npy", "png")}
    files = {f"{name}.{kind}" for name, all_kinds in kinds.items() for kind in all_kinds}
    rows = {"rows.arrow", "rows.json", "rows/N.json"}
    assert set(KEYS) == files | rows | {"tilejson.json", "columns.arrow", "bars.arrow"}
