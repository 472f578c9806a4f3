"""From the package's errors to HTTP statuses and to the JSON object of every error answer."""

from __future__ import annotations

import json
import math
from typing import Any, Final

from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import (
    BadInput,
    BigvizError,
    Busy,
    Cancelled,
    Conflict,
    Forbidden,
    Gone,
    NoSpace,
    NotFound,
    OutOfDate,
    TooLarge,
    TooMany,
    Unauthorized,
    Unplottable,
    Unreadable,
)
from bigviz.common.printable import encodable
from bigviz.data.appending.refusals import KeyReused, NoSuchRow
from bigviz.server.refusals import Unsupported, Unusable

__all__ = ["STATUS", "describe", "dump", "retry_after", "status_of"]

STATUS: Final[dict[type[Exception], int]] = {
    BadInput: 400,
    Unauthorized: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    Gone: 410,
    OutOfDate: 412,
    TooLarge: 413,
    Unsupported: 415,
    Unreadable: 422,
    Unplottable: 422,
    Unusable: 422,
    KeyReused: 422,
    NoSuchRow: 422,
    TooMany: 429,
    Busy: 503,
    Cancelled: 503,
    NoSpace: 507,
}
_LONGEST: Final = 200
_LONGEST_MESSAGE: Final = 2_000  # names and types of columns may be of any length
_UNSAFE: Final = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


def status_of(error: BaseException) -> int:
    """The HTTP status of an error: that of the nearest class in `STATUS`, 500 for what is not the client's doing."""
    return next((STATUS[cls] for cls in type(error).__mro__ if cls in STATUS), 500)


def retry_after(error: BaseException) -> int | None:
    """Whole seconds after which the same request may succeed, at least 1; None where nothing is known of that."""
    if isinstance(error, TooMany):
        return max(1, math.ceil(error.retry_after))
    return 1 if isinstance(error, Busy) else None


def describe(error: BaseException) -> dict[str, Any]:
    """`{error, field, got}` for the client, and `at` where an error has a place in a text. Of an error that is not
    bigviz's own it says nothing, as that could tell about the server."""
    if not isinstance(error, BigvizError):
        return {"error": "The server failed to answer; its log says why.", "field": None, "got": None}
    field = None if error.field is None else encodable(error.field)
    message = _cut(encodable(error.message), _LONGEST_MESSAGE)
    place = {} if error.at is None else {"at": error.at}
    return {"error": message, "field": field, "got": _shown(error.got), **place}


def dump(value: object) -> bytes:
    """JSON that stays harmless where it is taken for HTML: no `<`, `>` or `&` outside of escapes. Lone surrogates,
    which UTF-8 has not, are escapes too, as in `frames.dump`."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False).translate(_UNSAFE).encode(errors="backslashreplace")


def _shown(got: object) -> object:
    if got is None or isinstance(got, bool | int):
        return got
    return _cut(encodable(got if isinstance(got, str) else echoed(got, _LONGEST)), _LONGEST)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}…"
