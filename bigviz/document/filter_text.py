"""A filter as a document has it, and as it is with the values of controls in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bigviz.data.filters.bind import bind
from bigviz.data.filters.faults import fault
from bigviz.data.filters.parse import parse
from bigviz.data.filters.tree import Between, Control, Expression, In, walk
from bigviz.document.controls.values import filter_values, initial_values
from bigviz.document.spec import Document
from bigviz.document.substitute import reference_of

__all__ = ["bound_filter", "initial_filter"]

_LISTS: Final = ("multiselect",)
_PAIRS: Final = ("range", "date_range")


def initial_filter(document: Document, text: str) -> str:
    """`bound_filter` with the values that controls have at first. Raises BadInput also for a control that stands where
    no value of its could, which it may not have at first."""
    if text.strip() and reference_of(text) is None:
        _check_controls(document, parse(text))
    return bound_filter(document, text, initial_values(document))


def bound_filter(document: Document, text: str, values: Mapping[str, Any]) -> str:
    """The canonical text of a filter with the checked values of controls in it, without `$`; "" where every row is
    kept. A filter that is the name of a control alone is the text of that control.

    Raises BadInput, whose `at` is the character of the mistake, for a filter that is none.
    """
    name = reference_of(text)
    if name is not None and isinstance(values.get(name), str):
        text = values[name]
    if not text.strip():
        return ""
    expression = bind(parse(text), filter_values(document, values))
    return "" if expression is None else str(expression)


def _check_controls(document: Document, expression: Expression) -> None:
    """Several values stand after `in`, two after `between`."""
    nodes = list(walk(expression.root))
    listed = {each.at for node in nodes if isinstance(node, In) for each in node.items if isinstance(each, Control)}
    paired = {node.low.at for node in nodes if isinstance(node, Between) and node.high is None}
    for node in nodes:
        spec = document.controls.get(node.name) if isinstance(node, Control) else None
        if not isinstance(node, Control) or spec is None:
            continue
        name = "$" + node.name
        if spec.type in _LISTS and node.at not in listed:
            raise fault(f"{name} is a {spec.type}, of several values: write in, as column in {name}.", node.at, name)
        if spec.type in _PAIRS and node.at not in paired:
            raise fault(f"{name} is a {spec.type}, of two values: write column between {name}.", node.at, name)
        if spec.type not in _PAIRS and node.at in paired:
            raise fault(f"between takes the two values of a range, and {name} is a {spec.type}.", node.at, name)
