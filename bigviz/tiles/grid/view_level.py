"""The level of tiles that a picture of a window takes on an axis."""

from __future__ import annotations

import math

from bigviz.tiles.grid.tile_key import DEEPEST
from bigviz.tiles.grid.window import Number

__all__ = ["nominal_level", "view_level"]

_CELL_LEVELS = 8  # levels below a tile at which its cells stand: 256 = 2^8


def nominal_level(exponent: int, low: Number, high: Number, pixels: int) -> int:
    """The level of a root of 2^exponent whose cells are nearest to a pixel of the window `[low, high)`, on a
    logarithmic scale (0.71 to 1.41 pixels a cell): below 0 where a pixel covers cells of level 0, above 24 where it is
    smaller than the smallest cell."""
    length = math.log2(high - low) if math.isfinite(high - low) else math.log2(high / 2 - low / 2) + 1
    return math.floor(exponent - _CELL_LEVELS - (length - math.log2(pixels)) + 0.5)


def view_level(exponent: int, low: Number, high: Number, pixels: int) -> int:
    """The same among the levels that there are, 0 to 24."""
    return min(DEEPEST, max(0, nominal_level(exponent, low, high, pixels)))
