"""Where the rows of a stretch of the order lie: the smallest box of each 256 rows, of each 32 such boxes, and so on.

A square of the quadtree says little of the rows in it where they lie on lines: a thin tile next to a line crosses every
square of the line, down to the level that parts them, which is as many squares as there are rows. Their boxes are as
thin as the line. The boxes of consecutive rows in Morton order are a packed R-tree (Kamel and Faloutsos, "On packing
R-trees", 1993, with Morton's curve for Hilbert's), so a few of them are enough to rule a rectangle out.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from bigviz.common.jit import frozen, jit
from bigviz.tiles.grid.interleave import compact

__all__ = ["BOXED", "Boxes", "boxes_of", "enclosed", "stack_boxes", "touched"]

Array = npt.NDArray[Any]

BOXED: Final = 256  # rows in a box of the lowest level
_BITS: Final = 8  # BOXED is 2^8
_FAN: Final = 5  # 2^5 boxes are under one


class Boxes(NamedTuple):
    """All boxes, `sides` (uint32, shape (count, 4)): first and last code on x, then on y. `starts` (int64) holds where
    each level begins, the boxes of 256 rows first, and the end."""

    sides: Array
    starts: Array

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return int(self.sides.nbytes + self.starts.nbytes)


def boxes_of(keys: Array) -> npt.NDArray[np.uint32]:
    """The boxes of each 256 of some keys, in any order, and of what is left: shape (ceil(keys / 256), 4)."""
    out = np.empty((-(-len(keys) // BOXED), 4), np.uint32)
    _measure(frozen(keys), out)
    return out


def stack_boxes(lowest: npt.NDArray[np.uint32]) -> Boxes:
    """Boxes of 256 rows each with those above them, until one holds all."""
    levels = [lowest]
    while len(levels[-1]) > 1:
        below = levels[-1]
        first = np.arange(0, len(below), 1 << _FAN)
        low, high = np.minimum.reduceat(below, first), np.maximum.reduceat(below, first)
        levels.append(np.stack([low[:, 0], high[:, 1], low[:, 2], high[:, 3]], axis=1))
    starts = np.cumsum([0, *(len(level) for level in levels)])
    return Boxes(frozen(np.concatenate(levels)), frozen(starts.astype(np.int64)))


@jit
def _measure(keys: Array, out: Array) -> None:
    """The bits of one axis alone are in the order of its codes."""
    bits_x, bits_y = np.uint64(0x5555555555555555), np.uint64(0xAAAAAAAAAAAAAAAA)
    for box in range(out.shape[0]):
        start = box << _BITS
        x0 = x1 = keys[start] & bits_x
        y0 = y1 = keys[start] & bits_y
        for k in range(start + 1, min(start + BOXED, keys.size)):
            x, y = keys[k] & bits_x, keys[k] & bits_y
            x0, x1 = min(x0, x), max(x1, x)
            y0, y1 = min(y0, y), max(y1, y)
        out[box, 0], out[box, 1] = compact(x0), compact(x1)
        out[box, 2], out[box, 3] = compact(y0 >> np.uint64(1)), compact(y1 >> np.uint64(1))


@jit
def touched(boxes: Boxes, low: int, high: int, x0: int, x1: int, y0: int, y1: int) -> bool:
    """Whether some box that holds any of the rows `low` to `high` (at least one) meets a rectangle of codes, its ends
    included. False: no row is in it. True promises nothing."""
    sides, starts = boxes
    levels = starts.size - 1
    box = low >> _BITS
    last = (high - 1) >> _BITS
    if last - box < 1 << _FAN:  # most squares that are asked about hold few boxes
        for at in range(box, last + 1):
            if sides[at, 0] <= x1 and sides[at, 1] >= x0 and sides[at, 2] <= y1 and sides[at, 3] >= y0:
                return True
        return False
    level = 0
    while box <= last:
        while level > 0 and box + (1 << _FAN * level) - 1 > last:
            level -= 1
        while level + 1 < levels:
            length = 1 << _FAN * (level + 1)
            if box & (length - 1) != 0 or box + length - 1 > last:
                break
            level += 1
        while True:
            at = starts[level] + (box >> _FAN * level)
            if sides[at, 0] > x1 or sides[at, 1] < x0 or sides[at, 2] > y1 or sides[at, 3] < y0:
                box += 1 << _FAN * level
                break
            if level == 0:
                return True
            level -= 1
    return False


@jit
def enclosed(boxes: Boxes, low: int, high: int, x0: int, x1: int, y0: int, y1: int) -> bool:
    """Whether there are boxes of 256 rows within the rows `low` to `high`, and all lie in a rectangle of codes, its
    ends included: then all of the rows do, but for less than 256 at each end."""
    sides = boxes.sides
    first = (low + BOXED - 1) >> _BITS
    stop = high >> _BITS
    for at in range(first, stop):
        if sides[at, 0] < x0 or sides[at, 1] > x1 or sides[at, 2] < y0 or sides[at, 3] > y1:
            return False
    return first < stop
