"""A document to JSON (`format: 1`) and back.

Reading is strict: an unknown key, a missing one, a value of another type, a name that refers to nothing or an id used
twice raises BadInput whose `field` is the JSON path of the mistake.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, asdict, fields
from functools import partial
from typing import Any, Final, TypeVar

from bigviz.aggregate.layer_options import AXIS_KINDS, GLYPHS, ROOTS
from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import BadInput
from bigviz.document.names import check_name
from bigviz.document.spec import (
    FORMAT,
    HOWS,
    LAYOUTS,
    AxisSpec,
    Document,
    FigureSpec,
    LayerSpec,
    LayoutSpec,
    Node,
    RangeSpec,
)
from bigviz.render.colormaps import NAMES, canonical
from bigviz.render.css_colors import rgba

__all__ = ["from_json", "to_json"]

T = TypeVar("T")
Read = Callable[[Any, str], Any]

_ID: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_WHOLE: Final = re.compile(r"-?[0-9]{1,20}")
_MAX_SAFE: Final = 2**53 - 1  # a browser rounds larger JSON numbers
_LONGEST_TEXT: Final = 10_000
_DEEPEST: Final = 32
_MOST_FIGURES: Final = 1_000
_MOST_LAYERS: Final = 1_000
_LARGEST_SIZE: Final = 65_536


def to_json(document: Document) -> dict[str, Any]:
    """The document as JSON values. `from_json(to_json(d)) == d`."""
    ranges = {name: asdict(each) for name, each in document.ranges.items()}
    head = {"format": FORMAT, "id": document.id, "title": document.title, "datasets": list(document.datasets)}
    return {**head, "ranges": ranges, "layout": _node_to_json(document.layout)}


def from_json(value: object, sources: Mapping[str, object] | None = None) -> Document:
    """The document that a JSON value describes; `sources` are its open datasets by name."""
    readers = {
        "id": _name,
        "title": _text,
        "datasets": _list(_text),
        "ranges": _ranges,
        "layout": _node,
        "format": _format,
    }
    read = _object(value, "", readers, readers)
    read.pop("format")
    document = Document(**read, sources=dict(sources or {}))
    _check_references(document)
    return document


def _node_to_json(node: Node) -> dict[str, Any]:
    if isinstance(node, LayoutSpec):
        out: dict[str, Any] = {"id": node.id, "type": node.type}
        if node.type == "grid":
            out["columns"] = node.columns
        return {**out, "children": [_node_to_json(child) for child in node.children]}
    out = {"id": node.id, "type": "figure", "title": node.title, "x_range": node.x_range, "y_range": node.y_range}
    for name, axis in (("x_axis", node.x_axis), ("y_axis", node.y_axis)):
        out[name] = {**asdict(axis), "categories": None if axis.categories is None else list(axis.categories)}
    out |= {"aspect": node.aspect, "width": node.width, "height": node.height}
    return {**out, "layers": [asdict(layer) for layer in node.layers]}


def _check_references(document: Document) -> None:
    figures, ids = document.figures(), set[str]()
    if not 1 <= len(figures) <= _MOST_FIGURES:
        raise BadInput(f"A document has 1 to {_MOST_FIGURES} figures, got {len(figures)}.", "layout")
    if len(set(document.datasets)) < len(document.datasets):
        raise BadInput("A document names each dataset once.", "datasets", list(document.datasets))
    for figure in figures:
        for key, name in (("x_range", figure.x_range), ("y_range", figure.y_range)):
            if name not in document.ranges:
                raise BadInput(f"Figure {figure.id} refers to a range {name!r} that is not in `ranges`.", key, name)
        if (figure.x_axis.kind == "mercator") != (figure.y_axis.kind == "mercator"):
            raise BadInput(f"Figure {figure.id}: mercator is for both axes or none.", "x_axis.kind", figure.x_axis.kind)
        for layer in figure.layers:
            if layer.dataset not in document.datasets:
                raise BadInput(
                    f"Layer {layer.id} refers to a dataset that is not in `datasets`.", "dataset", layer.dataset
                )
    for each in _ids(document.layout):
        if each in ids:
            raise BadInput(f"The id {each!r} is used twice.", "id", each)
        ids.add(each)


def _ids(node: Node) -> list[str]:
    below = node.layers if isinstance(node, FigureSpec) else node.children
    return [node.id, *(i for b in below for i in ([b.id] if isinstance(b, LayerSpec) else _ids(b)))]


# --- readers: each takes a JSON value and its path -------------------------------------------------------------------


def _object(value: Any, path: str, readers: Mapping[str, Read], required: Any = ()) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _error(path, "an object", value)
    for key in value:
        if key not in readers:
            allowed = ", ".join(readers)
            raise BadInput(
                f"{_join(path, str(key))}: unknown key; the keys here are {allowed}.", _join(path, str(key)), key
            )
    for key in required:
        if key not in value:
            raise BadInput(f"{_join(path, key)} is missing.", _join(path, key))
    return {key: readers[key](each, _join(path, key)) for key, each in value.items()}


def _instance(cls: Callable[..., T], readers: Mapping[str, Read], value: Any, path: str) -> T:
    needed = [f.name for f in fields(cls) if f.default is MISSING and f.default_factory is MISSING]  # type: ignore[arg-type]
    return cls(**_object(value, path, readers, needed))


def _list(read: Read, most: int = 100_000) -> Read:
    def reader(value: Any, path: str) -> tuple[Any, ...]:
        if not isinstance(value, list) or len(value) > most:
            raise _error(path, f"a list of at most {most}", value)
        return tuple(read(each, f"{path}[{at}]") for at, each in enumerate(value))

    return reader


def _optional(read: Read) -> Read:
    return lambda value, path: None if value is None else read(value, path)


def _one_of(allowed: tuple[str, ...]) -> Read:
    def reader(value: Any, path: str) -> Any:
        if value not in allowed:
            raise _error(path, f"one of {', '.join(allowed)}", value)
        return value

    return reader


def _matching(pattern: re.Pattern[str], what: str) -> Read:
    def reader(value: Any, path: str) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise _error(path, what, value)
        return value

    return reader


def _color(value: Any, path: str) -> str:
    try:
        rgba(value)
    except BadInput as error:
        raise _error(path, "a CSS colour, such as #d33 or steelblue", value) from error
    return str(value)


def _cmap(value: Any, path: str) -> str:
    try:
        return canonical(value)
    except BadInput as error:
        raise _error(path, f"one of {', '.join(NAMES)}", value) from error


def _text(value: Any, path: str) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        raise _error(path, f"a text of at most {_LONGEST_TEXT} characters", value)
    return value


def _name(value: Any, path: str) -> str:
    return check_name(_text(value, path), path)


def _format(value: Any, path: str) -> int:
    if isinstance(value, bool) or value != FORMAT:
        raise _error(path, f"{FORMAT}, the format this bigviz reads", value)
    return FORMAT


def _number(value: Any, path: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _error(path, "a finite number", value)
    return value


def _size(value: Any, path: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _LARGEST_SIZE:
        raise _error(path, f"a whole number from 1 to {_LARGEST_SIZE}", value)
    return value


def _end(value: Any, path: str) -> float | str:
    if isinstance(value, str):
        if not _WHOLE.fullmatch(value):
            raise _error(path, "a number, or a whole number (of nanoseconds, on an axis of times) as a string", value)
        return value
    return _number(value, path)


def _range(value: Any, path: str) -> RangeSpec:
    found: RangeSpec = _instance(RangeSpec, {"start": _optional(_end), "end": _optional(_end)}, value, path)
    ends = [end for end in (found.start, found.end) if end is not None]
    if all(isinstance(end, int) for end in ends) and any(abs(int(end)) > _MAX_SAFE for end in ends):
        found = RangeSpec(*(None if end is None else str(end) for end in (found.start, found.end)))
    start, end = found.start, found.end
    if start is not None and end is not None:
        if isinstance(start, str) != isinstance(end, str):
            raise BadInput(f"{path}: both ends are numbers or both are decimal strings.", path, value)
        if (int(start) >= int(end)) if isinstance(start, str) else (float(start) >= float(end)):
            raise BadInput(f"{path}: the start {start} is not below the end {end}.", path, value)
    return found


def _ranges(value: Any, path: str) -> dict[str, RangeSpec]:
    if not isinstance(value, dict):
        raise _error(path, "an object of ranges", value)
    return {_id(key, _join(path, str(key))): _range(each, _join(path, str(key))) for key, each in value.items()}


def _node(value: Any, path: str, depth: int = 0) -> Node:
    if not isinstance(value, dict):
        raise _error(path, "an object", value)
    if depth > _DEEPEST:
        raise BadInput(f"{path}: layouts nest at most {_DEEPEST} deep.", path)
    kind = _one_of((*LAYOUTS, "figure"))(value.get("type"), _join(path, "type"))
    rest = {key: each for key, each in value.items() if key != "type"}
    if kind == "figure":
        return _instance(FigureSpec, _FIGURE, rest, path)
    readers = {"id": _id, "children": _list(partial(_node, depth=depth + 1))}
    if kind == "grid":
        readers["columns"] = _size
    read = _object(rest, path, readers, readers)
    return LayoutSpec(type=kind, **read)


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _error(path: str, expected: str, got: Any) -> BadInput:
    shown = echoed(got)
    return BadInput(f"{path or 'The document'}: expected {expected}, got {shown}.", path or None, shown)


_id = _matching(_ID, "an id of 1 to 64 letters, digits, _, . or -")
_axis = partial(
    _instance,
    AxisSpec,
    {
        "kind": _one_of(AXIS_KINDS),
        "label": _optional(_text),
        "unit": _optional(_text),
        "zone": _optional(_text),
        "categories": _optional(_list(_text)),
    },
)
_layer = partial(
    _instance,
    LayerSpec,
    {
        "id": _id,
        "dataset": _text,
        "glyph": _one_of(GLYPHS),
        "x": _text,
        "y": _text,
        "agg": _text,
        "cmap": _cmap,
        "how": _one_of(HOWS),
        "low": _optional(_number),
        "high": _optional(_number),
        "color": _optional(_color),
        "root": _one_of(ROOTS),
    },
)
_FIGURE: Final[dict[str, Read]] = {
    "id": _id,
    "title": _text,
    "x_range": _text,
    "y_range": _text,
    "x_axis": _axis,
    "y_axis": _axis,
    "aspect": _optional(_one_of(("locked",))),
    "width": _optional(_size),
    "height": _optional(_size),
    "layers": _list(_layer, _MOST_LAYERS),
}
