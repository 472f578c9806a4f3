"""What a request brings to say who sent it: a token, a session, the word of a proxy, or where it comes from."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import Final

from tornado.httputil import HTTPServerRequest

from bigviz.common.web.origins import parse_host
from bigviz.server.access.hosts import is_loopback
from bigviz.server.access.proxies import is_forwarded
from bigviz.server.access.same_origin import foreign_origin, from_foreign_page, is_embedded

__all__ = ["PROTOCOL", "TOKEN_PROTOCOL", "Credentials", "credentials_of", "network_of"]

PROTOCOL: Final = "bigviz"
"""The websocket protocol that the server chooses where a page names one."""
TOKEN_PROTOCOL: Final = "bigviz-token."
"""What stands before a page token among the protocols of a websocket."""

_LONGEST: Final = 2_100  # characters of a token or a session; a user's have 43, a page's at most 2,044
_SITE_BITS: Final = 64  # of an IPv6 address: a host has all addresses below them


@dataclass(frozen=True)
class Credentials:
    """Kept by a socket for as long as it is open, so that what they stand for can be looked up again.

    `local`: the request comes from this machine and names it so, and no proxy passed it on. `foreign`: a page of
    another origin sent it, `origin` where the browser says which; its browser's cookies are not used. `vouched` is the
    user whom the operator's proxy or function names, `until` when it has to be asked again (seconds since the epoch).
    """

    address: str
    local: bool = False
    foreign: bool = False
    token: str | None = field(default=None, repr=False)
    session: str | None = field(default=None, repr=False)
    vouched: str | None = None
    until: float | None = None
    origin: str | None = None


def credentials_of(request: HTTPServerRequest, cookie: str) -> Credentials:
    """The credentials of a request, but for a vouched user; `cookie` is the name of the session's cookie.

    A websocket of a browser has no header of its page's own but its protocols: a page token is one of them.
    """
    address, foreign = str(request.remote_ip), from_foreign_page(request) or is_embedded(request)
    origin = foreign_origin(request)
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return Credentials(address, foreign=foreign, token=token.strip()[:_LONGEST], origin=origin)
    for protocol in request.headers.get("Sec-WebSocket-Protocol", "").split(","):
        if protocol.strip().startswith(TOKEN_PROTOCOL):
            token = protocol.strip().removeprefix(TOKEN_PROTOCOL)[:_LONGEST]
            return Credentials(address, foreign=foreign, token=token, origin=origin)
    morsel = None if foreign else request.cookies.get(cookie)
    session = None if morsel is None else morsel.value[:_LONGEST]
    return Credentials(address, _is_local(request), foreign, session=session, origin=origin)


def network_of(address: str) -> str:
    """What one client may have many of: an IPv4 address, or the first 64 bits of an IPv6 address."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if found.version == 4:
        return address
    return str(ipaddress.ip_network((found, _SITE_BITS), strict=False))


def _is_local(request: HTTPServerRequest) -> bool:
    """Whether the peer and the Host header are this machine's loopback, and no proxy is between."""
    host = parse_host(request.headers.get("Host", ""))
    near = host is not None and is_loopback(host[0]) and is_loopback(str(request.remote_ip))
    return near and not is_forwarded(request)
