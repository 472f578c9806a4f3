"""The list of documents, the page of one, by itself and in frames of other pages, and the static files."""

from __future__ import annotations

import base64
import hashlib
import html
import mimetypes
import os
import time
from collections.abc import Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from tornado.web import HTTPError

from bigviz.common.daemon_thread import in_thread
from bigviz.common.did_you_mean import near
from bigviz.common.errors import BigvizError, Forbidden, NotFound, Unauthorized
from bigviz.common.web.content_coding import Stamp, chosen, encoded, encoded_file, is_text, stamp
from bigviz.library.views import is_view_id
from bigviz.server.access.admission import sign_in_first
from bigviz.server.access.foreign_pages import refusal
from bigviz.server.access.gate import Need
from bigviz.server.access.same_origin import framing_origin, is_embedded, is_framed
from bigviz.server.documents.lists import list_documents, served_documents
from bigviz.server.documents.maps import origins_of_maps
from bigviz.server.error_json import status_of
from bigviz.server.http.base import Handler
from bigviz.server.http.content_types import HTML, JAVASCRIPT
from bigviz.server.http.document_card import address, thumbnail
from bigviz.server.http.list_page import SORTS, ListView, list_page, missing_page, page_head, refused_page
from bigviz.server.http.page_scripts import import_map, module_files, with_scripts
from bigviz.server.request_values import choice
from bigviz.server.site import Site

if TYPE_CHECKING:
    from bigviz.server.documents.merged_pages import ListedDocument

__all__ = ["STATIC", "Autoload", "HtmlHandler", "Listing", "Missing", "Page", "Redirect", "Static", "content_policy"]

STATIC: Final = Path(__file__).resolve().parent.parent.parent / "static"
_MOST_GUESSES: Final = 3
_A_PAGE: Final = 60  # documents
_OF_A_HASH: Final = "!$&'()*+,;=:@/?%-._~"  # characters that stand in one as they are
_KINDS: Final = {".js": JAVASCRIPT}  # else what the machine's own list of types makes of it
_LARGE: Final = 1 << 16  # bytes of a file: to compress more takes some milliseconds
_NOT_HERE: Final = '<main class="missing"><p>{words}</p></main>\n</body>\n</html>\n'


def content_policy(page: str = "", pictures: Sequence[str] = (), ancestors: str = "'none'") -> str:
    """The Content-Security-Policy of a page: scripts from this server only, plus its own import map, by hash; pictures
    from other origins only for the maps of its document; the pages of `ancestors` may have it in a frame."""
    text = import_map(page)
    scripts = "'self'"
    if text is not None:
        scripts += f" 'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
    images = " ".join(("'self'", "data:", "blob:", *pictures))
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'self' 'unsafe-inline'; img-src {images}; "
        f"connect-src 'self'; font-src 'self'; frame-ancestors {ancestors}; base-uri 'none'; form-action 'self'"
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
            address=self.front,
            searches=site.library is not None,
            failed=bool(site.failures),
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

    need = Need.shown()

    async def answer(self, *args: str) -> None:
        (name,) = args
        self.set_status(301)
        self.set_header("Location", address(name))
        self.finish()


class Page(HtmlHandler):
    """`/D/`: the page, which learns its document from the websocket. Its bytes are the same for every document, but
    for the origins that tiles of maps may come from: the policy allows them, and a `meta` element tells the page.

    `/D/?embed=1` is the page for frames of those pages that `--allow-origin` names. Everybody gets it, for every name:
    its socket, which uses no cookie, asks for the document. Only of one that may be seen by such a page it tells the
    origins of maps. Browsers that want `/D/` for a frame of another origin are led there, so that no foreign page has
    one in a frame that uses the cookies of its visitor.
    """

    need = Need.shown()
    _is_seen = True

    async def admit(self, need: Need) -> None:
        """Kept views and the origins of maps are told to those alone who may see the document."""
        framed = is_embedded(self.request) or is_framed(self.request)
        try:
            await super().admit(need)
        except (Forbidden, NotFound, Unauthorized):
            if not framed or "v" in self.request.query_arguments:
                raise
            self._is_seen = False

    async def answer(self, *args: str) -> None:
        (name,) = args
        embed = self._embed
        if is_framed(self.request) and not self._may_frame():
            self.finish()
        elif (view := self.query("v")) is not None:
            self._redirect(f"./{embed}#{quote(await self._view(name, view), safe=_OF_A_HASH)}")
        elif embed and not is_embedded(self.request):
            self._redirect(f"./{embed}")
        else:
            await self._write_page(name, bool(embed))
            self.finish()

    @property
    def _embed(self) -> str:
        """The query of the page for frames, where that is asked for."""
        if self.query("embed") == "token":
            return "?embed=token"
        return "?embed=1" if is_embedded(self.request) or is_framed(self.request) else ""

    async def _write_page(self, name: str, embed: bool) -> None:
        if self.site.loaded is not None:
            self.site.loaded.expect()
        ancestors = " ".join(["'self'", *self.site.hosts.named_texts()]) if embed else "'self'"
        maps = await origins_of_maps(self.site, name) if self._is_seen else ()
        sources = (STATIC / "index.html", *STATIC.glob("page.js"), *module_files(STATIC))
        page, policy, etag = _page(STATIC, maps, self.site.basemaps, ancestors, *map(stamp, sources))
        self.set_header("Content-Type", HTML)
        self._let_frame(ancestors, policy)
        coding = chosen(self.request.headers.get("Accept-Encoding", ""), ("gzip",))
        self.vary("Accept-Encoding")
        if coding is not None:
            self.set_header("Content-Encoding", coding)
        if not self.same(f"{etag}-{coding}" if coding else etag):
            self.write(encoded(page, coding))

    def _let_frame(self, ancestors: str, policy: str) -> None:
        """Say which pages may have this one in a frame."""
        self.set_header("Content-Security-Policy", policy)
        if ancestors == "'self'":
            self.set_header("X-Frame-Options", "SAMEORIGIN")
        else:
            self.clear_header("X-Frame-Options")  # it knows no list of origins

    def _may_frame(self) -> bool:
        """Whether the page that has the frame may, as far as its browser tells; else the frame says why not.

        The policy of the page is what keeps others out: this is for the sentence, which a browser would not show.
        """
        origin, hosts = framing_origin(self.request), self.site.hosts
        if hosts.named and (origin is None or hosts.lets_in(origin)):
            return True
        self.site.access.foreign_pages.tell(origin)
        self.restart(403)
        self.set_header("Content-Type", HTML)
        self._let_frame("*", content_policy(ancestors="*"))
        script = f'<script src="{self.root}_/static/embed/refused.js" defer></script>\n'
        self.write(page_head("Not allowed", self.root, script) + _NOT_HERE.format(words=html.escape(refusal(origin))))
        return False

    async def _view(self, name: str, id: str) -> str:
        """The view that was kept under an id, of this document alone."""
        library = self.site.library
        hash = None if library is None else await self.site.threads.run(library.views.get, name, id)
        if hash is None:
            raise NotFound(
                "There is no such view of this plot: its link is wrong, or has not been used for a long time.", "v", id
            )
        return hash

    def _redirect(self, address: str) -> None:
        """To an address of this page's own."""
        self.set_status(302)
        self.set_header("Location", address)
        self.finish()


class Autoload(Handler):
    """`/D/autoload.js`: the script that puts the document's plot where its tag stands. It is the same for everybody and
    every name, so any page may load it, if only to be told why it shows nothing."""

    need = Need.PUBLIC

    async def answer(self, *args: str) -> None:
        script = (STATIC / "embed" / "autoload.js").read_bytes()
        self.set_header("Content-Type", JAVASCRIPT)
        self.set_header("Access-Control-Allow-Origin", "*")
        self.set_header("Cross-Origin-Resource-Policy", "cross-origin")
        if not self.same(hashlib.sha256(script).hexdigest()):
            self.write(script)
        self.finish()


class Static(Handler):
    """The client's own files, with strong ETags, compressed for those who take that. A symbolic link that leads out of
    the directory is not followed."""

    need = Need.PUBLIC

    def initialize(self, site: Site, path: str) -> None:  # type: ignore[override]
        super().initialize(site)
        self.root_directory = path

    async def answer(self, *args: str) -> None:
        (name,) = args
        path = _file_below(self.root_directory, name)
        if path is None:
            raise HTTPError(404)
        kind = _KINDS.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        accepts = self.request.headers.get("Accept-Encoding", "")
        read = partial(encoded_file, path, kind, accepts)
        body, digest, coding = read() if path.stat().st_size < _LARGE else await in_thread(read)
        if is_text(kind):
            self.vary("Accept-Encoding")
        if coding is not None:
            self.set_header("Content-Encoding", coding)
        if self.same(digest):
            self.finish()
        else:
            await self.send(kind, body)


def _file_below(root: str, name: str) -> Path | None:
    """A file below a directory by its address; None for what is no file, or leads out."""
    if "\0" in name:
        return None
    inside, real = os.path.realpath(root), os.path.realpath(os.path.join(root, name))
    is_inside = os.path.commonpath([inside, real]) == inside and os.path.isfile(real)
    return Path(real) if is_inside else None


@lru_cache(32)
def _page(
    static: Path, maps: tuple[str, ...], may_have_maps: bool, ancestors: str, *_: Stamp
) -> tuple[bytes, str, str]:
    text = with_scripts((static / "index.html").read_text("utf-8"), static)
    told = " ".join(maps) if may_have_maps else "none"
    if told:
        text = text.replace("</title>", f'</title>\n<meta name="map-origins" content="{told}">', 1)
    page = text.encode()
    return page, content_policy(text, maps, ancestors), hashlib.sha256(page).hexdigest()
