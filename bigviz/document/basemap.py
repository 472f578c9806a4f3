"""The map below a mercator figure: what an address of its tiles may be, and whom it makes a page ask.

The address is written by whoever makes the document and fetched by the browsers of those who look at it, never by the
server. Its origin goes into the page's Content-Security-Policy, so its grammar is narrow: http or https, a host of
letters, digits, hyphens and dots, and no user, space, quote, semicolon or comma before the path.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from bigviz.common.errors import BadInput
from bigviz.document.json_values import instance, text, wrong
from bigviz.document.spec import BasemapSpec

if TYPE_CHECKING:
    from bigviz.document.spec import Document

__all__ = ["MOST_ORIGINS", "basemap", "figure_basemap", "map_origins", "origins"]

MOST_ORIGINS: Final = 12  # of one document: all stand in a header of its page
_SUBDOMAINS: Final = ("a", "b", "c")
_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}
_DEEPEST: Final = 24
_LONGEST: Final = 2_000
_LONGEST_CREDIT: Final = 300
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_URL: Final = re.compile(
    rf"(?P<scheme>https?)://(?P<host>(?:\{{s\}}\.)?{_LABEL}(?:\.{_LABEL})*)(?::(?P<port>[0-9]{{1,5}}))?"
    r"(?P<path>/(?:[A-Za-z0-9._~!$&'()*+,;=:@/?%-]|\{[zxyr]\})*)"
)
_WANTED: Final = "an address of map tiles, such as https://tile.example/{z}/{x}/{y}.png"


def basemap(value: Any, path: str) -> BasemapSpec:
    """The reader of a figure's `basemap`. Raises BadInput."""
    return instance(BasemapSpec, {"url": _url, "attribution": _attribution, "max_zoom": _zoom}, value, path)


def figure_basemap(url: object, attribution: object, max_zoom: object) -> BasemapSpec | None:
    """The map that `bigviz.figure` is asked for; None without an address. Raises BadInput."""
    if url is None:
        if attribution is not None:
            raise BadInput("attribution is for a map: give the address of its tiles as basemap.", "basemap")
        return None
    if attribution is None:
        raise BadInput(
            "A basemap needs attribution: who made the map, as its host asks for, such as "
            '"© OpenStreetMap contributors".',
            "attribution",
        )
    return BasemapSpec(_url(url, "basemap"), _attribution(attribution, "attribution"), _zoom(max_zoom, "max_zoom"))


def origins(spec: BasemapSpec) -> tuple[str, ...]:
    """The origins that its tiles are fetched from, as a browser writes them: one, or three where the host begins with
    `{s}`."""
    found = _URL.fullmatch(spec.url)
    if found is None:
        raise BadInput(f"basemap.url: expected {_WANTED}, got {spec.url!r}.", "basemap.url", spec.url)
    port = "" if found["port"] is None else f":{int(found['port'])}"
    port = "" if port == _DEFAULT_PORTS[found["scheme"]] else port
    host = found["host"].lower()
    hosts = [host.replace("{s}", each) for each in _SUBDOMAINS] if host.startswith("{s}") else [host]
    return tuple(f"{found['scheme']}://{each}{port}" for each in hosts)


def map_origins(document: Document) -> tuple[str, ...]:
    """The origins of the tiles of all maps of a document, sorted, each once."""
    found = {origin for figure in document.figures() if figure.basemap for origin in origins(figure.basemap)}
    return tuple(sorted(found))


def _url(value: Any, path: str) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise wrong(path, f"{_WANTED}, of at most {_LONGEST} characters", value)
    found = _URL.fullmatch(value)
    if found is None:
        raise wrong(path, f"{_WANTED}: http or https, a host by its name or IPv4 address, a path", value)
    for each in ("{z}", "{x}", "{y}"):
        if found["path"].count(each) != 1:
            raise wrong(path, f"{_WANTED}, with {each} once in its path", value)
    if found["port"] is not None and not 1 <= int(found["port"]) <= 65_535:
        raise wrong(path, "a port from 1 to 65535", found["port"])
    return value


def _attribution(value: Any, path: str) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST_CREDIT:
        raise wrong(path, f"who made the map, as plain text of 1 to {_LONGEST_CREDIT} characters", value)
    return text(value, path)


def _zoom(value: Any, path: str) -> int:
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if isinstance(value, bool) or not whole or not 0 <= value <= _DEEPEST:
        raise wrong(path, f"a whole number from 0 to {_DEEPEST}", value)
    return int(value)
