"""Which neighbouring parts are merged: as log-structured stores do, so that a row is copied a few times at most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

__all__ = ["MOST_PARTS", "next_merge"]

MOST_PARTS: Final = 12  # at rest: each costs a tile some tens of microseconds
_RUN: Final = 4  # parts that are worth a merge
_RATIO: Final = 3  # an older part joins in that has at most so many times the rows of all newer ones
_LARGEST: Final = 4  # no merged part holds more than one row in so many: a merge holds its rows twice in memory
_SMALL: Final = 1 << 20  # rows that may be merged in any case


def next_merge(rows: Sequence[int]) -> tuple[int, int] | None:
    """The half-open range of parts to merge next, given their rows, oldest first; None where all is well."""
    if len(rows) < 2:
        return None
    most = max(sum(rows) // _LARGEST, _SMALL)
    start, total = len(rows) - 1, rows[-1]
    while start > 0 and rows[start - 1] <= _RATIO * total and rows[start - 1] + total <= most:
        start -= 1
        total += rows[start]
    run = len(rows) - start
    if run >= _RUN or (run > 1 and len(rows) > MOST_PARTS):
        return start, len(rows)
    if len(rows) <= MOST_PARTS:
        return None
    pairs = [rows[at] + rows[at + 1] for at in range(len(rows) - 1)]
    least = pairs.index(min(pairs))
    return least, least + 2
