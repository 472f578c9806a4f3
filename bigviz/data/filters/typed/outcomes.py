"""What a condition may be for some row, as bits of one number."""

from __future__ import annotations

from typing import Final

__all__ = ["FALSE", "NULL", "TRUE", "UNKNOWN"]

TRUE: Final = 1
FALSE: Final = 2
NULL: Final = 4
UNKNOWN: Final = TRUE | FALSE | NULL
