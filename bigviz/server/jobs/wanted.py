"""What one layer of a view wants: tiles, a window of rows, or a line's columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["ColumnsWanted", "TilesWanted", "WindowWanted"]

Place = tuple[int, int, int, int]
Roots = tuple[tuple[str, int], tuple[str, int]]


@dataclass(frozen=True)
class WindowWanted:
    """What a view shows of a layer, and its size in device pixels; the ends are still as they came."""

    ends: tuple[Any, Any, Any, Any]  # x0, x1, y0, y1
    width: int
    height: int


@dataclass(frozen=True)
class TilesWanted:
    """Tiles of one layer: (zx, zy, i, j), the visible ones and those that may be wanted next.

    `roots` are the provisional ones that they are numbered in, x and y, each start and exponent; None: the final ones.
    `window` is what they show, to be answered by its rows if they are few.
    """

    layer: int
    definition: Any
    tiles: tuple[Place, ...]
    prefetch: tuple[Place, ...]
    roots: Roots | None = None
    window: WindowWanted | None = None


@dataclass(frozen=True)
class ColumnsWanted:
    """A line over a window of x; the ends are still as they came, since the axis says how to read them."""

    layer: int
    definition: Any
    x0: Any
    x1: Any
    width: int
