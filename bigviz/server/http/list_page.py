"""The list of documents, and the page for an unknown address, as HTML: every name is text, every link relative."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from bigviz.document.spec import Document

__all__ = ["Entry", "address", "entry_of", "list_page", "missing_page", "refused_page"]

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
_AGAIN: Final = '\n<meta http-equiv="refresh" content="2">'
_CARD: Final = """<li><a href="{url}">
<img src="{thumbnail}" alt="" width="480" height="300" loading="lazy">
<span class="card-text"><span class="card-name">{title}</span>{facts}</span>
</a></li>
"""


@dataclass(frozen=True)
class Entry:
    """A document in the list; rows and columns are those of its tables together, None until they are open."""

    name: str
    title: str
    tables: int = 1
    rows: int | None = None
    columns: int | None = None

    def to_json(self) -> dict[str, Any]:
        """As `GET /` answers it where JSON is requested."""
        return {
            "name": self.name,
            "title": self.title,
            "url": address(self.name),
            "thumbnail": _thumbnail(self.name),
            "rows": self.rows,
            "columns": self.columns,
        }


def entry_of(name: str, document: Document | None) -> Entry:
    """A document's entry in the list; only its name if it is not open."""
    if document is None:
        return Entry(name, name)
    tables: Sequence[Any] = list(document.sources.values())
    rows, columns = sum(each.num_rows for each in tables), sum(len(each.columns()) for each in tables)
    return Entry(name, document.title or name, len(tables), rows, columns)


def address(name: str) -> str:
    """A document's address, relative to the list's."""
    return f"{quote(name, safe='')}/"


def list_page(entries: Sequence[Entry], failed: bool = False) -> bytes:
    """The list as a page. While documents are being opened it loads itself again, also once the app works that
    `failed`."""
    waits = any(each.rows is None for each in entries)
    cards = "".join(
        _CARD.format(
            url=html.escape(address(each.name)),
            thumbnail=html.escape(_thumbnail(each.name)),
            title=html.escape(each.title),
            facts="".join(f'<span class="card-facts">{html.escape(line)}</span>' for line in _facts(each, failed)),
        )
        for each in entries
    )
    page = (
        _HEAD.format(title="Plots", root="", more=_AGAIN if waits else "")
        + '<header><img class="list-mark" src="_/static/mark.svg" alt="" width="28" height="28"><h1>Plots</h1>'
        + f'<span class="muted">{_counted(len(entries), "document")}</span></header>\n'
        + f'<main><ul class="cards">\n{cards}</ul></main>\n</body>\n</html>\n'
    )
    return page.encode(errors="xmlcharrefreplace")


def missing_page(name: str | None, guesses: Sequence[Entry], root: str) -> bytes:
    """The page for an unknown address: of the document `name`, or of something else (None). `guesses` are documents
    with similar names, `root` is the relative address of the list.
    """
    words = "There is nothing at this address" if name is None else f"There is no plot named “{name}”"
    links = "".join(
        f'<li><a href="{html.escape(root + address(each.name))}">{html.escape(each.title)}</a></li>\n'
        for each in guesses
    )
    near = f"<p>Did you mean</p>\n<ul>\n{links}</ul>\n" if guesses else ""
    page = (
        _HEAD.format(title="Not found", root=root, more="")
        + f'<main class="missing"><h1>{html.escape(words)}</h1>\n{near}'
        + f'<a class="missing-back" href="{html.escape(root or "./")}">All plots</a></main>\n</body>\n</html>\n'
    )
    return page.encode(errors="xmlcharrefreplace")


def refused_page(message: str, root: str) -> bytes:
    """The page of a request that is refused, which says why; `root` is the relative address of the list."""
    page = (
        _HEAD.format(title="Not allowed", root=root, more="")
        + f'<main class="missing"><h1>Not allowed</h1>\n<p>{html.escape(message)}</p>\n'
        + f'<a class="missing-back" href="{html.escape(root or "./")}">All plots</a></main>\n</body>\n</html>\n'
    )
    return page.encode()


def _facts(entry: Entry, failed: bool) -> list[str]:
    """The lines under a title: the name where it says more, and the size."""
    lines = [entry.name] if entry.title.casefold() != entry.name.casefold() else []
    if entry.rows is None or entry.columns is None:
        return [*lines, "the app has an error" if failed else "opening…"]
    tables = [_counted(entry.tables, "table")] if entry.tables > 1 else []
    return [*lines, " · ".join([*tables, _counted(entry.rows, "row"), _counted(entry.columns, "column")])]


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' * (count != 1)}"


def _thumbnail(name: str) -> str:
    return f"_/api/documents/{quote(name, safe='')}/thumbnail.png"
