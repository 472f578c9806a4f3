"""From a server's error answers to the package's errors."""

from __future__ import annotations

import json
from typing import Any, Final

from bigviz.common.errors import (
    BadInput,
    BigvizError,
    Busy,
    Conflict,
    Forbidden,
    Gone,
    NoSpace,
    NotFound,
    OutOfDate,
    TooLarge,
    TooMany,
    Unauthorized,
)

__all__ = ["Unreachable", "error_of"]

_CLASSES: Final[dict[int, type[BigvizError]]] = {
    400: BadInput,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Gone,
    413: TooLarge,
    415: BadInput,
    422: BadInput,
    503: Busy,
    507: NoSpace,
}
_TOKENS: Final = (
    "`bigviz token create --user NAME --scope write` makes a token: give it as BIGVIZ_TOKEN, by `token=` or "
    "--token-file."
)
_LISTS: Final = {
    "document": "`bigviz list` lists the documents.",
    "dataset": "`bigviz.connect().datasets()` lists the datasets.",
}


class Unreachable(BigvizError):
    """No plot server answers at the address."""


def error_of(status: int, body: bytes, url: str, retry_after: str | None = None) -> BigvizError:
    """The error that an answer stands for: the server's sentence, with `field`, `got` and `at`, in the class that it
    raised or one that asks the same of the caller. An answer that is not bigviz's own makes an Unreachable."""
    told = _told(body)
    if told is None:
        return Unreachable(
            f"{url} answered {status}, and not as a bigviz server does: is that its address?", "url", url
        )
    message, field, got = told["error"], told.get("field"), told.get("got")
    if status == 412:
        return OutOfDate(message, field, got, told.get("version"))
    if status == 429:
        seconds = float(retry_after) if retry_after and retry_after.isdecimal() else 1.0
        return TooMany(message, field, got, seconds)
    if status == 401:
        return Unauthorized(f"{message} {_TOKENS}", field, got)
    if status == 404 and field in _LISTS:
        return NotFound(f"{message} {_LISTS[field]}", field, got)
    if status == 400:
        return BadInput(message, field, got, told.get("at"))
    return _CLASSES.get(status, BigvizError)(message, field, got)


def _told(body: bytes) -> dict[str, Any] | None:
    """The JSON object of an error; None for anything else."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and isinstance(value.get("error"), str) else None
