"""A filter as a document has it, and as it is with the values of controls in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bigviz.data.filters.bind import bind
from bigviz.data.filters.parse import parse
from bigviz.document.controls.values import filter_values
from bigviz.document.spec import Document
from bigviz.document.substitute import reference_of

__all__ = ["bound_filter"]


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
