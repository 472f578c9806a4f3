"""Which requests come from pages of other origins: they change nothing, and use no cookie.

Browsers say it themselves, in Sec-Fetch-Site and Origin, and pages cannot forge either. What is no browser sends
neither, and is nobody's unwitting helper.
"""

from __future__ import annotations

from typing import Final

from tornado.httputil import HTTPServerRequest

from bigviz.common.errors import Forbidden
from bigviz.server.access.hosts import DEFAULT_PORTS, parse_host, parse_origin

__all__ = ["SAFE", "from_foreign_page", "has_own_origin", "refuse_foreign_change"]

SAFE: Final = frozenset(("GET", "HEAD"))


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
