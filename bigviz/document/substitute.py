"""The values of controls in the place of "$ID", where that is the whole of a layer's column, reduction or colours."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from bigviz.common.errors import BadInput
from bigviz.document.spec import Document, LayerSpec

__all__ = ["REPLACED", "offered", "reference_of", "referring", "substituted"]

REPLACED: Final = ("x", "y", "agg", "filter", "cmap", "how")
_REFERENCE: Final = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")


def reference_of(text: str) -> str | None:
    """The control that a property of a layer refers to as "$ID"; None for any other text."""
    found = _REFERENCE.fullmatch(text)
    return None if found is None else found[1]


def referring(layer: LayerSpec, control: str) -> tuple[str, ...]:
    """The properties of a layer that are the value of a control."""
    return tuple(key for key in REPLACED if reference_of(getattr(layer, key)) == control)


def substituted(layer: LayerSpec, values: Mapping[str, Any]) -> LayerSpec:
    """A layer with checked values of controls for "$ID" in x, y, agg, cmap and how, and for a filter that is the text
    of one control and nothing else: any other filter is left to the expression's `bind`.

    A name that is in no `values` is left as it is: columns may have such names. BadInput for a control without a value.
    """
    changes: dict[str, Any] = {}
    for key in REPLACED:
        name = reference_of(getattr(layer, key))
        if name is None or name not in values:
            continue
        value = values[name]
        if key == "filter" and not isinstance(value, str):
            continue
        if not isinstance(value, str) or (key != "filter" and not value):
            raise BadInput(f"Control {name!r} has no value, and layer {layer.id} needs one as its {key}.", name, value)
        changes[key] = value
    return replace(layer, **changes) if changes else layer


def offered(document: Document, layer: LayerSpec) -> Iterator[tuple[LayerSpec, str | None, Any]]:
    """A layer as controls may make it: with the values that they have at first, and then with each option of each,
    given as (layer, control, option). Of texts and of columns' values only the first is known here."""
    values = {name: each.value for name, each in document.controls.items()}
    yield substituted(layer, values), None, None
    for key in REPLACED:
        name = reference_of(getattr(layer, key))
        if name is None or name not in document.controls:
            continue
        options = document.controls[name].options
        for option in options if isinstance(options, tuple) else ():
            yield substituted(layer, {**values, name: option.value}), name, option.value
