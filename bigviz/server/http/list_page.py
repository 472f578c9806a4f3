"""The list of documents, and the page for an unknown address, as HTML: every name is text, every link relative."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

from bigviz.server.documents.merged_pages import ListedDocument
from bigviz.server.http.document_card import address, card, counted

__all__ = ["SORTS", "ListView", "list_page", "missing_page", "page_head", "refused_page"]

_HEAD: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="color-scheme" content="light dark">{more}
<title>{title}</title>
<link rel="icon" type="image/svg+xml" href="{root}_/static/mark.svg">
<link rel="stylesheet" href="{root}_/static/style.css">
<link rel="stylesheet" href="{root}_/static/list.css">
<script src="{root}_/static/boot.js"></script>
</head>
<body class="list">
"""
_AGAIN: Final = '\n<noscript><meta http-equiv="refresh" content="2"></noscript>'
_SCRIPT: Final = '\n<script type="module" src="_/static/list.js"></script>'
SORTS: Final = {"updated": "Newest first", "title": "By title", "name": "By name", "owner": "By owner"}
_SEARCH: Final = """<form class="list-search" role="search" action="./">
<label class="search"><svg class="icon" aria-hidden="true"><use href="_/static/icons.svg#search"></use></svg>
<span class="sr">Search</span><input type="search" name="q" value="{q}" placeholder="Search" autocomplete="off" \
spellcheck="false"></label>
<label class="sort"><span class="sr">Order</span><select name="sort">{options}</select></label>
<noscript><button type="submit">Search</button></noscript>
</form>
"""
_FIRST: Final = """<section class="list-empty">
<h2>Nothing is published here yet</h2>
<p>Publish a plot from Python, and it appears here, with its own address:</p>
<pre><code>import bigviz as bv

plot = bv.figure(title="Trips", x_axis_type="mercator", y_axis_type="mercator")
plot.points("trips.parquet", x="lon", y="lat")

bv.connect("{address}").publish("trips", plot)</code></pre>
<p>Or from a terminal: <code>bigviz publish app.py trips --url {address}</code></p>
</section>
"""


@dataclass(frozen=True)
class ListView:
    """A page of the list as somebody sees it.

    `next` is where the following page begins, `first` whether this is the first. `user` is who is signed in, and
    `signs_in` whether there is a login for those who are not. `publishes`: the caller may publish, at `address`.
    `searches`: there is a library to search. `failed`: the app's script has an error.
    """

    documents: Sequence[ListedDocument]
    now: float
    next: str | None = None
    first: bool = True
    q: str = ""
    sort: str = "updated"
    user: str | None = None
    signs_in: bool = False
    publishes: bool = False
    address: str = ""
    searches: bool = False
    failed: bool = False


def page_head(title: str, root: str, more: str = "") -> str:
    """The beginning of a page, up to its body's first element. `title` is text, `more` is HTML for the head, `root` the
    relative address of the list."""
    return _HEAD.format(title=html.escape(title), root=html.escape(root), more=more)


def list_page(view: ListView) -> bytes:
    """The list as a page. While documents are being opened, its script (or, without scripts, the browser) asks for it
    again, also once the app works that `failed`."""
    waits = any(each.rows is None and each.version is None for each in view.documents)
    more = (_SCRIPT if waits or view.searches else "") + (_AGAIN if waits else "")
    page = (
        page_head("Plots", "", more)
        + '<header><img class="list-mark" src="_/static/mark.svg" alt="" width="28" height="28"><h1>Plots</h1>\n'
        + (_search(view) if view.searches else "")
        + f'<p class="list-end">{_account(view)}</p></header>\n'
        + f"<main{' data-opening' if waits else ''}>\n{_body(view)}</main>\n</body>\n</html>\n"
    )
    return page.encode(errors="xmlcharrefreplace")


def missing_page(name: str | None, guesses: Sequence[tuple[str, str]], root: str) -> bytes:
    """The page for an unknown address: of the document `name`, or of something else (None). `guesses` are documents
    with similar names, as (name, title); `root` is the relative address of the list.
    """
    words = "There is nothing at this address" if name is None else f"There is no plot named “{name}”"
    links = "".join(
        f'<li><a href="{html.escape(root + address(each))}">{html.escape(title)}</a></li>\n' for each, title in guesses
    )
    near = f"<p>Did you mean:</p>\n<ul>\n{links}</ul>\n" if guesses else ""
    return _alone("Not found", words, near, root)


def refused_page(message: str, root: str) -> bytes:
    """The page of a request that is refused, which says why; `root` is the relative address of the list."""
    return _alone("Not allowed", "Not allowed", f"<p>{html.escape(message)}</p>\n", root)


def _alone(title: str, heading: str, body: str, root: str) -> bytes:
    page = (
        page_head(title, root)
        + f'<main class="missing"><h1>{html.escape(heading)}</h1>\n{body}'
        + f'<a class="missing-back" href="{html.escape(root or "./")}">All plots</a></main>\n</body>\n</html>\n'
    )
    return page.encode(errors="xmlcharrefreplace")


def _search(view: ListView) -> str:
    options = "".join(
        f'<option value="{value}"{" selected" if value == view.sort else ""}>{words}</option>'
        for value, words in SORTS.items()
    )
    return _SEARCH.format(q=html.escape(view.q), options=options)


def _account(view: ListView) -> str:
    count = counted(len(view.documents), "plot") if view.first and view.next is None else ""
    words = f'<span class="muted">{count}</span>' if count and not view.q else ""
    if view.user is not None:
        return f'{words}<a href="_/account">{html.escape(view.user)}</a>'
    return f'{words}<a href="_/login">Sign in</a>' if view.signs_in else words


def _body(view: ListView) -> str:
    if not view.documents:
        return _nothing(view)
    cards = "".join(card(each, view.now, view.failed) for each in view.documents)
    links = []
    if not view.first:
        links.append(f'<a href="{html.escape(_link(view, None))}">First page</a>')
    if view.next is not None:
        links.append(f'<a rel="next" href="{html.escape(_link(view, view.next))}">Next page</a>')
    pages = f'<nav class="pages" aria-label="Pages">{"".join(links)}</nav>\n' if links else ""
    return f'<ul class="cards">\n{cards}</ul>\n{pages}'


def _nothing(view: ListView) -> str:
    if view.q or not view.first:
        words = f"No plot matches “{view.q}”" if view.q else "There are no more plots"
        return (
            f'<section class="list-empty"><h2>{html.escape(words)}</h2>\n'
            '<p><a href="./">Show all plots</a></p></section>\n'
        )
    if view.publishes:
        return _FIRST.format(address=html.escape(view.address))
    more = '<p><a href="_/login">Sign in</a> to see those that you may see.</p>' if view.signs_in else ""
    return f'<section class="list-empty"><h2>There are no plots to see here</h2>\n{more}</section>\n'


def _link(view: ListView, after: str | None) -> str:
    given = {"q": view.q, "sort": "" if view.sort == "updated" else view.sort, "after": after or ""}
    query = urlencode({key: value for key, value in given.items() if value}, quote_via=quote)
    return f"./?{query}" if query else "./"
