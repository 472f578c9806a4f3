"""What is known of the rows of a piece of a table before they are read."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["FALSE", "NULL", "TRUE", "UNKNOWN", "Statistics"]

TRUE, FALSE, NULL = 1, 2, 4
"""What a condition may be for some row, as bits of one number."""
UNKNOWN = TRUE | FALSE | NULL


class Statistics(NamedTuple):
    """Bounds of a column's values: integers, floats, texts, nanoseconds, or decimals times ten to their scale. NaN and
    null may lie anywhere else.

    `low` and `high` are None where nothing is known. `nulls` and `values` are False where there is certainly none.
    """

    low: int | float | str | None = None
    high: int | float | str | None = None
    nulls: bool = True
    values: bool = True
