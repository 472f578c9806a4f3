"""The list of documents, the page of one, and the static files."""

from __future__ import annotations

import base64
import hashlib
import html
import os
import re
from functools import lru_cache
from pathlib import Path
from typing import Final
from urllib.parse import quote

from tornado.web import HTTPError, StaticFileHandler

from bigviz.common.errors import NotFound
from bigviz.server.error_json import dump
from bigviz.server.http.base import Guarded, Handler
from bigviz.server.http.page_scripts import module_files, with_scripts
from bigviz.server.site import Site

__all__ = ["STATIC", "Listing", "Page", "Redirect", "Static", "content_policy"]

STATIC: Final = Path(__file__).resolve().parent.parent.parent / "static"
_IMPORT_MAP: Final = re.compile(rb'<script type="importmap">(.*?)</script>', re.DOTALL)
_LISTING: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>bigviz</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<link rel="icon" type="image/svg+xml" href="_/static/mark.svg">
<style>
:root {{ background: light-dark(#fff, #0f1217); color: light-dark(#1b1f27, #e7eaf0) }}
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 38rem; margin: 12vh auto 3rem; padding: 0 1rem }}
h1 {{ display: flex; align-items: center; gap: 12px; font-size: 20px; margin: 0 0 1rem }}
ul {{ list-style: none; margin: 0; padding: 0; border-top: 1px solid light-dark(#e1e5eb, #272d37) }}
a {{ display: flex; justify-content: space-between; gap: 1rem; padding: .6rem .5rem; color: inherit; font-weight: 600;
  text-decoration: none; overflow-wrap: anywhere; border-bottom: 1px solid light-dark(#e1e5eb, #272d37) }}
a:hover, a:focus-visible {{ background: light-dark(#f3f5f8, #1b2028); color: light-dark(#1d56c8, #82adff) }}
span {{ font-weight: 400; color: light-dark(#5a6272, #9ba5b5) }}
</style></head><body><main><h1><img src="_/static/mark.svg" alt="" width="26" height="26">Plots</h1><ul>
{items}
</ul></main></body></html>
"""


def content_policy(page: bytes) -> str:
    """The Content-Security-Policy of a page: scripts from this server only, plus its own import map, by hash."""
    found = _IMPORT_MAP.search(page)
    scripts = "'self'"
    if found:
        scripts += f" 'sha256-{base64.b64encode(hashlib.sha256(found[1]).digest()).decode()}'"
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        "connect-src 'self'; font-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    )


class Listing(Handler):
    """`/`: the documents, as a page or, where JSON is asked for, as `{documents: [{name, title, url}]}`."""

    async def answer(self, *args: str) -> None:
        opened = {name: self.site.documents.get(name) for name in self.site.documents.names}
        titles = {name: (document and document.title) or name for name, document in opened.items()}
        self.set_header("Vary", "Accept")
        if "application/json" in self.request.headers.get("Accept", ""):
            self.set_header("Content-Type", "application/json; charset=utf-8")
            documents = [{"name": n, "title": title, "url": _address(n)} for n, title in titles.items()]
            self.finish(dump({"documents": documents}))
            return
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Content-Security-Policy", content_policy(b""))
        items = [
            f'<li><a href="{html.escape(_address(name))}">{html.escape(title)}'
            + (f" <span>{html.escape(name)}</span>" if title.casefold() != name.casefold() else "")
            + "</a></li>"
            for name, title in titles.items()
        ]
        self.finish(_LISTING.format(items="\n".join(items)))


class Redirect(Handler):
    """`/D` to `/D/`. The address is made from the document's registered name, never from the request's text."""

    async def answer(self, *args: str) -> None:
        (name,) = args
        if not self.site.has(name):
            raise NotFound("There is no such document; / lists the documents.", "document", name[:100])
        self.set_status(301)
        self.set_header("Location", _address(name))
        self.finish()


class Page(Handler):
    """`/D/`: the page, the same bytes for every document; it learns its document from the websocket."""

    async def answer(self, *args: str) -> None:
        (name,) = args
        if not self.site.has(name):
            raise NotFound("There is no such document; / lists the documents.", "document", name[:100])
        if self.site.loaded is not None:
            self.site.loaded.expect()
        sources = (STATIC / "index.html", *STATIC.glob("page.js"), *module_files(STATIC))
        page, policy, etag = _page(STATIC, *map(_stamp, sources))
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Content-Security-Policy", policy)
        if not self.same(etag):
            self.write(page)
        self.finish()


class Static(Guarded, StaticFileHandler):
    """The client's own files, with strong ETags. A symbolic link that leads out of the directory is not followed."""

    def initialize(self, site: Site, path: str) -> None:  # type: ignore[override]
        StaticFileHandler.initialize(self, path)
        self.site = site

    @classmethod
    def get_absolute_path(cls, root: str, path: str) -> str:
        try:
            return super().get_absolute_path(root, path)
        except HTTPError:  # 403 for what leads out: an address like any other that is none
            raise HTTPError(404) from None

    def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
        if "\0" in absolute_path:
            raise HTTPError(404)
        inside, real = os.path.realpath(root), os.path.realpath(absolute_path)
        if os.path.commonpath([inside, real]) != inside or not os.path.isfile(real):
            raise HTTPError(404)
        return super().validate_absolute_path(root, absolute_path)

    def get_cache_time(self, path: str, modified: object, mime_type: str) -> int:
        return 0  # Tornado gives ten years to any address with ?v=, and no address of these files has a version

    def compute_etag(self) -> str | None:
        return f'"{_digest(*_stamp(Path(str(self.absolute_path))))}"'


def _stamp(path: Path) -> tuple[Path, int, int]:
    """A file and what changes when it does, so that caches over it need no restart."""
    found = path.stat()
    return path, found.st_mtime_ns, found.st_size


@lru_cache(256)
def _digest(path: Path, changed: int, size: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@lru_cache(4)
def _page(static: Path, *_: tuple[Path, int, int]) -> tuple[bytes, str, str]:
    page = with_scripts((static / "index.html").read_text("utf-8"), static).encode()
    return page, content_policy(page), hashlib.sha256(page).hexdigest()


def _address(name: str) -> str:
    return f"{quote(name, safe='')}/"
