"""A document with other properties of one of its layers, figures or controls, checked as if it had been made so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Final

import numpy as np

from bigviz.aggregate.reductions.datashader import reduction_of
from bigviz.common.bounded_repr import echoed
from bigviz.common.did_you_mean import hint
from bigviz.common.errors import BadInput
from bigviz.document.bind import filled
from bigviz.document.controls.spec import KEYS
from bigviz.document.figure import nanoseconds
from bigviz.document.json import LAYER_KEYS, from_json
from bigviz.document.spec import Document

__all__ = ["changed"]

_FIXED: Final = frozenset({"id", "dataset", "glyph"})
_RANGES: Final = ("x_range", "y_range")
_OF_FIGURES: Final = ("title", *_RANGES)


def changed(document: Document, kind: str, name: str, properties: Mapping[str, Any]) -> tuple[Document, dict[str, Any]]:
    """The document with these properties of the layer, figure or control of that id, and the properties as the
    document's JSON has them; a figure's ranges as pairs. Raises BadInput for what it cannot have, and what
    `bigviz.document` does."""
    value = document.to_json()
    node = next(each for each in _nodes(value, kind) if each["id"] == name)
    if kind == "control":
        allowed: Sequence[str] = [key for key in KEYS[node["of"]["type"]] if key not in _FIXED]
    else:
        allowed = _OF_FIGURES if kind == "figure" else [key for key in LAYER_KEYS if key not in _FIXED]
    for key in properties:
        if key not in allowed:
            more = hint(key, allowed, f"It has {', '.join(allowed)}.")
            raise BadInput(f"A {kind} has no property {echoed(key, 60)} to be set.{more}", key[:60])
    plain = {key: _plain(key, each) for key, each in properties.items()}
    for key, each in plain.items():
        if key in _RANGES:
            value["ranges"][node["of"][key]] = _ends(each, key)
        else:
            node["of"][key] = each
    made = filled(from_json(value, document.sources))
    again = next(each for each in _nodes(made.to_json(), kind) if each["id"] == name)["of"]
    read = {key: _pair(made, again[key]) if key in _RANGES else again.get(key, plain[key]) for key in plain}
    return replace(made, live=document.live), read


def _nodes(value: Mapping[str, Any], kind: str) -> Iterator[dict[str, Any]]:
    """All layers, figures or controls in a document's JSON, each `of` its own object."""
    if kind == "control":
        for name, each in value.get("controls", {}).items():
            yield {"id": name, "of": each}
        return
    for figure in _figures(value["layout"]):
        for each in [figure] if kind == "figure" else figure["layers"]:
            yield {"id": each["id"], "of": each}


def _figures(node: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if node["type"] == "figure":
        yield node  # type: ignore[misc]
    for child in node.get("children", ()):
        yield from _figures(child)


def _plain(key: str, value: Any) -> Any:
    """A value as JSON has it."""
    if key == "agg" and not isinstance(value, str):
        return str(reduction_of(value))
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, date) and key not in _RANGES:
        return value.isoformat()
    if isinstance(value, tuple | list):
        return [_plain(key, each) for each in value]
    return value


def _ends(value: Any, key: str) -> dict[str, Any]:
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != 2:
        raise BadInput(f"{key} is a pair (start, end), got {echoed(value, 60)}.", key, echoed(value, 60))
    start, end = (str(nanoseconds(each)) if isinstance(each, date | np.datetime64) else each for each in value)
    return {"start": start, "end": end}


def _pair(document: Document, name: str) -> list[Any]:
    found = document.ranges[name]
    return [found.start, found.end]
