"""Which cells a picture's pixels show: for pictures made of tiles, a cell for each pixel's middle."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.dyadic_cells import Root, power_of_two
from bigviz.tiles.grid.tile_key import DEEPEST
from bigviz.tiles.grid.window import Number
from bigviz.wire.codec import SIDE

__all__ = ["pixel_cells"]

_FAR: Final = Fraction(2) ** 900  # in roots: the ends of wider windows do not fit float64, and one pixel hides the root
_NARROWEST: Final = 2.0**-900


def pixel_cells(root: Root, low: Number, high: Number, pixels: int) -> tuple[int, npt.NDArray[np.int64]]:
    """The level whose cells are one to two pixels wide, and for each pixel from the low end its cell, -1 outside of the
    root.

    Wider where the deepest level or its cells' width ends that. Cells are found in float64 relative to the root: at
    the 2^32 cells of the deepest level a pixel may show the neighbour of its cell.
    """
    width = power_of_two(root.exponent)
    first, last = (max(-_FAR, min(_FAR, (Fraction(end) - root.start) / width)) for end in (low, high))
    span = float(last - first)
    level = DEEPEST if last > first else 0
    if span > _NARROWEST:
        level = min(DEEPEST, max(0, math.floor(math.log2(pixels / (SIDE * span)))))
    middles = float(first) + (np.arange(pixels) + 0.5) / pixels * span
    cells = np.floor(np.ldexp(middles, level) * SIDE)
    inside = (cells >= 0) & (cells < SIDE << level)
    return level, np.where(inside, cells, -1).astype(np.int64)
