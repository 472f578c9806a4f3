"""`repr` of a value for an error message: short, however large or nested the value is."""

from __future__ import annotations

import reprlib
from typing import Final

__all__ = ["echoed"]

_SHORT: Final = reprlib.Repr()
_SHORT.maxlevel = 3  # a value from JSON may be nested deeper than `repr` can follow
_SHORT.maxstring = _SHORT.maxlong = _SHORT.maxother = 100


def echoed(value: object, most: int = 100) -> str:
    """`repr` of a value, cut after about `most` characters and a few levels."""
    if isinstance(value, str):
        return repr(value) if len(value) <= most else f"{value[:most]!r}…"
    text = _SHORT.repr(value)
    return text if len(text) <= most else f"{text[:most]}…"
