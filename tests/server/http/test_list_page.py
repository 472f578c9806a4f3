"""The list and the page for an unknown address, as HTML."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest

import bigviz as bv
from bigviz.document.document import document
from bigviz.document.figure import figure
from bigviz.document.layout import row
from bigviz.server.http.list_page import Entry, address, entry_of, list_page, missing_page

HOSTILE = "<img src=x onerror=alert(1)> \"quoted\" & 'so' ?#/%"


PAGES = [
    list_page([Entry(HOSTILE, HOSTILE + "!", 2, 3, 4)]),
    missing_page(HOSTILE, [Entry(HOSTILE, HOSTILE)], "../"),
]


@pytest.mark.parametrize("page", PAGES, ids=["list", "missing"])
def test_names_are_text(page: bytes):
    text = page.decode()
    assert "<img src=x" not in text and "&lt;img src=x onerror=alert(1)&gt; &quot;quoted&quot; &amp;" in text
    assert all(
        re.fullmatch(r"(\.\./)?[A-Za-z0-9%._/~-]*", each) for each in re.findall(r'(?:href|src)="([^"]*)"', text)
    )


def test_what_a_document_holds():
    one = bv.open(pa.table({"x": [1.0] * 1_234, "y": [2.0] * 1_234}), name="one")
    other = bv.open(pa.table({"x": [1.0], "y": [2.0], "z": [3.0]}), name="other")
    single = document(figure(title="Single").points(one, "x", "y"), id="single")
    both = document(row(figure(title="Both").points(one, "x", "y"), figure().points(other, "x", "y")), id="a & b")
    entries = [entry_of(each.id, each) for each in (single, both)]
    text = list_page(entries).decode()
    assert '<span class="card-name">Single</span><span class="card-facts">1,234 rows · 2 columns</span>' in text
    assert (
        '<span class="card-facts">a &amp; b</span><span class="card-facts">2 tables · 1,235 rows · 5 columns</span>'
        in text
    )
    assert 'src="_/api/documents/a%20%26%20b/thumbnail.png" alt=""' in text and 'href="a%20%26%20b/"' in text
    assert "2 documents" in text and "refresh" not in text
    assert entries[1].to_json() == {
        "name": "a & b",
        "title": "Both",
        "url": "a%20%26%20b/",
        "thumbnail": "_/api/documents/a%20%26%20b/thumbnail.png",
        "rows": 1_235,
        "columns": 5,
    }


def test_while_documents_are_opened_the_list_loads_itself_again():
    text = list_page([entry_of("later", None)]).decode()
    assert "opening…" in text and '<meta http-equiv="refresh" content="2">' in text
    failed = list_page([entry_of("later", None)], failed=True).decode()
    assert "the app has an error" in failed and "refresh" in failed


def test_the_way_back():
    text = missing_page("trip", [Entry("trips", "All trips")], "../").decode()
    assert "There is no plot named “trip”" in text and '<a href="../trips/">All trips</a>' in text
    assert 'href="../">All plots</a>' in text and 'href="../_/static/style.css"' in text
    assert "Did you mean" not in missing_page(None, [], "").decode() and address("a b") == "a%20b/"
