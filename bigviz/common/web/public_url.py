"""The address at which browsers reach a server that stands behind a proxy: an origin and a path."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from bigviz.common.errors import BadInput
from bigviz.common.web.origins import DEFAULT_PORTS, Origin, origin_text, parse_host, parse_origin

__all__ = ["PATH", "PublicUrl"]

PATH: Final = re.compile(r"(/[A-Za-z0-9._~-]+)*")
"""A path in front of all addresses: empty, or one that begins with a slash and ends without one."""


@dataclass(frozen=True)
class PublicUrl:
    """`https://plots.example.org/plots`, as its parts."""

    origin: Origin
    path: str

    @classmethod
    def of(cls, text: str) -> PublicUrl:
        """The parts of an address. BadInput for a text that is none, or has a query or a fragment."""
        scheme, _, rest = text.partition("://")
        host, slash, path = rest.partition("/")
        origin = parse_origin(f"{scheme}://{host}")
        found = f"{slash}{path}".rstrip("/")
        if origin is None or not PATH.fullmatch(found):
            message = f"--public-url takes an address such as https://plots.example.org/plots, got {text[:200]!r}."
            raise BadInput(message, "public-url", text[:200])
        return cls(origin, found)

    @property
    def text(self) -> str:
        """The address, without a slash at its end."""
        return origin_text(self.origin) + self.path

    def names(self, host: str | None) -> bool:
        """Whether a Host header is this address's."""
        scheme, name, port = self.origin
        parsed = parse_host(host or "")
        return parsed is not None and (parsed[0], parsed[1] or DEFAULT_PORTS[scheme]) == (name, port)
