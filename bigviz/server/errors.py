"""From the package's errors to HTTP statuses and to the JSON object of every error answer."""

from __future__ import annotations

import json
from typing import Any, Final

from bigviz.data.errors import BadInput, BigvizError, Busy, Cancelled, NotFound, TooLarge, Unplottable, Unreadable

__all__ = ["STATUS", "describe", "dump", "status_of"]

STATUS: Final[dict[type[Exception], int]] = {
    BadInput: 400,
    NotFound: 404,
    TooLarge: 413,
    Unreadable: 422,
    Unplottable: 422,
    Busy: 503,
    Cancelled: 503,
}
_LONGEST: Final = 200
_UNSAFE: Final = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


def status_of(error: BaseException) -> int:
    """The HTTP status of an error: that of the nearest class in `STATUS`, 500 for what is not the client's doing."""
    return next((STATUS[cls] for cls in type(error).__mro__ if cls in STATUS), 500)


def describe(error: BaseException) -> dict[str, Any]:
    """`{error, field, got}` for the client. An error that is not bigviz's own tells nothing about the server."""
    if not isinstance(error, BigvizError):
        return {"error": "The server failed to answer; its log says why.", "field": None, "got": None}
    return {"error": error.message, "field": error.field, "got": _shown(error.got)}


def dump(value: object) -> bytes:
    """JSON that stays harmless where it is taken for HTML: no `<`, `>` or `&` outside of escapes."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False).translate(_UNSAFE).encode()


def _shown(got: object) -> object:
    if got is None or isinstance(got, bool | int):
        return got
    text = got if isinstance(got, str) else repr(got)
    text = text.encode(errors="backslashreplace").decode()
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
