"""Which rows of a selection a table shows. Loads nothing of the engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Page"]


@dataclass(frozen=True)
class Page:
    """`limit` rows from `offset` on, in file order or by the values of a column; None: all columns that may be read."""

    columns: Sequence[str] | None
    offset: int
    limit: int
    sort: str | None
    desc: bool
