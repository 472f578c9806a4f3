"""The routes beside `/_/api`, described: pages, layers, live figures and selections of a document."""

from __future__ import annotations

import re
from typing import Any, Final

from bigviz.aggregate.layer_options import GLYPHS
from bigviz.server.api.operations import json_of, operation, query
from bigviz.server.api.schemas import Schema

__all__ = ["page_paths"]

_TEXT: Final[Schema] = {"type": "string"}
_NUMBER: Final[Schema] = {"type": "string", "description": "a number in axis space; times as nanoseconds"}
_PLACE: Final[Schema] = {"type": "string", "pattern": r"^[0-9]{1,9}$"}
_COUNT: Final[Schema] = {"type": "integer", "minimum": 1}
_BINARY: Final[Schema] = {"schema": {"type": "string", "format": "binary"}}
_NAMES: Final[dict[str, Schema]] = {
    "name": {"schema": {"type": "string", "minLength": 1}, "description": "a document, or a dataset", "example": "D"},
    "layer": {"schema": _PLACE, "description": "the number of a layer, depth first from 0", "example": "0"},
    "control": {"schema": {"type": "string", "pattern": r"^[A-Za-z0-9_]{1,64}$"}, "example": "fare"},
    "level": {
        "schema": {"type": "string", "pattern": r"^[0-9]{1,2}(,[0-9]{1,2})?$"},
        "description": "of both axes, or ZX,ZY",
        "example": "0",
    },
    "i": {"schema": _PLACE, "description": "counted from the left", "example": "0"},
    "j": {
        "schema": {"type": "string", "pattern": r"^[0-9]{1,9}(@2x)?$"},
        "description": "counted from the top; @2x has twice the pixels (.png)",
        "example": "0",
    },
    "row": {"schema": {"type": "string", "pattern": r"^[0-9]{1,12}$"}, "example": "0"},
    "selection": {"schema": {"type": "string", "pattern": r"^[A-Za-z0-9_-]{1,64}$"}, "example": "S"},
    "secret": {"schema": _TEXT, "example": "S"},
    "path": {"schema": _TEXT, "example": "style.css"},
}
_TILE: Final = "application/octet-stream"
_ARROW: Final = "application/vnd.apache.arrow.file"
_STREAM: Final = "application/vnd.apache.arrow.stream"
_FORMATS: Final = {
    "tiles": {"npy": _TILE, "png": "image/png", "arrow": _ARROW},
    "image": {"npy": _TILE, "png": "image/png"},
    "rows": {"arrow": _ARROW, "json": "application/json"},
    "selections": {"parquet": "application/vnd.apache.parquet", "arrow": _STREAM, "csv": "text/csv"},
}
_OF_LAYER: Final = [
    query("x", _TEXT, "a column, for that of the document"),
    query("y", _TEXT, "a column, for that of the document"),
    query("agg", _TEXT, "a reduction, as mean(fare)"),
    query("glyph", {"enum": list(GLYPHS)}, "for that of the document"),
    query("xaxis", _TEXT, "linear, log, datetime or mercator"),
    query("yaxis", _TEXT, "linear, log, datetime or mercator"),
    query("filter", _TEXT, "an expression that rows have to meet; of controls, p.ID gives the values, in JSON"),
]
_WINDOW: Final = [query(end, _NUMBER, "an end of the window") for end in ("x0", "x1", "y0", "y1")]
_SIZE: Final = [query(side, _COUNT, "in pixels") for side in ("width", "height")]
_COLOURS: Final = [query(name, _TEXT, "of a .png") for name in ("cmap", "how", "low", "high")]
_COLUMNS: Final = query("columns", _TEXT, "names, with commas between")
_GIVEN: Final = "410 413 422"
"""Further statuses of routes that give out rows and pictures."""


def page_paths() -> dict[str, Schema]:
    """The paths, each with its parameters."""
    paths = {**_pages(), **_layers(), **_selections()}
    return {path: {**methods, **_parameters(path)} for path, methods in paths.items()}


def _parameters(path: str) -> Schema:
    """The parameters that stand in a path, in their order."""
    found = []
    for name in re.findall(r"\{(\w+)\}", path):
        known = _format(path) if name == "format" else _NAMES[name]
        found.append({"name": name, "in": "path", "required": True, **known})
    return {"parameters": found} if found else {}


def _format(path: str) -> Schema:
    """What the ending of a path may be."""
    endings = list(next(kinds for name, kinds in _FORMATS.items() if f"/{name}" in path))
    return {"schema": {"enum": endings}, "example": endings[0]}


def _given(summary: str, kinds: list[str], **more: Any) -> Schema:
    """An operation whose answer has one of the content types `kinds`."""
    found = operation(summary, {}, _GIVEN, **more)
    found["responses"]["200"] = {"description": "Done.", "content": dict.fromkeys(kinds, _BINARY)}
    return found


def _html(summary: str, *statuses: str) -> Schema:
    """An operation whose answer is a page, or leads to another address with one of `statuses`."""
    found = _given(summary, ["text/html"])
    for status in statuses:
        found["responses"][status] = {"description": "It is at another address."}
    return found


def _form(summary: str) -> Schema:
    """An operation that takes a form."""
    body: Schema = {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}}
    found = operation(summary, {}, "413", body=body)
    found["responses"] |= {
        "200": {"description": "The page, with what is wrong.", "content": {"text/html": _BINARY}},
        "303": {"description": "Done: the page to go on to."},
    }
    return found


def _pages() -> dict[str, Schema]:
    health = operation("Whether the server listens, and has loaded its documents.", {})
    health["responses"]["200"] = {"description": "Done.", "content": {"application/json": {"schema": {}}}}
    sharing = {"get": _html("Who may see it, for its owner."), "post": _form("Let others see it, or no more.")}
    socket = operation("The websocket of a page: docs/protocol.md.", {})
    socket["responses"]["101"] = {"description": "The socket is open."}
    script = ["text/javascript"]
    return {
        "/": {"get": _html("The documents that the caller may see, as a page, or as JSON where that is asked for.")},
        "/healthz": {"get": health},
        "/metrics": {"get": _given("The server's metrics, as Prometheus reads them.", ["text/plain"])},
        "/_/static/{path}": {"get": _given("A file of the page.", ["text/javascript", "text/css", "image/svg+xml"])},
        "/_/login": {"get": _html("The page to sign in at.", "302"), "post": _form("Sign in.")},
        "/_/logout": {"post": _form("End the session.")},
        "/_/link/{secret}": {"get": _html("The button that uses a link up."), "post": _form("Sign in by a link.")},
        "/_/account": {"get": _html("The caller's password and tokens."), "post": _form("Change them.")},
        "/_/documents/{name}/access": sharing,
        "/_/datasets/{name}/access": sharing,
        "/{name}": {"get": _html("The address of the page, without its slash.", "301")},
        "/{name}/": {"get": _html("The page of a document.", "302")},
        "/{name}/autoload.js": {"get": _given("The script that puts the plot where its tag stands.", script)},
        "/{name}/ws": {"get": socket},
        "/{name}/views": {
            "post": operation(
                "Keep a view of a document under a short address.", {"201": "View"}, "409 413 507", body=json_of("Hash")
            )
        },
        "/{name}/controls/{control}.json": {
            "get": operation("A live figure, with the values p.ID of controls.", {"200": "LiveFigure"}, _GIVEN)
        },
        "/{name}/controls/{control}/options.json": {
            "get": operation("The options of a control that has a column's.", {"200": "ControlOptions"}, _GIVEN)
        },
    }


def _layers() -> dict[str, Schema]:
    at = "/{name}/layers/{layer}"
    tiles, images, rows = (list(_FORMATS[kind].values()) for kind in ("tiles", "image", "rows"))
    more = [query("limit", _COUNT, "rows at most"), query("order_by", _TEXT, "a column"),
            query("desc", {"enum": ["0", "1"]}, "1: the greatest first"), _COLUMNS]  # fmt: skip
    width = query("width", _COUNT, "in pixels")
    select = operation(
        "Select the rows in a shape: how many they are, and statistics of their columns.",
        {"200": "Selection"},
        _GIVEN,
        parameters=_OF_LAYER,
        body=json_of("NewSelection"),
    )
    return {
        f"{at}/tilejson.json": {
            "get": operation("TileJSON 3.0.0, with more.", {"200": "TileJson"}, _GIVEN, parameters=_OF_LAYER)
        },
        f"{at}/tiles/{{level}}/{{i}}/{{j}}.{{format}}": {
            "get": _given("A tile of 256 x 256 cells.", tiles, parameters=[*_OF_LAYER, *_COLOURS])
        },
        f"{at}/image.{{format}}": {
            "get": _given("A window at any size.", images, parameters=[*_WINDOW, *_SIZE, *_OF_LAYER, *_COLOURS])
        },
        f"{at}/columns.arrow": {
            "get": _given("The rows that draw a line.", [_ARROW], parameters=[*_WINDOW[:2], width, *_OF_LAYER])
        },
        f"{at}/bars.arrow": {"get": _given("Bars.", [_ARROW], parameters=[*_WINDOW[:2], *_OF_LAYER])},
        f"{at}/rows.{{format}}": {
            "get": _given("True rows of a window.", rows, parameters=[*_WINDOW, *more, *_OF_LAYER])
        },
        f"{at}/rows/{{row}}.json": {"get": _given("One row, in all columns.", ["application/json"])},
        f"{at}/select": {"post": select},
    }


def _selections() -> dict[str, Schema]:
    at = "/{name}/selections/{selection}"
    limit = query("limit", _COUNT, "rows at most")
    page = [query("offset", {"type": "integer", "minimum": 0}, "rows before it"), limit, _COLUMNS,
            query("sort", _TEXT, "a column"), query("desc", {"enum": ["0", "1"]}, "1: the greatest first")]  # fmt: skip
    files = list(_FORMATS["selections"].values())
    return {
        f"{at}.{{format}}": {"get": _given("The rows of a selection, as a file.", files, parameters=[limit, _COLUMNS])},
        f"{at}.json": {"get": operation("Some of its rows.", {"200": "SelectedRows"}, _GIVEN, parameters=page)},
    }
