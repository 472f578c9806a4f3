"""bigviz's own errors from one process to another, as JSON: class by name, message, field, value, place, and what the
class adds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from bigviz.common import errors
from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import BigvizError

__all__ = ["error_json", "error_of"]

_KINDS: Final = {
    name: found
    for name in errors.__all__
    if isinstance(found := getattr(errors, name), type) and issubclass(found, BigvizError)
}
_ADDED: Final = ("retry_after", "version")  # of TooMany and of OutOfDate
_LONGEST: Final = 200  # characters of a value that is not plain JSON


def error_json(error: BaseException) -> dict[str, Any]:
    """An error as JSON, with the nearest class of `common.errors`; of one that is not bigviz's own only that there was
    one."""
    if not isinstance(error, BigvizError):
        return {"kind": "BigvizError", "message": "The server failed to answer; its log says why.", "field": None}
    kind = next(cls.__name__ for cls in type(error).__mro__ if cls.__name__ in _KINDS)
    got = _plain(error.got)
    added = {name: getattr(error, name) for name in _ADDED if hasattr(error, name)}
    return {"kind": kind, "message": error.message, "field": error.field, "got": got, "at": error.at, **added}


def error_of(value: Mapping[str, Any]) -> BigvizError:
    """The error that `error_json` wrote; a BigvizError where the other process names a class that there is not."""
    error = _KINDS.get(value["kind"], BigvizError)(value["message"], value.get("field"), value.get("got"))
    error.at = value.get("at")
    for name in _ADDED:
        if name in value and hasattr(error, name):
            setattr(error, name, value[name])
    return error


def _plain(got: object) -> str | float | None:
    """A value as JSON has it; `repr` of any other, of NaN and infinities too."""
    if got is None or isinstance(got, str | int) or (isinstance(got, float) and math.isfinite(got)):
        return got
    return echoed(got, _LONGEST)
