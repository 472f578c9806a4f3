"""Which cells a picture's pixels show: for pictures made of tiles, a cell for each pixel's middle."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.dyadic_cells import Root, power_of_two
from bigviz.tiles.grid.tile_key import DEEPEST
from bigviz.tiles.grid.window import Number
from bigviz.wire.codec import SIDE

__all__ = ["pixel_cells"]


def pixel_cells(root: Root, low: Number, high: Number, pixels: int) -> tuple[int, npt.NDArray[np.int64]]:
    """The level whose cells are one to two pixels wide, and for each pixel from the low end its cell, -1 outside of the
    root.

    Wider where the deepest level or its cells' width ends that. Cells are found in float64 relative to the root: at
    the 2^32 cells of the deepest level a pixel may show the neighbour of its cell.
    """
    width = power_of_two(root.exponent)
    first, last = ((Fraction(end) - root.start) / width for end in (low, high))
    level = 0
    if last > first:
        level = min(DEEPEST, max(0, math.floor(math.log2(pixels / (SIDE * float(last - first))))))
    middles = float(first) + (np.arange(pixels) + 0.5) / pixels * float(last - first)
    cells = np.floor(np.ldexp(middles, level) * SIDE)
    inside = (cells >= 0) & (cells < SIDE << level)
    return level, np.where(inside, cells, -1).astype(np.int64)
