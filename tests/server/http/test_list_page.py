"""The list and the page for an unknown address, as HTML."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from bigviz.server.documents.merged_pages import ListedDocument
from bigviz.server.http.list_page import ListView, list_page, missing_page

HOSTILE = "<img src=x onerror=alert(1)> \"quoted\" & 'so' ?#/%"
NOW = 1_700_000_000.0
PLOT = ListedDocument("trips", "All trips", "ann", False, "viewer", 3, 1_234, 5_600_000, NOW - 300, 8, 2)
FULL = ListView([PLOT], NOW, "more", False, "trips & co", "title", "ann", False, True, "http://here", True)

PAGES = {
    "list": list_page(replace(FULL, documents=[replace(PLOT, name=HOSTILE, title=HOSTILE + "!", owner=HOSTILE)])),
    "owner": list_page(replace(FULL, documents=[replace(PLOT, name=HOSTILE, role="owner")], q=HOSTILE, user=HOSTILE)),
    "nothing found": list_page(replace(FULL, documents=[], q=HOSTILE)),
    "missing": missing_page(HOSTILE, [(HOSTILE, HOSTILE)], "../"),
}


@pytest.mark.parametrize("name", PAGES)
def test_names_are_text(name: str):
    text = PAGES[name].decode()
    assert "<img src=x" not in text and "&lt;img src=x onerror=alert(1)&gt; &quot;quoted&quot; &amp;" in text
    links = re.findall(r'(?:href|src|action)="([^"]*)"', text)
    assert all(re.fullmatch(r"(\.\./)?[A-Za-z0-9%._/~-]*(#[a-z]+|\?[A-Za-z0-9%.=&;_-]*)?", each) for each in links)


def test_a_card():
    text = list_page(FULL).decode()
    assert '<span class="card-name">All trips</span><span class="card-facts">trips</span>' in text
    assert "2 tables · 1,234 rows · 8 columns · 5.6 MB" in text and ">5 min ago</time>" in text
    assert '<span class="card-owner">ann</span>' in text and "Only those who were let in may see it" in text
    assert 'src="_/api/documents/trips/thumbnail.png" alt=""' in text and 'href="trips/"' in text
    assert "card-share" not in text
    own = list_page(replace(FULL, documents=[replace(PLOT, role="owner", public=True)])).decode()
    assert 'href="_/documents/trips/access" aria-label="Share All trips"' in own and "Everybody may see it" in own


def test_paging_keeps_what_was_searched():
    text = list_page(FULL).decode()
    assert 'href="./?q=trips%20%26%20co&amp;sort=title&amp;after=more">Next page' in text
    assert 'href="./?q=trips%20%26%20co&amp;sort=title">First page' in text
    assert 'name="q" value="trips &amp; co"' in text and '<option value="title" selected>' in text


def test_an_empty_list_says_how_it_fills():
    empty = replace(FULL, documents=[], q="", first=True, next=None)
    assert "bv.connect(&quot;http://here&quot;)" in list_page(empty).decode().replace('"', "&quot;")
    assert "No plot matches “x”" in list_page(replace(empty, q="x")).decode()
    stranger = replace(empty, publishes=False, user=None, signs_in=True)
    assert 'href="_/login">Sign in</a> to see' in list_page(stranger).decode()


def test_while_documents_are_opened_the_list_loads_itself_again():
    opening = replace(PLOT, version=None, owner=None, rows=None)
    text = list_page(ListView([opening], NOW)).decode()
    assert "opening…" in text and "card-owner" not in text
    assert "list.js" in text and "<main data-opening>" in text
    assert '<noscript><meta http-equiv="refresh" content="2"></noscript>' in text
    failed = list_page(ListView([opening], NOW, failed=True)).decode()
    assert "the app has an error" in failed and "<main data-opening>" in failed
    lost = list_page(replace(FULL, documents=[replace(PLOT, rows=None)])).decode()
    assert "its data is missing" in lost and "refresh" not in lost and "<main>" in lost


def test_the_way_back():
    text = missing_page("trip", [("trips", "All trips")], "../").decode()
    assert "There is no plot named “trip”" in text and '<a href="../trips/">All trips</a>' in text
    assert 'href="../">All plots</a>' in text and 'href="../_/static/style.css"' in text
    assert "Did you mean" not in missing_page(None, [], "").decode()
