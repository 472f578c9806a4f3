"""What a reverse proxy says of the request it passes on, believed only where the operator named the proxy's address."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from tornado.httputil import HTTPServerRequest

from bigviz.common.errors import BadInput
from bigviz.common.web.origins import parse_host
from bigviz.common.web.public_url import PATH

__all__ = ["Proxies", "is_forwarded", "stripped_prefix"]

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_X_FORWARDED: Final = "x-forwarded-"
_FORWARDED: Final = frozenset(
    (
        "cf-connecting-ip",
        "client-ip",
        "fastly-client-ip",
        "forwarded",
        "true-client-ip",
        "via",
        "x-client-ip",
        "x-cluster-client-ip",
        "x-original-forwarded-for",
        "x-original-host",
        "x-real-ip",
    )
)


@dataclass(frozen=True)
class Proxies:
    """The addresses of `--trusted-proxy`; empty where none is trusted."""

    networks: tuple[Network, ...] = ()

    @classmethod
    def of(cls, addresses: Iterable[str]) -> Proxies:
        """The proxies at these addresses or in these networks; BadInput for a text that is neither."""
        return cls(tuple(_network(text) for text in addresses))

    def trusts(self, address: str) -> bool:
        """Whether what comes from this address is believed."""
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(found in network for network in self.networks)

    def apply(self, request: HTTPServerRequest) -> bool:
        """Put the client's address, scheme and host into a request that a trusted proxy passed on; False for one that
        came another way.

        The client is the last address of X-Forwarded-For that is no trusted proxy: what stands before it, anybody can
        have written. A header that cannot be parsed changes nothing.
        """
        if not self.trusts(str(request.remote_ip)):
            return False
        hops = [hop.strip() for hop in ",".join(request.headers.get_list("X-Forwarded-For")).split(",")]
        for hop in reversed(hops):
            if not _is_address(hop):
                break
            request.remote_ip = hop
            if not self.trusts(hop):
                break
        scheme = request.headers.get("X-Forwarded-Proto", "").rpartition(",")[2].strip().lower()
        if scheme in ("http", "https"):
            request.protocol = scheme
        host = request.headers.get("X-Forwarded-Host", "").rpartition(",")[2].strip()
        if host and parse_host(host) is not None:
            request.headers["Host"] = request.host = host
        return True


def stripped_prefix(request: HTTPServerRequest) -> str:
    """The path that a proxy has stripped from the front of a request's, as the last value of X-Forwarded-Prefix says;
    "" without one, or where it is no path. Only to be believed of a trusted proxy."""
    path = request.headers.get("X-Forwarded-Prefix", "").rpartition(",")[2].strip().rstrip("/")
    return path if PATH.fullmatch(path) else ""


def is_forwarded(request: HTTPServerRequest) -> bool:
    """Whether a proxy passed this request on, or somebody says so: by Forwarded, any X-Forwarded- header, or another
    one of those that proxies set.

    So does HTTP/1.0: nginx speaks it to what is behind it, and names that as the Host, until it is told otherwise.
    """
    if request.version == "HTTP/1.0":
        return True
    names = [name.lower() for name in request.headers]
    return any(name in _FORWARDED or name.startswith(_X_FORWARDED) for name in names)


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        message = f"--trusted-proxy takes an address or a network, such as 10.0.0.5 or 10.0.0.0/24, got {text!r}."
        raise BadInput(message, "trusted-proxy", text) from None


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
