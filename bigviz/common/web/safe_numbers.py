"""Numbers as JSON has them for browsers, which round whole numbers of 2^53 and more."""

from __future__ import annotations

import math
from typing import Final

__all__ = ["MAX_SAFE", "finite", "safe"]

MAX_SAFE: Final = 2**53 - 1
"""The largest whole number that every JSON reader has exactly, and the negative of the least one."""


def safe(number: int | float) -> int | float | str:
    """The number, a whole one beyond `MAX_SAFE` as decimal text."""
    return str(number) if isinstance(number, int) and abs(number) > MAX_SAFE else number


def finite(number: int | float | None) -> int | float | str | None:
    """The same; None for no number, NaN and infinities."""
    return None if number is None or (isinstance(number, float) and not math.isfinite(number)) else safe(number)
