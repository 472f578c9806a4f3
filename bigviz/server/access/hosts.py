"""Which Host and Origin headers are answered. Parsed and compared for equality, never by prefix or pattern.

A page of another site that resolves its own name to this machine (DNS rebinding) sends its own name as Host, and a
page that opens a socket here sends its own Origin: both are refused unless they were allowed by name.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, TypeVar

from bigviz.common.errors import BadInput

__all__ = ["Hosts", "is_loopback", "parse_host", "parse_origin"]

T = TypeVar("T")
Host = tuple[str, int | None]
Origin = tuple[str, str, int]

DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
_ANY: Final = ("0.0.0.0", "::", "")
_LABELS: Final = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")


@dataclass(frozen=True)
class Hosts:
    """The allow-lists of one server; `named` are the origins that the operator named, `scheme` is what it speaks."""

    hosts: frozenset[Host]
    origins: frozenset[Origin]
    named: frozenset[Origin] = frozenset()
    scheme: str = "http"

    @classmethod
    def of(
        cls,
        address: str,
        port: int | None,
        hosts: Iterable[str] = (),
        origins: Iterable[str] = (),
        *,
        tls: bool = False,
    ) -> Hosts:
        """The lists of a server that listens at `address` and `port`, or (`port` None) at a unix socket.

        A loopback server is named 127.0.0.1, localhost or ::1 with its port, at a unix socket without one; another
        server by its address and by this machine's name. An allowed host "name" stands for that name with the server's
        port or with none (a proxy in front), "name:port" for that port alone. Origins are http on all of these, https
        on the allowed hosts (a proxy may do TLS), and `origins`; with `tls` the server speaks https itself, and they
        are https alone.
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
        named = frozenset(_parsed(parse_origin(text), "allow-origin", text) for text in origins)
        return cls(frozenset(own | given), frozenset(allowed) | named, named, scheme)

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

    def scheme_of(self, header: str | None) -> str:
        """How browsers reach the host of a Host header: "https" where the server speaks it or the operator named the
        host's https origin, as behind a proxy that ends TLS, else "http". What a request says of its proxy is not
        believed here."""
        name, port = parse_host(header or "") or ("", None)
        named = ("https", name, port or DEFAULT_PORTS["https"]) in self.named
        return "https" if named else self.scheme

    def host_texts(self) -> list[str]:
        """The allowed hosts for people, sorted."""
        return sorted(_joined(name, port) for name, port in self.hosts)

    def origin_texts(self) -> list[str]:
        """The allowed origins for people, sorted."""
        return sorted(
            f"{scheme}://{_joined(name, None if port == DEFAULT_PORTS[scheme] else port)}"
            for scheme, name, port in self.origins
        )


def parse_host(text: str) -> Host | None:
    """(name, port or None) of "name", "name:port", "1.2.3.4:port" or "[::1]:port"; None if it is none of these."""
    if not text.isascii() or len(text) > 300:
        return None
    name, rest = text.lower(), ""
    if name.startswith("["):
        name, bracket, rest = name[1:].partition("]")
        if not bracket or not _is_ip(name, 6) or "%" in name:
            return None
        name = str(ipaddress.IPv6Address(name))
    else:
        name, colon, rest = name.partition(":")
        rest = colon + rest
        name = name[:-1] if name.endswith(".") else name
        if not _LABELS.fullmatch(name):
            return None
    if not rest:
        return name, None
    port = rest[1:]
    if rest[0] != ":" or not re.fullmatch(r"[0-9]{1,5}", port) or not 1 <= int(port) <= 65_535:
        return None
    return name, int(port)


def parse_origin(text: str) -> Origin | None:
    """(scheme, host, port) of an origin: http or https, a host, nothing after it; None for anything else."""
    scheme, separator, rest = text.partition("://")
    if scheme.lower() not in DEFAULT_PORTS or not separator or any(c in rest for c in "/?#@\\"):
        return None
    parsed = parse_host(rest)
    if parsed is None:
        return None
    name, port = parsed
    return scheme.lower(), name, DEFAULT_PORTS[scheme.lower()] if port is None else port


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


def _is_ip(text: str, version: int) -> bool:
    try:
        return ipaddress.ip_address(text).version == version
    except ValueError:
        return False


def _joined(name: str, port: int | None) -> str:
    host = f"[{name}]" if ":" in name else name
    return host if port is None else f"{host}:{port}"
