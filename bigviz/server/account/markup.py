"""The HTML that the pages of people share. What goes in is text: everything is escaped here."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from typing import Final

from bigviz.common.errors import BigvizError

__all__ = ["button", "choice", "form", "note", "page", "paragraph", "section", "text_input"]

_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<link rel="icon" type="image/svg+xml" href="{root}_/static/mark.svg">
<link rel="stylesheet" href="{root}_/static/style.css">
<link rel="stylesheet" href="{root}_/static/list.css">
<link rel="stylesheet" href="{root}_/static/account.css">
<script src="{root}_/static/boot.js"></script>
<script type="module" src="{root}_/static/copy.js"></script>
</head>
<body class="list">
<header><a class="list-home" href="{home}"><img class="list-mark" src="{root}_/static/mark.svg" alt="All plots" \
width="28" height="28"></a><h1>{heading}</h1>{more}</header>
<main class="people">
{body}</main>
</body>
</html>
"""


def page(title: str, root: str, body: str, *, more: str = "") -> bytes:
    """A page; `root` is the relative address of the list of documents, `body` and `more` (in the header) are HTML."""
    text = html.escape(title)
    return _PAGE.format(
        title=text, heading=text, root=html.escape(root), home=html.escape(root or "./"), body=body, more=more
    ).encode()


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


def button(text: str, *, kind: str = "", name: str = "", value: str = "", about: str = "") -> str:
    """A button that sends its form; `about` is what a screen reader says after its text."""
    attribute = f' class="{kind}"' if kind else ""
    sent = f' name="{html.escape(name)}" value="{html.escape(value)}"' if name else ""
    more = f'<span class="sr"> {html.escape(about)}</span>' if about else ""
    return f'<button type="submit"{attribute}{sent}>{html.escape(text)}{more}</button>\n'
