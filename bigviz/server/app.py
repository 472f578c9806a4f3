"""The routes."""

from __future__ import annotations

import re
import time
from typing import Any, Final

from tornado.httputil import HTTPServerRequest
from tornado.web import Application, RequestHandler, _HandlerDelegate

from bigviz.server.access.gate import needs_of
from bigviz.server.account import account, login, sharing
from bigviz.server.api import access, appending, batches, datasets, documents, embedding, openapi, people, users, views
from bigviz.server.controls.live_figure import LiveFigure
from bigviz.server.controls.option_list import OptionList
from bigviz.server.http import layers, pages, status, thumbnail
from bigviz.server.processes.passed_on import PassedOn
from bigviz.server.selections import routes as selections
from bigviz.server.site import Site
from bigviz.server.websocket.connection import Websocket
from bigviz.server.websocket.requests import needs_of_messages

__all__ = ["API", "ROUTES", "make_app"]

_LAYER: Final = r"/(?!_/)([^/]+)/layers/([^/]+)"  # none is below `_`
_TILE: Final = rf"{_LAYER}/tiles/(\d+|\d+,\d+)/(\d+)/(\d+)(@2x)?\.(npy|png|arrow)"
ROUTES: Final = (
    "/", "/D/", "/D/autoload.js", "/D/ws", "/D/layers/L/tilejson.json", "/D/layers/L/tiles/Z/I/J.npy|png|arrow",
    "/D/layers/L/image.npy|png", "/D/layers/L/columns.arrow", "/D/layers/L/bars.arrow",
    "/D/layers/L/rows.arrow|json", "/D/layers/L/rows/N.json", "/D/controls/ID.json",
    "/D/controls/ID/options.json", "/D/layers/L/select", "/D/selections/ID.parquet|arrow|csv|json",
    "/_/api", "/healthz", "/metrics",
)  # fmt: skip


_NAME: Final = r"([^/]+)"
API: Final[tuple[tuple[str, type[RequestHandler]], ...]] = (
    ("/documents", documents.Documents),
    (f"/documents/{_NAME}", documents.Document),
    (f"/documents/{_NAME}/versions", documents.Versions),
    (f"/documents/{_NAME}/restore", documents.Restore),
    (f"/documents/{_NAME}/access", access.DocumentAccess),
    (f"/documents/{_NAME}/embed", embedding.Embed),
    (rf"/documents/{_NAME}/thumbnail\.png", thumbnail.Thumbnail),
    ("/datasets", datasets.Datasets),
    (f"/datasets/{_NAME}", datasets.Dataset),
    (f"/datasets/{_NAME}/append", appending.Append),
    (f"/datasets/{_NAME}/patch", appending.Patch),
    (f"/datasets/{_NAME}/batches", batches.Batches),
    (f"/datasets/{_NAME}/seal", appending.Seal),
    (f"/datasets/{_NAME}/access", access.DatasetAccess),
    ("/me", people.Me),
    ("/tokens", people.Tokens),
    (f"/tokens/{_NAME}", people.Token),
    ("/users", users.AllUsers),
    (f"/users/{_NAME}", users.User),
    (f"/users/{_NAME}/password", users.Password),
    (f"/users/{_NAME}/link", users.Link),
    (f"/users/{_NAME}/tokens", users.UserTokens),
    (r"/openapi\.json", openapi.OpenApi),
)
"""The routes below `/_/api`, which openapi.json describes in full."""


def make_app(site: Site) -> Application:
    """The application of a site; documents are looked up for each request, so they may come later.

    Raises TypeError for a route, or a kind of message, that does not declare what it needs of its caller.
    """
    shared: dict[str, Any] = {"site": site}
    rules: list[tuple[str, type[RequestHandler], dict[str, Any]]] = [
        (_TILE, layers.Tiles, shared),  # first: addresses are tried in turn, and maps ask for these by the hundred
        (r"/", pages.Listing, shared),
        (r"/healthz", status.Health, shared),
        (r"/metrics", status.Metrics, shared),
        (r"/_/static/(.+)", pages.Static, {**shared, "path": str(pages.STATIC)}),
        (r"/_/login", login.Login, shared),
        (r"/_/logout", login.Logout, shared),
        (r"/_/link/([A-Za-z0-9_-]{1,100})", login.Link, shared),
        (r"/_/account", account.Account, shared),
        (r"/_/documents/([^/]+)/access", sharing.DocumentAccess, shared),
        (r"/_/datasets/([^/]+)/access", sharing.DatasetAccess, shared),
        *((rf"/_/api{path}", handler, shared) for path, handler in API),
        (r"/_(?:/.*)?", pages.Missing, shared),
        (r"/([^/]+)", pages.Redirect, shared),
        (r"/([^/]+)/", pages.Page, shared),
        (r"/([^/]+)/autoload\.js", pages.Autoload, shared),
        (r"/([^/]+)/ws", Websocket, shared),
        (r"/([^/]+)/views", views.Views, shared),
        (r"/([^/]+)/controls/([A-Za-z0-9_]{1,64})\.json", LiveFigure, shared),
        (r"/([^/]+)/controls/([A-Za-z0-9_]{1,64})/options\.json", OptionList, shared),
        (rf"{_LAYER}/tilejson\.json", layers.TileJson, shared),
        (rf"{_LAYER}/image\.(npy|png)", layers.Image, shared),
        (rf"{_LAYER}/columns\.arrow", layers.Columns, shared),
        (rf"{_LAYER}/bars\.arrow", layers.Bars, shared),
        (rf"{_LAYER}/rows\.(arrow|json)", layers.Rows, shared),
        (rf"{_LAYER}/rows/(\d{{1,12}})\.json", layers.Row, shared),
        (rf"{_LAYER}/select", selections.Select, shared),
        (r"/([^/]+)/selections/([A-Za-z0-9_-]{1,64})\.(parquet|arrow|csv)", selections.Download, shared),
        (r"/([^/]+)/selections/([A-Za-z0-9_-]{1,64})\.json", selections.Rows, shared),
    ]
    for path, handler, _ in rules:
        if any(need.kind is not None for need in needs_of(handler).values()) and not re.compile(path).groups:
            raise TypeError(f"{handler.__name__} needs a role, but the address {path} names nothing.")
    needs_of_messages()
    return _Routes(
        site,
        [(re.escape(site.prefix) + path, handler, kwargs) for path, handler, kwargs in rules],
        default_handler_class=pages.Missing,
        default_handler_args=shared,
        log_function=_count(site),
        websocket_ping_interval=site.limits.ping_seconds,
        websocket_max_message_size=site.limits.frame_bytes,
    )


class _Routes(Application):
    """Routes, for requests that name this server in their first line too, as those of some proxies do. Those that
    another process of the server has to answer are passed on to it."""

    def __init__(self, site: Site, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._site = site

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> _HandlerDelegate:
        """The handler of a request: RFC 9112, section 3.2.2, wants the host of its first line to count."""
        if not request.path.startswith("/"):
            _to_origin_form(request)
        found: _HandlerDelegate = super().find_handler(request, **kwargs)
        others = self._site.others
        if others is None:
            return found
        place = others.place_for(found.handler_class, request, found.path_args)
        if place is None:
            return found
        return self.get_handler_delegate(request, PassedOn, {"site": self._site, "place": place})


def _to_origin_form(request: HTTPServerRequest) -> None:
    """`http://HOST/PATH` as a request for PATH of HOST."""
    scheme, between, rest = request.path.partition("://")
    host, _, path = rest.partition("/")
    if scheme.lower() in ("http", "https") and between and host and "@" not in host:
        request.headers["Host"] = request.host = host
        request.path = f"/{path}"
        request.uri = f"{request.path}?{request.query}" if request.query else request.path


def _count(site: Site) -> Any:
    """After each answer: the metrics, and an access line with route and status but no address and no query."""

    def done(handler: RequestHandler) -> None:
        if isinstance(handler, PassedOn):
            return  # who answers it counts it
        route = type(handler).__name__.lower()
        seconds = time.time() - handler.request._start_time
        site.answered(route, str(handler.request.method), handler.get_status(), seconds)

    return done
