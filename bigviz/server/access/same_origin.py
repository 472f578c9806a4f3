"""Which requests come from pages of other origins: they change nothing, and use no cookie.

Browsers say it themselves, in Sec-Fetch-Site and Origin, and pages cannot forge either. What is no browser sends
neither, and is nobody's unwitting helper. A page of this server that stands in a frame of a foreign one asks as the
foreign one would, and says so by `?embed` in its addresses: what a visitor of that page sees does not depend on who
they are here.
"""

from __future__ import annotations

from typing import Final

from tornado.httputil import HTTPServerRequest

from bigviz.common.errors import Forbidden
from bigviz.common.web.origins import DEFAULT_PORTS, origin_text, parse_host, parse_origin

__all__ = [
    "SAFE", "foreign_origin", "framing_origin", "from_foreign_page", "has_own_origin", "is_embedded", "is_framed",
    "refuse_foreign_change",
]  # fmt: skip

SAFE: Final = frozenset(("GET", "HEAD"))
_FRAMES: Final = frozenset(("iframe", "frame", "embed", "object", "fencedframe"))


def refuse_foreign_change(request: HTTPServerRequest) -> None:
    """Forbidden for a method that changes something, sent by a page of another origin.

    `same-site` is another origin: another port of this machine, or a neighbour's subdomain.
    """
    if request.method in SAFE:
        return
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin" or not has_own_origin(request):
        raise Forbidden("Another page sent this request: only pages of this server may change something here.")


def from_foreign_page(request: HTTPServerRequest) -> bool:
    """Whether a page of another origin sent the request, or shows its answer within itself.

    A link on a foreign page, which opens this server's page in its stead, does not count.
    """
    if not has_own_origin(request):
        return True
    within = request.headers.get("Sec-Fetch-Dest", "document") != "document"
    return within and request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site")


def is_embedded(request: HTTPServerRequest) -> bool:
    """Whether the request comes from a page of this server that is meant for frames of foreign ones."""
    return "embed" in request.query_arguments


def is_framed(request: HTTPServerRequest) -> bool:
    """Whether the answer is to stand in a frame of a page of another origin, as far as its browser tells."""
    headers = request.headers
    foreign = headers.get("Sec-Fetch-Site") in ("cross-site", "same-site")
    return foreign and headers.get("Sec-Fetch-Dest") in _FRAMES


def framing_origin(request: HTTPServerRequest) -> str | None:
    """The origin of the page that has the frame, where its browser tells it in Referer."""
    scheme, _, rest = request.headers.get("Referer", "").partition("://")
    parsed = parse_origin(f"{scheme}://{rest.partition('/')[0]}")
    return None if parsed is None else origin_text(parsed)


def foreign_origin(request: HTTPServerRequest) -> str | None:
    """The Origin header of a request from a foreign page, as browsers write it; "null" is one too, None is none."""
    text = request.headers.get("Origin")
    if text is None or has_own_origin(request):
        return None
    parsed = parse_origin(text)
    return "null" if parsed is None else origin_text(parsed)


def has_own_origin(request: HTTPServerRequest) -> bool:
    """Whether the Origin header is that of the request's own Host, or there is none. "null" is a foreign one.

    Where a trusted proxy says that the browser speaks https, the origin must be https too.
    """
    text = request.headers.get("Origin")
    if text is None:
        return True
    origin, host = parse_origin(text), parse_host(request.headers.get("Host", ""))
    if origin is None or host is None:
        return False
    scheme, name, port = origin
    if request.protocol == "https" and scheme != "https":
        return False
    return (name, port) == (host[0], host[1] or DEFAULT_PORTS[scheme])
