"""The page as one text with all within itself: for a frame of a notebook's cell, or a file that is opened as it is.

Nothing of it is fetched. Its modules are the bundle where that is of these modules (a wheel has it), else each is a
`data:` address that an import map names, since what a module imports relatively has no meaning there.
"""

from __future__ import annotations

import base64
import hashlib
import json
import posixpath
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bigviz.server.http.page_scripts import MAIN, bundle_of, imported, packages_of
from bigviz.server.http.pages import STATIC

__all__ = ["InlinedPage", "inlined_page"]

_ADDRESS: Final = "../_/static/"
_IMPORT_MAP: Final = re.compile(r'<script type="importmap">.*?</script>\n', re.DOTALL)
_STYLE: Final = re.compile(rf'<link rel="stylesheet" href="{_ADDRESS}([\w.-]+)">')
_ICON: Final = re.compile(r'<link rel="icon"[^>]*>\n')
_BOOT: Final = f'<script src="{_ADDRESS}boot.js"></script>\n'
_SOURCE: Final = re.compile(r'^((?:import|export)\b(?:[^"\';]*\bfrom)?\s*)"([^"]+)"', re.MULTILINE)
_OURS: Final = "bigviz/"
_ICON_SHEET: Final = "bigviz-icons"
_ICON_NAME: Final = "icon-"


@dataclass(frozen=True)
class InlinedPage:
    """The text of a page, and what a Content-Security-Policy of it has to name under `script-src`."""

    text: str
    script_sources: tuple[str, ...]


def inlined_page(feed: str, *, inert: str = "", static: Path = STATIC) -> InlinedPage:
    """The page, whose `#page` has `data-feed`: where what others get over the websocket comes from (main.js).

    `inert` is markup that is put before the page's scripts run, such as data in elements that show nothing.
    """
    page = (static / "index.html").read_text("utf-8")
    scripts = _scripts(page, static)
    page = _ICON.sub("", _IMPORT_MAP.sub("", page)).replace(_BOOT, "").replace(MAIN, "")
    page = _STYLE.sub(lambda found: f"<style>\n{(static / found[1]).read_text('utf-8')}</style>", page)
    page = page.replace(f"{_ADDRESS}icons.svg#", f"#{_ICON_NAME}")
    page = page.replace(f"{_ADDRESS}mark.svg", _data("image/svg+xml", (static / "mark.svg").read_bytes()))
    page = page.replace('id="page"', f'id="page" data-feed="{feed}"', 1)
    sheet = _sheet((static / "icons.svg").read_text("utf-8"))
    head, body, rest = page.partition("<body>")
    elements = "\n".join(f"<script{attributes}>{text}</script>" for attributes, text in scripts)
    rest = rest.replace("</body>", f"{inert}{elements}\n</body>")
    sources = [f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for _, text in scripts]
    by_address = ("data:",) if len(scripts) > 1 else ()
    return InlinedPage(f"{head}{body}\n{sheet}{rest}", (*sources, *by_address))


def _sheet(icons: str) -> str:
    """The icons as an element that shows nothing, whose symbols others use by their name alone (dom.js)."""
    start, end = icons.index("<symbol"), icons.rindex("</svg>")
    symbols = icons[start:end].replace('<symbol id="', f'<symbol id="{_ICON_NAME}')
    return f'<svg id="{_ICON_SHEET}" hidden>\n{symbols}</svg>'


def _scripts(page: str, static: Path) -> list[tuple[str, str]]:
    """The attributes and the text of the scripts: one, the bundle, or an import map and one that begins with it."""
    module, bundle = ' type="module"', bundle_of(static)
    if bundle is not None:
        return [(module, _within_script(bundle.read_text("utf-8")))]
    packages = packages_of(page)
    named = {f"{_OURS}{path}": path for path in ["main.js", *imported(static, "main.js", packages)]} | packages
    addresses = {name: _data("text/javascript", _module(static, path).encode()) for name, path in named.items()}
    return [(' type="importmap"', json.dumps({"imports": addresses})), (module, f'import "{_OURS}main.js";')]


def _module(static: Path, path: str) -> str:
    """A module that imports by the names of the import map."""

    def named(found: re.Match[str]) -> str:
        source = found[2]
        if source.startswith("."):
            source = _OURS + posixpath.normpath(posixpath.join(posixpath.dirname(path), source))
        return f'{found[1]}"{source}"'

    return _SOURCE.sub(named, (static / path).read_text("utf-8"))


def _within_script(text: str) -> str:
    """Text of a script in which no HTML parser finds the script's end: such markup is in strings only."""
    return text.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _data(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
