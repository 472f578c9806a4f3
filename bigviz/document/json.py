"""A document from JSON, of `format` 1 or 2; `Document.to_json` writes it.

Reading is strict: an unknown key, a missing one, a value of another type, a name that refers to nothing or an id used
twice raises BadInput whose `field` is the JSON path of the mistake. `schema.json` says the same as far as a JSON Schema
can.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from bigviz import __version__
from bigviz.aggregate.layer_options import AXIS_KINDS, GLYPHS, MOST_BINS, ROOTS, SORTS
from bigviz.common.byte_cache import ByteCache
from bigviz.common.errors import BadInput
from bigviz.common.web.safe_numbers import MAX_SAFE
from bigviz.document.basemap import MOST_ORIGINS, basemap, map_origins
from bigviz.document.controls.json import check_controls, controls
from bigviz.document.follow import check_follow, follow
from bigviz.document.json_values import (
    Read,
    between,
    flag,
    instance,
    join,
    list_of,
    matching,
    number,
    one_of,
    optional,
    read_object,
    text,
    wrong,
)
from bigviz.document.links import check_links, links
from bigviz.document.names import check_name
from bigviz.document.spec import (
    DASHES,
    FORMAT,
    HOWS,
    LAYOUTS,
    MARKERS,
    AxisSpec,
    ControlNode,
    Document,
    FigureSpec,
    LayerSpec,
    LayoutSpec,
    Node,
    RangeSpec,
)
from bigviz.document.substitute import reference_of
from bigviz.render.colormaps import NAMES, canonical
from bigviz.render.css_colors import rgba

__all__ = ["LAYER_KEYS", "from_json"]

_ID: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_NO_DIGITS: Final = re.compile(r"[^0-9]+")
_WHOLE: Final = re.compile(r"-?[0-9]{1,20}")
_LARGEST_WHOLE: Final = 10**20  # beyond all 64-bit integers; as many digits as a decimal string may have
_DEEPEST: Final = 32
_MOST_FIGURES: Final = 1_000
_MOST_LAYERS: Final = 1_000
_LARGEST_SIZE: Final = 65_536
_WIDEST: Final = 100
_LARGEST_MARK: Final = 100
_LONGEST_DASH: Final = 200
_MOST_DASHES: Final = 20
_PICKLED: Final = 4  # the protocol
_LARGER: Final = 4  # times its key a figure takes, the key included


def from_json(value: object, sources: Mapping[str, object] | None = None) -> Document:
    """The document that a JSON value of format 1 or 2 describes; `sources` are its open datasets by name.

    Raises BadInput; for a newer format the message says which it is.
    """
    if isinstance(value, dict) and "format" in value:
        _format(value["format"], "format")  # before the keys, which a newer format may have more of
    readers: dict[str, Read] = {
        "id": _name,
        "title": text,
        "datasets": list_of(text),
        "ranges": _ranges,
        "layout": _node,
        "format": _format,
        "rows": flag,
        "controls": controls,
        "links": links,
    }
    read = read_object(value, "", readers, [key for key in readers if key not in ("rows", "controls", "links")])
    read.pop("format")
    document = Document(**read, sources=dict(sources or {}))
    _check_references(document)
    return document


def _check_references(document: Document) -> None:
    figures, ids, datasets = document.figures(), set[str](), set(document.datasets)
    if not 1 <= len(figures) <= _MOST_FIGURES:
        raise BadInput(f"A document has 1 to {_MOST_FIGURES} figures, got {len(figures)}.", "layout")
    if len(datasets) < len(document.datasets):
        raise BadInput("A document names each dataset once.", "datasets", list(document.datasets))
    for figure in figures:
        for key, name in (("x_range", figure.x_range), ("y_range", figure.y_range)):
            if name not in document.ranges:
                raise BadInput(f"Figure {figure.id} refers to a range {name!r} that is not in `ranges`.", key, name)
        if (figure.x_axis.kind == "mercator") != (figure.y_axis.kind == "mercator"):
            raise BadInput(f"Figure {figure.id}: mercator is for both axes or none.", "x_axis.kind", figure.x_axis.kind)
        if figure.basemap is not None and figure.x_axis.kind != "mercator":
            raise BadInput(
                f"Figure {figure.id}: a basemap is for mercator axes, got {figure.x_axis.kind}.",
                "basemap",
                figure.x_axis.kind,
            )
        for layer in figure.layers:
            if layer.dataset not in datasets:
                raise BadInput(
                    f"Layer {layer.id} refers to a dataset that is not in `datasets`.", "dataset", layer.dataset
                )
    if len(map_origins(document)) > MOST_ORIGINS:
        raise BadInput(f"The maps of a document come from at most {MOST_ORIGINS} hosts.", "basemap")
    check_follow(document)
    check_controls(document)
    check_links(document)
    for each in _ids(document.layout):
        if each in ids:
            raise BadInput(f"The id {each!r} is used twice.", "id", each)
        ids.add(each)


def _ids(node: Node) -> list[str]:
    if isinstance(node, ControlNode):  # a control has its id in `controls`
        return []
    below = node.layers if isinstance(node, FigureSpec) else node.children
    return [node.id, *(i for b in below for i in ([b.id] if isinstance(b, LayerSpec) else _ids(b)))]


# --- readers: each takes a JSON value and its path -------------------------------------------------------------------


def _color(value: Any, path: str) -> str:
    try:
        rgba(value)
    except BadInput as error:
        raise wrong(path, "a CSS colour, such as #d33 or steelblue", value) from error
    return str(value)


def _cmap(value: Any, path: str) -> str:
    if isinstance(value, str) and reference_of(value):
        return value
    try:
        return canonical(value)
    except BadInput as error:
        raise wrong(path, f"one of {', '.join(NAMES)}", value) from error


def _how(value: Any, path: str) -> Any:
    return value if isinstance(value, str) and reference_of(value) else one_of(HOWS)(value, path)


def _name(value: Any, path: str) -> str:
    return check_name(text(value, path), path)


def _format(value: Any, path: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 1 or value != int(value):
        raise wrong(path, f"a format from 1 to {FORMAT}", value)
    if value > FORMAT:
        raise BadInput(
            f"{path}: bigviz {__version__} reads documents of formats 1 to {FORMAT}, and this one has format "
            f"{int(value)}: a newer bigviz made it. Update bigviz to read it.",
            path,
            value,
        )
    return int(value)


def _size(value: Any, path: str) -> int:
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())  # JSON has one kind of number
    if isinstance(value, bool) or not whole or not 1 <= value <= _LARGEST_SIZE:
        raise wrong(path, f"a whole number from 1 to {_LARGEST_SIZE}", value)
    return int(value)


def _dash(value: Any, path: str) -> Any:
    if not isinstance(value, list):
        return one_of(DASHES)(value, path)
    lengths: tuple[float, ...] = list_of(between(0, _LONGEST_DASH), _MOST_DASHES, 1)(value, path)
    if not any(lengths):
        raise wrong(path, "lengths of which one at least is above 0", value)
    return lengths


def _end(value: Any, path: str) -> float | str:
    if isinstance(value, str):
        if not _WHOLE.fullmatch(value):
            raise wrong(path, "a number, or a whole number (of nanoseconds, on an axis of times) as a string", value)
        return value
    return number(value, path)


def _range(value: Any, path: str) -> RangeSpec:
    found: RangeSpec = instance(RangeSpec, _RANGE, value, path)
    ends = [end for end in (found.start, found.end) if end is not None]
    largest = max((abs(end) for end in ends if isinstance(end, int)), default=0)
    if largest > MAX_SAFE and all(isinstance(end, int) for end in ends):
        exact = str if largest < _LARGEST_WHOLE else float
        found = RangeSpec(*(None if end is None else exact(end) for end in (found.start, found.end)))
    start, end = found.start, found.end
    if start is not None and end is not None:
        if isinstance(start, str) != isinstance(end, str):
            raise BadInput(f"{path}: both ends are numbers or both are decimal strings.", path, value)
        if (int(start) >= int(end)) if isinstance(start, str) else (float(start) >= float(end)):
            raise BadInput(f"{path}: the start {start} is not below the end {end}.", path, value)
    return found


def _ranges(value: Any, path: str) -> dict[str, RangeSpec]:
    if not isinstance(value, dict):
        raise wrong(path, "an object of ranges", value)
    return {_id(key, join(path, str(key))): _range(each, join(path, str(key))) for key, each in value.items()}


def _node(value: Any, path: str, depth: int = 0) -> Node:
    if not isinstance(value, dict):
        raise wrong(path, "an object", value)
    if depth > _DEEPEST:
        raise BadInput(f"{path}: layouts nest at most {_DEEPEST} deep.", path)
    kind = one_of((*LAYOUTS, "figure", "control"))(value.get("type"), join(path, "type"))
    rest = {key: each for key, each in value.items() if key != "type"}
    if kind == "figure":
        return _figure(rest, path)
    if kind == "control":
        return ControlNode(**read_object(rest, path, {"control": text}, ("control",)))
    readers = {"id": _id, "children": list_of(partial(_node, depth=depth + 1))}
    if kind == "grid":
        readers["columns"] = _size
    if kind == "tabs":
        return _tabs(rest, path, readers)
    read = read_object(rest, path, readers, list(readers))
    return LayoutSpec(type=kind, **read)


def _tabs(value: dict[str, Any], path: str, readers: dict[str, Read]) -> LayoutSpec:
    made = f"tabs{_NO_DIGITS.sub('-', path).rstrip('-')}"  # by their place, if they have no id
    readers = {**readers, "titles": list_of(text, least=1)}
    read = read_object({"id": made, **value}, path, readers, ("titles", "children"))
    if len(read["titles"]) != len(read["children"]):
        raise BadInput(
            f"{path}: tabs have one child for each title, got {len(read['titles'])} titles and "
            f"{len(read['children'])} children.",
            join(path, "titles"),
        )
    return LayoutSpec(type="tabs", **read)


def _figure(value: dict[str, Any], path: str) -> FigureSpec:
    """A figure. One that was read before is found again in a tenth of the time: documents are published and opened many
    times with few changes. Nothing is ever unpickled."""
    try:
        key = pickle.dumps(value, _PICKLED)  # it tells 1 from 1.0 and from true, which are equal
    except Exception:  # what cannot be written is no JSON: its reader says so
        return instance(FigureSpec, _FIGURE, value, path)
    known = _READ.get(key)
    if known is None:
        known = _Known(instance(FigureSpec, _FIGURE, value, path), _LARGER * len(key))
        _READ.put(key, known)
    return known.figure


@dataclass(frozen=True)
class _Known:
    """A figure that was read, and about how many bytes it takes."""

    figure: FigureSpec
    nbytes: int


def _bins(value: Any, path: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_BINS:
        raise wrong(path, f"a whole number from 1 to {MOST_BINS}", value)
    return value


_id = matching(_ID, "an id of 1 to 64 letters, digits, _, . or -")
_axis = partial(
    instance,
    AxisSpec,
    {
        "kind": one_of(("auto", *AXIS_KINDS)),
        "label": optional(text),
        "unit": optional(text),
        "zone": optional(text),
        "categories": optional(list_of(text)),
    },
)
LAYER_KEYS: Final[dict[str, Read]] = {
    "id": _id,
    "dataset": text,
    "glyph": one_of(GLYPHS),
    "x": text,
    "y": text,
    "agg": text,
    "cmap": _cmap,
    "how": _how,
    "low": optional(number),
    "high": optional(number),
    "color": optional(_color),
    "root": one_of(ROOTS),
    "line_width": optional(between(0, _WIDEST, above=True)),
    "alpha": between(0, 1),
    "line_dash": _dash,
    "size": optional(between(0, _LARGEST_MARK, above=True)),
    "marker": one_of(MARKERS),
    "legend_label": optional(text),
    "filter": text,
    "bins": _bins,
    "sort": one_of(SORTS),
}
_layer = partial(instance, LayerSpec, LAYER_KEYS)
_RANGE: Final[dict[str, Read]] = {"start": optional(_end), "end": optional(_end)}
_FIGURE: Final[dict[str, Read]] = {
    "id": _id,
    "title": text,
    "x_range": text,
    "y_range": text,
    "x_axis": _axis,
    "y_axis": _axis,
    "aspect": optional(one_of(("locked",))),
    "width": optional(_size),
    "height": optional(_size),
    "layers": list_of(_layer, _MOST_LAYERS),
    "basemap": optional(basemap),
    "follow": optional(follow),
    "hover": list_of(text, 40),
}
_READ: Final[ByteCache[_Known]] = ByteCache(16 << 20)
