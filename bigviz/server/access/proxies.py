"""What a reverse proxy says of the request it passes on, believed only where the operator named the proxy's address."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from tornado.httputil import HTTPServerRequest

from bigviz.common.errors import BadInput
from bigviz.server.access.hosts import parse_host

__all__ = ["Proxies", "is_forwarded"]

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_FORWARDED: Final = "forwarded"
_X_FORWARDED: Final = "x-forwarded-"


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


def is_forwarded(request: HTTPServerRequest) -> bool:
    """Whether a proxy passed this request on, or somebody says so: Forwarded, or any X-Forwarded- header."""
    return any(name.lower() == _FORWARDED or name.lower().startswith(_X_FORWARDED) for name in request.headers)


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
