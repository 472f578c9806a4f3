"""Which neighbouring parts are merged: as log-structured stores do, so that a row is copied a dozen times at most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

__all__ = ["MOST_PARTS", "next_merge"]

MOST_PARTS: Final = 12  # at rest: each costs a tile some tens of microseconds
_RUN: Final = 4  # of the newest parts, that are worth a merge
_LARGEST: Final = 2  # no merged part holds more than one row in so many: a merge holds its rows twice in memory
_SMALL: Final = 1 << 20  # rows that may be merged in any case


def next_merge(rows: Sequence[int]) -> tuple[int, int] | None:
    """The half-open range of parts to merge next, given their rows, oldest first; None where all is well.

    The newest parts are merged, each older one with them that has no more rows than all newer ones together. Where
    that leaves too many, those are merged that cost the fewest copies for each part less.
    """
    most = max(sum(rows) // _LARGEST, _SMALL)
    start, total = len(rows), 0
    while start > 0 and (total == 0 or (rows[start - 1] <= total and rows[start - 1] + total <= most)):
        start -= 1
        total += rows[start]
    if len(rows) - start >= _RUN:
        return start, len(rows)
    return _cheapest(rows, most) if len(rows) > MOST_PARTS else None


def _cheapest(rows: Sequence[int], most: int) -> tuple[int, int]:
    """The range of two or more parts with the fewest rows for each part less: of more than two only if they have at
    most `most` rows."""
    best, found = float("inf"), (0, 2)
    for start in range(len(rows) - 1):
        total = rows[start]
        for stop in range(start + 2, len(rows) + 1):
            total += rows[stop - 1]
            if total > most and stop > start + 2:
                break
            cost = total / (stop - start - 1)
            if cost < best:
                best, found = cost, (start, stop)
    return found
