"""Who holds the rows of a dataset that is divided between workers. Imports nothing, so that a server can tell of it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Holders"]


@dataclass(frozen=True)
class Holders:
    """How many workers there are, how many of them hold rows of a layer, and how many rows are held, in an index."""

    known: int
    holding: int
    rows_held: int
