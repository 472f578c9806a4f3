"""A request for a tile, split as bytes into the tile's coordinates and the rest, by which other tiles are matched."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["Pattern", "Place", "parted"]

Pattern = tuple[bytes, bytes]
"""What stands before a tile's place in a request, and from the end of the place on."""

Place = tuple[str, str, str]
"""Level, column and row, as the address has them."""

_TILE: Final = re.compile(
    rb"(GET [^ ?]*/tiles/)([0-9]+(?:,[0-9]+)?)/([0-9]+)/([0-9]+)(\.(?:npy|png|arrow)[ ?].*)", re.DOTALL
)


def parted(request: bytes) -> tuple[Pattern, Place] | None:
    """The pattern of a request for a tile, and the tile's place; None for other requests. Two of one pattern differ in
    nothing else: they have the same query and the same headers."""
    found = _TILE.fullmatch(request)
    if found is None:
        return None
    before, level, i, j, after = found.groups()
    return (before, after), (level.decode(), i.decode(), j.decode())
