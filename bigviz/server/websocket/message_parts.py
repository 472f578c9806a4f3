"""Parts of the browser's messages, checked for their form: objects, lists, and the columns of a line.

Each raises BadInput that names the path of what is wrong, as in "layers[2].columns.width".
"""

from __future__ import annotations

from typing import Any

from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import BadInput
from bigviz.server.jobs.wanted import ColumnsWant
from bigviz.server.limits import Limits
from bigviz.server.request_values import whole

__all__ = ["columns_of", "end_of", "list_of", "object_of", "only"]


def object_of(value: Any, path: str, keys: tuple[str, ...]) -> dict[str, Any]:
    """An object with no other keys than these, all of which may be missing."""
    if not isinstance(value, dict):
        raise BadInput(f"{path} is an object, got {type(value).__name__}.", path)
    only(value, keys, path)
    return value


def only(value: dict[str, Any], keys: tuple[str, ...], path: str) -> None:
    """Raise BadInput for a key that is not among these."""
    for key in value:
        if key not in keys:
            where = f"{path}.{key}" if path else key
            raise BadInput(f"{where[:100]}: unknown key; the keys are {', '.join(keys)}.", where[:100], key[:60])


def list_of(value: Any, path: str, most: int) -> list[Any]:
    """A list of at most so many."""
    if not isinstance(value, list) or len(value) > most:
        raise BadInput(f"{path} is a list of at most {most}, got {echoed(value, 60)}.", path)
    return value


def columns_of(value: Any, path: str, limits: Limits) -> ColumnsWant | None:
    """`{x0, x1, width}`; None for null."""
    if value is None:
        return None
    found = object_of(value, path, ("x0", "x1", "width"))
    width = whole(found.get("width"), f"{path}.width", 1, limits.columns_width)
    x0, x1 = (end_of(found.get(end), f"{path}.{end}") for end in ("x0", "x1"))
    return ColumnsWant(x0, x1, width)


def end_of(value: Any, path: str) -> Any:
    """An end of a window as it came; the axis says later how to read it, and whether it is there."""
    if isinstance(value, list | dict):
        raise BadInput(f"{path} is a number, or a text of one on a time axis, got {echoed(value, 60)}.", path)
    return value
