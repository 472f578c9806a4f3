"""Which Host and Origin headers are answered. Parsed and compared for equality, never by prefix or pattern.

A page of another site that resolves its own name to this machine (DNS rebinding) sends its own name as Host, and a
page that opens a socket here sends its own Origin: both are refused unless they were allowed by name.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, TypeVar

from bigviz.common.errors import BadInput
from bigviz.common.web.origins import DEFAULT_PORTS, Host, Origin, host_text, origin_text, parse_host, parse_origin

__all__ = ["Hosts", "is_loopback"]

T = TypeVar("T")

_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
_ANY: Final = ("0.0.0.0", "::", "")


@dataclass(frozen=True)
class Hosts:
    """The allow-lists of one server; `named` are the origins that the operator named for other pages, `public` is that
    of its own pages behind a proxy, `scheme` is what it speaks."""

    hosts: frozenset[Host]
    origins: frozenset[Origin]
    named: frozenset[Origin] = frozenset()
    scheme: str = "http"
    public: Origin | None = None

    @classmethod
    def of(
        cls,
        address: str,
        port: int | None,
        hosts: Iterable[str] = (),
        origins: Iterable[str] = (),
        *,
        tls: bool = False,
        public: Origin | None = None,
    ) -> Hosts:
        """The lists of a server that listens at `address` and `port`, or (`port` None) at a unix socket.

        A loopback server is named 127.0.0.1, localhost or ::1 with its port, at a unix socket without one; another
        server by its address and by this machine's name. An allowed host "name" stands for that name with the server's
        port or with none (a proxy in front), "name:port" for that port alone. Origins are http on all of these, https
        on the allowed hosts (a proxy may do TLS), and `origins`; with `tls` the server speaks https itself, and they
        are https alone. `public` is the origin of the pages that people open, and its host is one of the server's.
        Raises BadInput for one that cannot be parsed.
        """
        scheme = "https" if tls else "http"
        usual = DEFAULT_PORTS[scheme]
        names: set[str] = set(_LOOPBACK)
        if address in _ANY:
            names |= _own_names()
        elif not is_loopback(address):
            names.add(address.lower().strip("[]"))
        own: set[Host] = {(name, port) for name in names} | {(name, None) for name in names if port == usual}
        given: set[Host] = set()
        for text in hosts:
            name, at = _parsed(parse_host(text), "allow-host", text)
            given |= {(name, at)} if at is not None else {(name, None), (name, port)}
        allowed = {(scheme, name, usual if at is None else at) for name, at in own | given}
        allowed |= {("https", name, 443 if at is None else at) for name, at in given}
        if public is not None:
            allowed.add(public)
            given.add((public[1], None if public[2] == DEFAULT_PORTS[public[0]] else public[2]))
        named = frozenset(_parsed(parse_origin(text), "allow-origin", text) for text in origins)
        return cls(frozenset(own | given), frozenset(allowed) | named, named, scheme, public)

    def allows_host(self, header: str | None) -> bool:
        """Whether a Host header names this server."""
        parsed = parse_host(header or "")
        if parsed is None:
            return False
        name, port = parsed
        return parsed in self.hosts or (port in DEFAULT_PORTS.values() and (name, None) in self.hosts)

    def allows_origin(self, header: str | None) -> bool:
        """Whether a page of this origin may open a socket; none and "null" may not."""
        parsed = parse_origin(header or "")
        return parsed is not None and parsed in self.origins

    def lets_in(self, header: str | None) -> bool:
        """Whether `--allow-origin` names the origin of an Origin header."""
        parsed = parse_origin(header or "")
        return parsed is not None and parsed in self.named

    def scheme_of(self, header: str | None) -> str:
        """How browsers reach the host of a Host header: "https" where the server speaks it or the operator named the
        host's https origin, as behind a proxy that ends TLS, else "http". What a request says of its proxy is not
        believed here."""
        name, port = parse_host(header or "") or ("", None)
        secure = ("https", name, port or DEFAULT_PORTS["https"])
        return "https" if secure in self.named or secure == self.public else self.scheme

    def host_texts(self) -> list[str]:
        """The allowed hosts for people, sorted."""
        return sorted(host_text(name, port) for name, port in self.hosts)

    def named_texts(self) -> list[str]:
        """The origins of `--allow-origin` as browsers write them, sorted."""
        return sorted(map(origin_text, self.named))

    def origin_texts(self) -> list[str]:
        """The allowed origins for people, sorted."""
        return sorted(map(origin_text, self.origins))


def is_loopback(address: str) -> bool:
    """Whether only this machine can reach a server at this address."""
    if address.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return False


def _parsed(value: T | None, field: str, text: str) -> T:
    if value is None:
        example = "https://plots.example.org" if field == "allow-origin" else "plots.example.org:8080"
        raise BadInput(f"--{field} takes a form like {example}, got {text!r}.", field, text)
    return value


def _own_names() -> set[str]:
    name = socket.gethostname()
    names = {name.lower(), socket.getfqdn().lower()}
    with suppress(OSError):  # a machine that cannot resolve its own name is reached by an address given as --allow-host
        names |= {str(info[4][0]) for info in socket.getaddrinfo(name, None)}
    return {each for each in names if each}
