"""bigviz's own errors from one process to another: their class by name, message, field and value."""

from __future__ import annotations

from typing import Any

from bigviz.common import errors
from bigviz.common.errors import BigvizError

__all__ = ["error_json", "error_of"]


def error_json(error: BaseException) -> dict[str, Any]:
    """An error as JSON; of one that is not bigviz's own only that there was one."""
    if not isinstance(error, BigvizError):
        return {"kind": "BigvizError", "message": "The server failed to answer; its log says why.", "field": None}
    names = (cls.__name__ for cls in type(error).__mro__)
    kind = next(name for name in names if name in errors.__all__)
    got = error.got if isinstance(error.got, str | int | float | bool | None) else None
    return {"kind": kind, "message": error.message, "field": error.field, "got": got, "at": getattr(error, "at", None)}


def error_of(value: dict[str, Any]) -> BigvizError:
    """The error that `error_json` wrote."""
    kind: type[BigvizError] = getattr(errors, value["kind"])
    error = kind(value["message"], value.get("field"), value.get("got"))
    if value.get("at") is not None:
        error.at = value["at"]
    return error
