"""A page in one file, with a document's frames in inert elements.

Nothing in it is fetched, and its Content-Security-Policy lets nothing be: scripts run by their hashes alone.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from bigviz.export.html.blocks import Blocks
from bigviz.export.inlined_page import inlined_page
from bigviz.server.http.pages import STATIC

__all__ = ["page_bytes", "page_pieces"]

_PLACE: Final = "<!--data-->"
_TITLE: Final = "<title>bigviz</title>"
_CHARSET: Final = '<meta charset="utf-8">'
_OPENING: Final = "Connecting…"


def page_pieces(title: str, index: Mapping[str, Any], blocks: Blocks) -> Iterator[str]:
    """The text of the page, piece by piece; `index` is what `static/offline/file-socket.js` reads, but for `blocks`."""
    head, tail = _shell(STATIC)
    yield head.replace(_TITLE, f"<title>{html.escape(title)}</title>", 1)
    yield f'<script type="application/json" id="bigviz-index">{_inert({**index, "blocks": blocks.lengths})}</script>\n'
    yield '<script type="text/plain" id="bigviz-blocks">'
    yield from blocks.texts
    yield f"</script>\n{tail}"


def page_bytes() -> int:
    """The size of a page that holds nothing."""
    return len("".join(_shell(STATIC)).encode())


@cache
def _shell(static: Path) -> tuple[str, str]:
    """The page before and after the document's own elements."""
    page = inlined_page("file", inert=f"{_licences(static)}\n{_PLACE}", static=static)
    text = page.text.replace(_OPENING, "Opening…")
    rules = f"default-src 'none'; script-src {' '.join(page.script_sources)}; style-src 'unsafe-inline'; "
    rules += "img-src data: blob:; base-uri 'none'; form-action 'none'"
    policy = f'<meta http-equiv="Content-Security-Policy" content="{rules}">'
    head, _, tail = text.replace(_CHARSET, f"{_CHARSET}\n{policy}", 1).partition(_PLACE)
    return head, tail


def _licences(static: Path) -> str:
    """The notices that the licences of others' code want in each copy of it."""
    text = html.escape((static / "vendor" / "LICENSES.txt").read_text("utf-8"), quote=False)
    return f'<template id="bigviz-licences"><pre>{text}</pre></template>'


def _inert(value: object) -> str:
    """JSON in ASCII that no parser of HTML takes for markup."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
