"""An exact image of a window in the planes of tiles, for views deeper than the last level.

A cell is the part of the window that a pixel shows. The row of number v lies in column `floor((v - x0) w / (x1 - x0))`;
v - x0 is taken first (exact for integers, and for floats wherever it matters: near each other), so that the columns of
a narrow window far from 0 are not lost to rounding as they are in an affine map. Integers are divided as such.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.jit import frozen
from bigviz.aggregate.reductions import Planes
from bigviz.data.cancel import NEVER, Cancel
from bigviz.tiles.bounds import Number, codes_between, within
from bigviz.tiles.codec import SIDE, EncodedPlane
from bigviz.tiles.planes import wire
from bigviz.tiles.points import PointsLayer
from bigviz.tiles.scan import PART, positions_in_parts, ranges_within
from bigviz.tiles.tile import Cost, microseconds

__all__ = ["MOST_CELLS", "WindowImage", "draw_window"]

Array = npt.NDArray[Any]
Window = tuple[Number, Number]

MOST_CELLS: Final = 1 << 24  # of all planes: 64 to 256 MB of accumulators


@dataclass(frozen=True)
class WindowImage:
    """`planes` of each block of 256 x 256 cells, all of a block after each other, blocks from the top left, row by row.

    What sticks out of the image at the right and at the bottom is empty.
    """

    width: int
    height: int
    planes_per_block: int
    planes: list[EncodedPlane]
    cost: Cost


def draw_window(
    layer: PointsLayer, x: Window, y: Window, width: int, height: int, cancel: Cancel = NEVER
) -> WindowImage | None:
    """The image of the half-open window `x` by `y` in axis space; None where its planes are more than 2^24 cells.

    Every row of the window is read. Raises Cancelled.
    """
    inputs = layer.pyramid.inputs
    count = 1 if inputs.labels is None else len(inputs.labels)
    if not 0 < width * height * count <= MOST_CELLS:
        return None
    begun = time.perf_counter()
    accumulators = inputs.reduction.create((height, width), inputs.dtype, len(inputs.labels or ()))
    rows = 0
    for positions in _candidates(layer, x, y, cancel):
        columns = _places(layer.order.numbers(0, positions), x, width)
        lines = _places(layer.order.numbers(1, positions), y, height)
        keep = (columns >= 0) & (lines >= 0)
        cells = ((height - 1 - lines) * width + columns).astype(np.int32)
        inputs.append(accumulators, frozen(cells[keep]), positions[keep])
        rows += len(positions)
    drawn = time.perf_counter()
    planes: list[EncodedPlane] = []
    for top in range(0, height, SIDE):
        for left in range(0, width, SIDE):
            planes += wire(inputs.reduction, _block(layer, accumulators, top, left), cancel)
    encode_us = microseconds(time.perf_counter() - drawn)
    size = rows * inputs.row_bytes + sum(len(plane.payload) for plane in planes)
    return WindowImage(width, height, count, planes, Cost(0, microseconds(drawn - begun), encode_us, rows, size))


def _candidates(layer: PointsLayer, x: Window, y: Window, cancel: Cancel) -> Iterator[Array]:
    """Ascending positions that hold every row of the window, a part at a time."""
    across, up = codes_between(layer.survey.x, *x), codes_between(layer.survey.y, *y)
    if across is None or up is None:
        return
    yield from positions_in_parts(ranges_within(layer.order.guard, (*across, *up), cancel), PART, cancel)


def _places(values: Array, window: Window, size: int) -> npt.NDArray[np.int64]:
    """The column of each number, from 0 at the window's low end; -1 outside."""
    low, high = window
    keep = within(values, low, high)
    whole = values.dtype.kind != "f"
    if whole and isinstance(low, int) and isinstance(high, int) and (high - low) * size < 1 << 63:
        offsets = np.where(keep, values.view(np.uint64) - np.uint64(low % (1 << 64)), 0)
        places = (offsets * np.uint64(size) // np.uint64(high - low)).astype(np.int64)
    else:
        offsets = np.where(keep, values.astype(np.float64) - float(low), 0.0)
        places = (offsets / (float(high) - float(low)) * size).astype(np.int64)
    return np.where(keep, np.clip(places, 0, size - 1), -1)


def _block(layer: PointsLayer, accumulators: Planes, top: int, left: int) -> Planes:
    """The accumulators of one block."""
    block = layer.pyramid.inputs.create()
    for whole, part in zip(accumulators, block, strict=True):
        piece = whole[..., top : top + SIDE, left : left + SIDE]
        part[..., : piece.shape[-2], : piece.shape[-1]] = piece
    return block
