"""Hosts and origins, parsed, so that they are compared for equality and never by prefix or pattern."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

__all__ = ["DEFAULT_PORTS", "Host", "Origin", "host_text", "origin_text", "parse_host", "parse_origin"]

Host = tuple[str, int | None]
Origin = tuple[str, str, int]

DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_LABELS: Final = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")


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


def host_text(name: str, port: int | None) -> str:
    """A host as it stands in an address."""
    host = f"[{name}]" if ":" in name else name
    return host if port is None else f"{host}:{port}"


def origin_text(origin: Origin) -> str:
    """An origin as browsers write it: without the port that its scheme has anyway."""
    scheme, name, port = origin
    return f"{scheme}://{host_text(name, None if port == DEFAULT_PORTS[scheme] else port)}"


def _is_ip(text: str, version: int) -> bool:
    try:
        return ipaddress.ip_address(text).version == version
    except ValueError:
        return False
