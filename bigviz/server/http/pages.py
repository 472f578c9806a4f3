"""The list of documents, the page of one, and the static files."""

from __future__ import annotations

import base64
import hashlib
import os
import time
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from tornado.web import HTTPError, StaticFileHandler

from bigviz.common.did_you_mean import near
from bigviz.common.errors import BigvizError, NotFound, Unauthorized
from bigviz.library.views import is_view_id
from bigviz.server.access.admission import sign_in_first
from bigviz.server.access.gate import Need
from bigviz.server.documents.lists import list_documents, served_documents
from bigviz.server.documents.maps import origins_of_maps
from bigviz.server.error_json import status_of
from bigviz.server.http.base import Guarded, Handler
from bigviz.server.http.content_types import HTML
from bigviz.server.http.document_card import address, thumbnail
from bigviz.server.http.list_page import SORTS, ListView, list_page, missing_page, refused_page
from bigviz.server.http.page_scripts import import_map, module_files, with_scripts
from bigviz.server.request_values import choice
from bigviz.server.site import Site

if TYPE_CHECKING:
    from bigviz.server.documents.merged_pages import ListedDocument

__all__ = ["STATIC", "Listing", "Missing", "Page", "Redirect", "Static", "content_policy"]

STATIC: Final = Path(__file__).resolve().parent.parent.parent / "static"
_MOST_GUESSES: Final = 3
_A_PAGE: Final = 60  # documents
_OF_A_HASH: Final = "!$&'()*+,;=:@/?%-._~"  # characters that stand in one as they are


def content_policy(page: str = "", pictures: Sequence[str] = ()) -> str:
    """The Content-Security-Policy of a page: scripts from this server only, plus its own import map, by hash; pictures
    from other origins only for the maps of its document."""
    text = import_map(page)
    scripts = "'self'"
    if text is not None:
        scripts += f" 'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
    images = " ".join(("'self'", "data:", "blob:", *pictures))
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'self' 'unsafe-inline'; img-src {images}; "
        "connect-src 'self'; font-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    )


class HtmlHandler(Handler):
    """A route that people open: its errors are pages for those whose browser takes one, JSON for others. Who has to
    sign in first is led to the login."""

    @property
    def root(self) -> str:
        """The relative address of the list."""
        return "../" * (self.request.path.removeprefix(self.site.prefix).count("/") - 1)

    def fail(self, error: BigvizError) -> None:
        if self._needs_login(error):
            self.restart(302)
            self.set_header("Location", self._login_address(str(error.got) if error.field == "document" else ""))
            self.finish()
        elif "text/html" not in self.request.headers.get("Accept", ""):
            super().fail(error)
        elif isinstance(error, NotFound):
            self.restart(404)
            missing = str(error.got) if error.field == "document" else None
            names = [] if missing is None else near(missing, list(self.site.documents.names), _MOST_GUESSES)
            guesses = [(each, self._title(each)) for each in names]
            self.write_page(missing_page(missing, guesses, self.root))
            self.finish()
        else:
            self.restart(status_of(error))
            self.write_page(refused_page(error.message, self.root))
            self.finish()

    def _login_address(self, name: str) -> str:
        """The login that leads on to a document, and to the view of it that was asked for. What stands after a # is
        not sent to a server: browsers keep it over this redirect."""
        view = self.request.query_arguments.get("v", [b""])[-1].decode("ascii", "replace")
        more = f"&v={view}" if is_view_id(view) else ""
        return f"{self.root}_/login" + (f"?next={quote(name, safe='')}{more}" if name else "")

    def _title(self, name: str) -> str:
        document = self.site.documents.get(name)
        return name if document is None else document.title or name

    def _needs_login(self, error: BigvizError) -> bool:
        """Whether the login would help: not against a token that is wrong."""
        headers = self.request.headers
        asks_json = "application/json" in headers.get("Accept", "")
        signs_in = self.site.people.signs_in and "Authorization" not in headers
        return isinstance(error, Unauthorized) and signs_in and not asks_json

    def write_page(self, page: bytes) -> None:
        """Write HTML that may use this server's scripts, styles and pictures."""
        self.set_header("Content-Type", HTML)
        self.set_header("Content-Security-Policy", content_policy())
        self.vary("Accept")
        self.write(page)


class Listing(HtmlHandler):
    """`/`: the documents that the caller may see, as a page or, where JSON is asked for, as `{documents: [{name, title,
    url, thumbnail, rows, columns, ...}], next}`."""

    need = Need.LIST

    async def answer(self, *args: str) -> None:
        site, who = self.site, self.principal
        q, after = self.query("q") or "", self.query("after")
        sort = choice(self.query("sort") or "updated", "sort", tuple(SORTS))
        if site.library is None and not q and self.query("sort") is None:
            found, following = served_documents(site, who), None  # in the order of the PATHs
        else:
            found, following = await list_documents(site, who, q=q, sort=sort, limit=_A_PAGE, after=after)
        if not found and who.kind == "nobody":
            raise sign_in_first(site.people)
        if "application/json" in self.request.headers.get("Accept", ""):
            self.vary("Accept")
            self.write_json({"documents": [_told(each) for each in found], "next": following})
        else:
            self.write_page(list_page(self._view(found, following, q, sort, after is None)))
        self.finish()

    def _view(self, found: Sequence[ListedDocument], following: str | None, q: str, sort: str, first: bool) -> ListView:
        site, who = self.site, self.principal
        return ListView(
            found,
            time.time(),
            next=following,
            first=first,
            q=q,
            sort=sort,
            user=who.user,
            signs_in=site.people.signs_in and not who.known,
            publishes=who.known and site.library is not None and "write" in who.scopes,
            address=f"{self.scheme}://{self.request.host}{site.prefix}",
            searches=site.library is not None,
            failed=site.failure is not None,
        )


def _told(each: ListedDocument) -> dict[str, Any]:
    """A document as `/` tells it in JSON."""
    links = {"url": address(each.name), "thumbnail": thumbnail(each.name)}
    return {**each.to_json(), **links, "columns": each.columns}


class Missing(HtmlHandler):
    """Any address that is no route."""

    need = Need.PUBLIC

    async def answer(self, *args: str) -> None:
        raise NotFound("There is nothing at this address; / lists the documents.")


class Redirect(HtmlHandler):
    """`/D` to `/D/`. The address is made from the document's registered name, never from the request's text."""

    need = Need.document("viewer")

    async def answer(self, *args: str) -> None:
        (name,) = args
        self.set_status(301)
        self.set_header("Location", address(name))
        self.finish()


class Page(HtmlHandler):
    """`/D/`: the page, which learns its document from the websocket. Its bytes are the same for every document, but
    for the origins that tiles of maps may come from: the policy allows them, and a `meta` element tells the page."""

    need = Need.document("viewer")

    async def answer(self, *args: str) -> None:
        (name,) = args
        view = self.query("v")
        if view is not None:
            await self._open_view(name, view)
            return
        if self.site.loaded is not None:
            self.site.loaded.expect()
        sources = (STATIC / "index.html", *STATIC.glob("page.js"), *module_files(STATIC))
        page, policy, etag = _page(STATIC, await origins_of_maps(self.site, name), *map(_stamp, sources))
        self.set_header("Content-Type", HTML)
        self.set_header("Content-Security-Policy", policy)
        if not self.same(etag):
            self.write(page)
        self.finish()

    async def _open_view(self, name: str, id: str) -> None:
        """To the address of a view that was kept: this document's, whatever is kept."""
        library = self.site.library
        hash = None if library is None else await self.site.threads.run(library.views.get, name, id)
        if hash is None:
            raise NotFound(
                "There is no such view of this plot: its link is wrong, or has not been used for a long time.", "v", id
            )
        self.set_status(302)
        self.set_header("Location", f"./#{quote(hash, safe=_OF_A_HASH)}")
        self.finish()


class Static(Guarded, StaticFileHandler):
    """The client's own files, with strong ETags. A symbolic link that leads out of the directory is not followed."""

    need = Need.PUBLIC

    def initialize(self, site: Site, path: str) -> None:  # type: ignore[override]
        StaticFileHandler.initialize(self, path)
        self.site = site

    @classmethod
    def get_absolute_path(cls, root: str, path: str) -> str:
        try:
            return super().get_absolute_path(root, path)
        except HTTPError:  # 403 for what leads out: answered like any other unknown address
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


@lru_cache(32)
def _page(static: Path, maps: tuple[str, ...], *_: tuple[Path, int, int]) -> tuple[bytes, str, str]:
    text = with_scripts((static / "index.html").read_text("utf-8"), static)
    if maps:
        text = text.replace("</title>", f'</title>\n<meta name="map-origins" content="{" ".join(maps)}">', 1)
    page = text.encode()
    return page, content_policy(text, maps), hashlib.sha256(page).hexdigest()
