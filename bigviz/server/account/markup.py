"""The HTML that the pages of people share. What goes in is text: everything is escaped here."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from bigviz.common.errors import BigvizError
from bigviz.server.http.list_page import page_head

__all__ = ["button", "choice", "copyable", "form", "note", "page", "paragraph", "section", "table", "text_input"]

_MORE: Final = """
<link rel="stylesheet" href="{root}_/static/account.css">
<script type="module" src="{root}_/static/{script}"></script>"""
_BODY: Final = """<header>\
<a class="list-home" href="{home}"><img class="list-mark" src="{root}_/static/mark.svg" alt="All plots" \
width="28" height="28"></a><h1>{heading}</h1>{more}</header>
<main class="people">
{body}</main>
</body>
</html>
"""


def page(title: str, root: str, body: str, *, more: str = "", script: str = "copy.js") -> bytes:
    """A page; `root` is the relative address of the list of documents, `body` and `more` (in the header) are HTML, and
    `script` is one of the static files."""
    address, home = html.escape(root), html.escape(root or "./")
    head = page_head(title, root, _MORE.format(root=address, script=script))
    return (head + _BODY.format(heading=html.escape(title), root=address, home=home, body=body, more=more)).encode()


def section(title: str, *parts: str) -> str:
    """A part of a page with its own heading."""
    return f"<section>\n<h2>{html.escape(title)}</h2>\n{''.join(parts)}</section>\n"


def paragraph(*lines: str, kind: str = "") -> str:
    """A paragraph of text."""
    attribute = f' class="{kind}"' if kind else ""
    return f"<p{attribute}>{html.escape(' '.join(lines))}</p>\n"


def note(message: BigvizError | str | None, kind: str = "bad") -> str:
    """What went wrong ("bad"), or well ("good"), read aloud when the page comes; nothing without a message."""
    if not message:
        return ""
    message = message.message if isinstance(message, BigvizError) else message
    role = "alert" if kind == "bad" else "status"
    return f'<p class="note {kind}" role="{role}">{html.escape(message)}</p>\n'


def form(action: str, *parts: str, hidden: Mapping[str, str] | None = None, kind: str = "") -> str:
    """A form that POSTs to a relative address."""
    fields = "".join(
        f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">\n'
        for name, value in (hidden or {}).items()
    )
    attribute = f' class="{kind}"' if kind else ""
    return f'<form method="post" action="{html.escape(action)}"{attribute}>\n{fields}{"".join(parts)}</form>\n'


def text_input(name: str, label: str, kind: str = "text", **attributes: str | bool) -> str:
    """A labelled input; an attribute that is True has no value, one that is False is left out."""
    words = [
        f" {key}" if value is True else f' {key}="{html.escape(str(value))}"'
        for key, value in attributes.items()
        if value is not False
    ]
    return (
        f'<label class="field"><span>{html.escape(label)}</span>'
        f'<input type="{kind}" name="{html.escape(name)}"{"".join(words)}></label>\n'
    )


def choice(name: str, label: str, options: Iterable[tuple[str, str]], chosen: str) -> str:
    """A labelled choice of one among (value, text)."""
    items = "".join(
        f'<option value="{html.escape(value)}"{" selected" if value == chosen else ""}>{html.escape(text)}</option>'
        for value, text in options
    )
    return (
        f'<label class="field"><span>{html.escape(label)}</span>'
        f'<select name="{html.escape(name)}">{items}</select></label>\n'
    )


def copyable(id: str, text: str, label: str, action: str, kind: str = "") -> str:
    """A text to be copied: in an input that a screen reader calls `label`, with a button `action` where scripts run."""
    attribute = f' class="{kind}"' if kind else ""
    return (
        f'<div class="copied"><input id="{id}"{attribute} readonly value="{html.escape(text)}" '
        f'aria-label="{html.escape(label)}" spellcheck="false">'
        f'<button type="button" data-copy="{id}" hidden>{html.escape(action)}</button></div>\n'
    )


def table(heads: Sequence[str], rows: Iterable[tuple[Sequence[str], str]], kind: str = "") -> str:
    """A table. A row is its cells' texts, the first of which names it, and a form that acts on it, as HTML."""
    columns = "".join(f'<th scope="col">{html.escape(each)}</th>' for each in heads)
    lines = "".join(
        f'<tr><th scope="row">{html.escape(name)}</th>'
        + "".join(f"<td>{html.escape(each)}</td>" for each in cells)
        + f"<td>{action}</td></tr>\n"
        for (name, *cells), action in rows
    )
    attribute = f' class="{kind}"' if kind else ""
    top = f'<div class="wide"><table{attribute}>\n<thead><tr>{columns}<td></td></tr></thead>\n'
    return f"{top}<tbody>\n{lines}</tbody></table></div>\n"


def button(text: str, *, kind: str = "", name: str = "", value: str = "", about: str = "") -> str:
    """A button that sends its form; `about` is what a screen reader says after its text."""
    attribute = f' class="{kind}"' if kind else ""
    sent = f' name="{html.escape(name)}" value="{html.escape(value)}"' if name else ""
    more = f'<span class="sr"> {html.escape(about)}</span>' if about else ""
    return f'<button type="submit"{attribute}{sent}>{html.escape(text)}{more}</button>\n'
