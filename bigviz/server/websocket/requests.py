"""The browser's messages: from the text of a websocket frame to a request, or an error that says what is wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import BadInput
from bigviz.server.access.gate import Need
from bigviz.server.brushes.wanted import KEYS, BrushRequest, read_brush
from bigviz.server.jobs.wanted import Held, LayerHeld, LayerWants, Place, Roots, WindowWant
from bigviz.server.limits import Limits
from bigviz.server.request_values import whole
from bigviz.server.websocket.message_parts import columns_of, end_of, list_of, object_of, only
from bigviz.server.websocket.session_requests import (
    SESSION_KEYS,
    ControlRequest,
    RangeRequest,
    SelectionRequest,
    read_session,
)
from bigviz.wire.frames import MAX_LEVEL

__all__ = [
    "KINDS",
    "CancelRequest",
    "FollowRequest",
    "LayerRequest",
    "Malformed",
    "Request",
    "ViewRequest",
    "needs_of_messages",
    "read",
]

_MOST_ID: Final = (1 << 32) - 1
_MOST_FIGURE: Final = (1 << 16) - 1
_MOST_VERSION: Final = (1 << 53) - 1
_MOST_KEPT: Final = 256  # tiles that a page has besides those in view
_WHOLE: Final = {int}
_LONGEST_START: Final = 400  # characters: 1e308 has 309 digits
_KEYS: Final = {
    "layer": ("op", "id", "figure", "layer", "definition"),
    "view": ("op", "id", "figure", "layers"),
    "cancel": ("op", "id", "figure"),
    "follow": ("op", "id", "versions", "figures"),
    "brush": KEYS,
    **SESSION_KEYS,
}


class Malformed(BadInput):
    """What came is no message at all: not text, too long, not a JSON object. Ten in a minute end the connection."""


@dataclass(frozen=True)
class LayerRequest:
    """Wants a layer's facts, and its index built."""

    need: ClassVar[Need] = Need.shown()

    id: int
    figure: int
    layer: int
    definition: Any


@dataclass(frozen=True)
class ViewRequest:
    """All that a figure shows now; replaces the figure's view before it."""

    need: ClassVar[Need] = Need.shown()

    id: int
    figure: int
    layers: tuple[LayerWants, ...]


@dataclass(frozen=True)
class CancelRequest:
    """The figure needs nothing more."""

    need: ClassVar[Need] = Need.shown()

    id: int
    figure: int


@dataclass(frozen=True)
class Followed:
    """What a page shows of data that grow, by figure, and the same as `text`: pages of one text show the same."""

    figures: tuple[tuple[int, tuple[LayerHeld, ...]], ...]
    text: str


@dataclass(frozen=True)
class FollowRequest:
    """A page has drawn these versions, and wants what changes of what it shows (None: what it said before)."""

    need: ClassVar[Need] = Need.shown()

    id: int
    versions: Mapping[str, int]
    followed: Followed | None


Request = (
    LayerRequest | ViewRequest | CancelRequest | FollowRequest | BrushRequest
    | ControlRequest | RangeRequest | SelectionRequest
)  # fmt: skip
KINDS: Final[dict[str, type[Request]]] = {
    "layer": LayerRequest,
    "view": ViewRequest,
    "cancel": CancelRequest,
    "follow": FollowRequest,
    "brush": BrushRequest,
    "control": ControlRequest,
    "range": RangeRequest,
    "selection": SelectionRequest,
}


def needs_of_messages() -> Mapping[str, Need]:
    """What each kind of message needs of its caller; TypeError where one declares nothing."""
    for op in _KEYS:
        if not isinstance(getattr(KINDS.get(op), "need", None), Need):
            raise TypeError(f"The message {op!r} declares no `need`: what must a caller be, or have, to send it?")
    return {op: kind.need for op, kind in KINDS.items()}


def read(text: str | bytes, limits: Limits) -> Request:
    """The request in a frame.

    Raises Malformed for a frame that is no JSON object; BadInput, whose `request` attribute is the message's id where
    it has one, for an object that is not a message.
    """
    value = _object(text, limits)
    request = 0
    try:
        request = whole(value.get("id"), "id", 1, _MOST_ID)
        return _request(value, request, limits)
    except BadInput as error:
        raise about(error, request) from None


def one_of(field: str, number: int, count: int, request: int) -> None:
    """BadInput, as the answer to a request, where the document has no figure or layer of that number."""
    if number >= count:
        allowed = f"is 0 to {count - 1}" if count else "has no meaning here: there is none"
        raise about(BadInput(f"{field} {allowed}, got {number}.", field, number), request)


def about(error: BadInput, request: int) -> BadInput:
    """An error as the answer to a request."""
    error.request = request  # type: ignore[attr-defined]
    return error


def _object(text: str | bytes, limits: Limits) -> dict[str, Any]:
    if isinstance(text, bytes):
        raise Malformed("Messages are JSON texts, got a binary frame.")
    if len(text) > limits.message_bytes or len(text.encode(errors="replace")) > limits.message_bytes:
        raise Malformed(f"A message has at most {limits.message_bytes} bytes, got {len(text)} characters.")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise Malformed("A message is a JSON object, got text that is not JSON.", got=text[:60]) from None
    if not isinstance(value, dict):
        raise Malformed(f"A message is a JSON object, got {type(value).__name__}.", got=text[:60])
    return value


def _request(value: dict[str, Any], request: int, limits: Limits) -> Request:
    op = value.get("op")
    if not isinstance(op, str) or op not in _KEYS:
        raise BadInput(f"op is one of {', '.join(_KEYS)}, got {echoed(op)}.", "op", op)
    only(value, _KEYS[op], "")
    if op == "brush":
        return read_brush(value, request, limits)
    if op == "follow":
        return _followed(value, request, limits)
    if op in SESSION_KEYS:
        return read_session(value, request)
    figure = whole(value.get("figure"), "figure", 0, _MOST_FIGURE)
    if op == "cancel":
        return CancelRequest(request, figure)
    if op == "layer":
        layer = whole(value.get("layer"), "layer", 0, _MOST_FIGURE)
        return LayerRequest(request, figure, layer, value.get("definition"))
    layers = list_of(value.get("layers"), "layers", limits.layers_per_view)
    found = tuple(_wanted(each, f"layers[{at}]", limits) for at, each in enumerate(layers))
    count = sum(len(each.tiles) + len(each.prefetch) for each in found)
    if count > limits.tiles_per_view:
        raise BadInput(f"A view has at most {limits.tiles_per_view} tiles, got {count}.", "layers", count)
    return ViewRequest(request, figure, found)


def _followed(value: dict[str, Any], request: int, limits: Limits) -> FollowRequest:
    versions, figures = value.get("versions"), value.get("figures", [])
    if not isinstance(versions, dict) or not isinstance(figures, list) or len(figures) > _MOST_FIGURE:
        raise BadInput("follow has versions, an object, and figures, a list.", "versions")
    seen = {name: whole(version, "versions", 0, _MOST_VERSION) for name, version in versions.items()}
    if "figures" not in value:
        return FollowRequest(request, seen, None)
    found = tuple(_figure_held(each, f"figures[{at}]", limits) for at, each in enumerate(figures))
    count = sum(len(each.held.tiles) for _, layers in found for each in layers)
    if count > limits.tiles_per_view:
        raise BadInput(f"A page follows at most {limits.tiles_per_view} tiles, got {count}.", "figures", count)
    text = json.dumps(figures, sort_keys=True)
    return FollowRequest(request, seen, Followed(found, text))


def _figure_held(value: Any, path: str, limits: Limits) -> tuple[int, tuple[LayerHeld, ...]]:
    value = object_of(value, path, ("figure", "layers"))
    figure = whole(value.get("figure"), f"{path}.figure", 0, _MOST_FIGURE)
    layers = list_of(value.get("layers"), f"{path}.layers", limits.layers_per_view)
    return figure, tuple(_held(each, f"{path}.layers[{at}]", limits) for at, each in enumerate(layers))


def _held(value: Any, path: str, limits: Limits) -> LayerHeld:
    value = object_of(value, path, ("layer", "definition", "tiles", "kept", "window", "columns"))
    layer = whole(value.get("layer"), f"{path}.layer", 0, _MOST_FIGURE)
    columns = columns_of(value.get("columns"), f"{path}.columns", limits)
    kept = _places(value.get("kept", []), f"{path}.kept", limits)
    if len(kept) > _MOST_KEPT:
        raise BadInput(f"{path}.kept has at most {_MOST_KEPT} tiles, got {len(kept)}.", f"{path}.kept", len(kept))
    tiles = _rectangle(value.get("tiles"), f"{path}.tiles", limits)
    held = Held(tiles, kept, _window(value.get("window"), f"{path}.window", limits), columns)
    return LayerHeld(layer, value.get("definition"), held)


def _rectangle(value: Any, path: str, limits: Limits) -> tuple[Place, ...]:
    """The tiles of a rectangle, row by row."""
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) != 6 or not all(type(number) is int for number in value):
        raise BadInput(f"{path} is [zx, zy, i0, i1, j0, j1] of whole numbers, got {echoed(value, 60)}.", path)
    zx, zy, i0, i1, j0, j1 = value
    if not (i0 <= i1 and j0 <= j1 and (i1 - i0 + 1) * (j1 - j0 + 1) <= limits.tiles_per_view):
        raise BadInput(f"{path} holds 1 to {limits.tiles_per_view} tiles, got {echoed(value, 60)}.", path)
    return _places([[zx, zy, i, j] for j in range(j0, j1 + 1) for i in range(i0, i1 + 1)], path, limits)


def _wanted(value: Any, path: str, limits: Limits) -> LayerWants:
    value = object_of(value, path, ("layer", "definition", "tiles", "prefetch", "roots", "window", "columns"))
    layer = whole(value.get("layer"), f"{path}.layer", 0, _MOST_FIGURE)
    definition = value.get("definition")
    if value.get("columns") is None:
        tiles = _places(value.get("tiles", []), f"{path}.tiles", limits)
        prefetch = _places(value.get("prefetch", []), f"{path}.prefetch", limits)
        roots = _roots(value.get("roots"), f"{path}.roots")
        window = _window(value.get("window"), f"{path}.window", limits)
        return LayerWants(layer, definition, tiles, prefetch, roots, window)
    if not value.keys().isdisjoint(("tiles", "prefetch", "roots", "window")):
        raise BadInput(f"{path} asks for tiles or for columns, got both.", path)
    return LayerWants(layer, definition, columns=columns_of(value["columns"], f"{path}.columns", limits))


def _window(value: Any, path: str, limits: Limits) -> WindowWant | None:
    if value is None:
        return None
    ends = ("x0", "x1", "y0", "y1")
    value = object_of(value, path, (*ends, "width", "height"))
    width, height = (whole(value.get(side), f"{path}.{side}", 1, limits.image_side) for side in ("width", "height"))
    x0, x1, y0, y1 = (end_of(value.get(end), f"{path}.{end}") for end in ends)
    return WindowWant((x0, x1, y0, y1), width, height)


def _places(value: Any, path: str, limits: Limits) -> tuple[Place, ...]:
    if not isinstance(value, list) or len(value) > limits.tiles_per_view:
        raise BadInput(f"{path} is a list of at most {limits.tiles_per_view} tiles [zx, zy, i, j].", path)
    for at, each in enumerate(value):
        if not isinstance(each, list) or len(each) != 4 or set(map(type, each)) != _WHOLE:
            raise BadInput(f"{path}[{at}] is [zx, zy, i, j] of whole numbers, got {echoed(each, 60)}.", f"{path}[{at}]")
        zx, zy, i, j = each
        if not (0 <= zx <= MAX_LEVEL and 0 <= zy <= MAX_LEVEL and 0 <= i < 1 << zx and 0 <= j < 1 << zy):
            shown = echoed(each, 80)
            raise BadInput(
                f"{path}[{at}] = {shown} is no tile: levels are 0 to {MAX_LEVEL}, i and j 0 to 2**level - 1.",
                f"{path}[{at}]",
                shown,
            )
    return tuple(dict.fromkeys((zx, zy, i, j) for zx, zy, i, j in value))


def _roots(value: Any, path: str) -> Roots | None:
    if value is None:
        return None
    value = object_of(value, path, ("x", "y"))
    return _root(value.get("x"), f"{path}.x"), _root(value.get("y"), f"{path}.y")


def _root(value: Any, path: str) -> tuple[str, int]:
    shaped = isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and type(value[1]) is int
    if not shaped or len(value[0]) > _LONGEST_START:
        raise BadInput(f"{path} is [start, exponent] of a layer answer, got {echoed(value, 80)}.", path)
    return value[0], value[1]
