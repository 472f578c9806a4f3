"""Small JSON bodies of requests: an object of known keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import BadInput
from bigviz.document.json_values import parse_json

__all__ = ["parse_body"]


def parse_body(body: bytes, required: Sequence[str], optional: Mapping[str, Any]) -> dict[str, Any]:
    """The object in a body, with the values of `optional` for keys that are not there.

    Raises BadInput for what is no JSON object, for a missing or unknown key, and for one that is given twice.
    """
    try:
        value = parse_json(body)
    except BadInput:
        raise BadInput("The body is a JSON object, got text that is no JSON.", "body") from None
    if not isinstance(value, dict):
        raise BadInput(f"The body is a JSON object, got {type(value).__name__}.", "body", echoed(value, 60))
    names = (*required, *optional)
    for key in value:
        if key not in names:
            raise BadInput(f"{echoed(key, 60)}: unknown key; the keys are {', '.join(names)}.", "body", key[:60])
    for key in required:
        if key not in value:
            raise BadInput(f"{key} is missing.", key)
    return {**optional, **value}
