"""An exact image of a window in the planes of tiles, for views deeper than the last level.

A cell is the part of the window that a pixel shows. The row of number v lies in column `floor((v - x0) w / (x1 - x0))`;
v - x0 is taken first (exact for integers, and for floats wherever it matters: near each other), so that the columns of
a narrow window far from 0 are not lost to rounding as they are in an affine map. Integers are divided as such.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.inputs import Inputs as ImageInputs
from bigviz.aggregate.reductions.base import Planes, Rows
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.jit import frozen
from bigviz.tiles.answers.answer import Cost, microseconds
from bigviz.tiles.answers.points_layer import PointsLayer
from bigviz.tiles.grid.window import Number, codes_between, within
from bigviz.tiles.morton.codes import coded_of, rows_within
from bigviz.tiles.morton.quadtree import positions_in_parts, ranges_within
from bigviz.tiles.pyramid.accumulators import wire
from bigviz.tiles.pyramid.layer_columns import Inputs
from bigviz.tiles.scans.scanned_layer import ScannedLayer
from bigviz.wire.codec import SIDE, EncodedPlane

__all__ = ["MOST_CELLS", "WindowImage", "draw_window"]

Array = npt.NDArray[Any]
Window = tuple[Number, Number]

_PART: Final = 1 << 15  # rows between two looks at the flag: 3 ms
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
    layer: PointsLayer | ScannedLayer, x: Window, y: Window, width: int, height: int, cancel: Cancel = NEVER
) -> WindowImage | None:
    """The image of the half-open window `x` by `y` in axis space; None where its planes are more than 2^24 cells.

    Every row of the window is read; of a layer without an index, all rows are, in one pass. Raises Cancelled.
    """
    recipe = layer.recipe if isinstance(layer, ScannedLayer) else layer.pyramid.inputs
    reduction, labels = recipe.reduction, recipe.labels
    count = 1 if labels is None else len(labels)
    if not 0 < width * height * count <= MOST_CELLS:
        return None
    begun = time.perf_counter()
    accumulators = reduction.create((height, width), recipe.dtype, len(labels or ()), cancel.check)
    read = 0
    found = _streamed(layer, x, y, cancel) if isinstance(layer, ScannedLayer) else _ordered(layer, x, y, cancel)
    for some in found:
        columns, lines = _places(some.x, x, width), _places(some.y, y, height)
        keep = (columns >= 0) & (lines >= 0)
        cells = ((height - 1 - lines) * width + columns).astype(np.int32)
        reduction.append(accumulators, frozen(cells[keep]), some.rows(keep))
        read += some.read
    drawn = time.perf_counter()
    planes: list[EncodedPlane] = []
    for top in range(0, height, SIDE):
        for left in range(0, width, SIDE):
            block = reduction.create((SIDE, SIDE), recipe.dtype, len(labels or ()), cancel.check)
            planes += wire(reduction, _filled(block, accumulators, top, left), cancel)
    encode_us = microseconds(time.perf_counter() - drawn)
    size = read * layer.row_bytes + sum(len(plane.payload) for plane in planes)
    return WindowImage(width, height, count, planes, Cost(0, microseconds(drawn - begun), encode_us, read, size))


@dataclass(frozen=True)
class _Some:
    """Some rows: their axis-space numbers, what a reduction reads of those that are kept, and how many were read."""

    x: Array
    y: Array
    rows: Callable[[npt.NDArray[np.bool_]], Rows]
    read: int


def _ordered(layer: PointsLayer, x: Window, y: Window, cancel: Cancel) -> Iterator[_Some]:
    inputs = layer.pyramid.inputs
    for positions in _candidates(layer, x, y, cancel):
        numbers = [layer.order.numbers(which, positions) for which in (0, 1)]
        yield _Some(numbers[0], numbers[1], partial(_taken, inputs, positions), len(positions))


def _taken(inputs: Inputs, positions: Array, keep: npt.NDArray[np.bool_]) -> Rows:
    return inputs.rows(positions[keep])


def _streamed(layer: ScannedLayer, x: Window, y: Window, cancel: Cancel) -> Iterator[_Some]:
    """The rows inside both roots that lie in the window's cells."""
    codes = layer.codes(x, y)
    ordered = layer.recipe.reduction.ordered
    if codes is None:
        return
    for batch in layer.batches(x, y, cancel):
        inputs = layer.inputs(batch)
        places = rows_within(coded_of(batch, slice(0, batch.rows), (layer.survey.x, layer.survey.y)), codes)
        xs, ys = batch.x[0][places], batch.y[0][places]
        yield _Some(xs, ys, partial(_read, inputs, places, ordered), batch.rows)


def _read(inputs: ImageInputs, places: Array, ordered: bool, keep: npt.NDArray[np.bool_]) -> Rows:
    return inputs.at(places[keep], ordered)


def _candidates(layer: PointsLayer, x: Window, y: Window, cancel: Cancel) -> Iterator[Array]:
    """Ascending positions that hold every row of the window, a part at a time."""
    across, up = codes_between(layer.survey.x, *x), codes_between(layer.survey.y, *y)
    if across is None or up is None:
        return
    yield from positions_in_parts(ranges_within(layer.order.guard, (*across, *up), cancel), _PART, cancel)


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


def _filled(block: Planes, accumulators: Planes, top: int, left: int) -> Planes:
    """An empty block with its part of the accumulators."""
    for whole, part in zip(accumulators, block, strict=True):
        piece = whole[..., top : top + SIDE, left : left + SIDE]
        part[..., : piece.shape[-2], : piece.shape[-1]] = piece
    return block
