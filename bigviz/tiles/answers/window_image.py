"""An exact image of a window in the planes of tiles, for views deeper than the last level.

A cell is the part of the window that a pixel shows. The row with number v lies in column `floor((v - x0) w / (x1 -
x0))`; v - x0 is taken first (exact for integers, and for floats wherever it matters: near each other), so that the
columns of a narrow window far from 0 are not lost to rounding as they are in an affine map. Integers are divided as
such.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.reductions.base import Planes, Reduction, Rows
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.jit import frozen
from bigviz.tiles.answers.answer import Cost, microseconds
from bigviz.tiles.grid.window import Number, codes_between, within
from bigviz.tiles.morton.order import Order
from bigviz.tiles.morton.quadtree import positions_in_parts, ranges_within
from bigviz.tiles.pyramid.accumulators import wire
from bigviz.tiles.pyramid.layer_columns import Inputs
from bigviz.wire.codec import SIDE, EncodedPlane

__all__ = [
    "MOST_CELLS", "RowPart", "WindowImage", "draw_window", "encoded_window", "fits", "ordered_rows", "window_planes",
]  # fmt: skip

Array = npt.NDArray[Any]
Window = tuple[Number, Number]

_PART: Final = 1 << 15  # rows between two looks at the flag: 3 ms
MOST_CELLS: Final = 1 << 24  # of all planes: 64 to 256 MB of accumulators


@dataclass(frozen=True)
class WindowImage:
    """`planes` of each block of 256 x 256 cells, all of a block after each other, blocks from the top left, row by row.

    Cells beyond the image's right and bottom edges are empty.
    """

    width: int
    height: int
    planes_per_block: int
    planes: list[EncodedPlane]
    cost: Cost


@dataclass(frozen=True)
class RowPart:
    """Some rows: their axis-space numbers, what a reduction reads of those that are kept, and how many were read."""

    x: Array
    y: Array
    rows: Callable[[npt.NDArray[np.bool_]], Rows]
    read: int


def draw_window(
    rows: Iterable[RowPart],
    reduction: Reduction,
    dtype: np.dtype[Any],
    labels: tuple[str, ...] | None,
    x: Window,
    y: Window,
    size: tuple[int, int],
    row_bytes: int,
    cancel: Cancel = NEVER,
) -> WindowImage | None:
    """The image of the half-open window `x` by `y` in axis space, `size` (width, height) cells; None, and nothing is
    read, where its planes are more than 2^24 cells.

    `rows` are all of the window, and may be more; `dtype` is the reduction's accumulator's. Raises Cancelled.
    """
    if not fits(size, labels):
        return None
    begun = time.perf_counter()
    accumulators, read = window_planes(rows, reduction, dtype, labels, x, y, size, cancel)
    drawn = time.perf_counter()
    found = encoded_window(accumulators, reduction, dtype, labels, size, cancel)
    weight = read * row_bytes + sum(len(plane.payload) for plane in found.planes)
    encode_us = microseconds(time.perf_counter() - drawn)
    return replace(found, cost=Cost(0, microseconds(drawn - begun), encode_us, read, weight))


def fits(size: tuple[int, int], labels: tuple[str, ...] | None) -> bool:
    """Whether an image of `size` (width, height) is small enough to be drawn."""
    return 0 < size[0] * size[1] * (1 if labels is None else len(labels)) <= MOST_CELLS


def window_planes(
    rows: Iterable[RowPart],
    reduction: Reduction,
    dtype: np.dtype[Any],
    labels: tuple[str, ...] | None,
    x: Window,
    y: Window,
    size: tuple[int, int],
    cancel: Cancel = NEVER,
) -> tuple[Planes, int]:
    """The accumulators of the image, row 0 the highest y, and how many rows were read."""
    width, height = size
    accumulators = reduction.create((height, width), dtype, len(labels or ()), cancel.check)
    read = 0
    for part in rows:
        columns, lines = _places(part.x, x, width), _places(part.y, y, height)
        keep = (columns >= 0) & (lines >= 0)
        cells = ((height - 1 - lines) * width + columns).astype(np.int32)
        reduction.append(accumulators, frozen(cells[keep]), part.rows(keep))
        read += part.read
    return accumulators, read


def encoded_window(
    accumulators: Planes,
    reduction: Reduction,
    dtype: np.dtype[Any],
    labels: tuple[str, ...] | None,
    size: tuple[int, int],
    cancel: Cancel = NEVER,
) -> WindowImage:
    """The image of accumulators, at no cost."""
    width, height = size
    planes: list[EncodedPlane] = []
    for top in range(0, height, SIDE):
        for left in range(0, width, SIDE):
            block = reduction.create((SIDE, SIDE), dtype, len(labels or ()), cancel.check)
            planes += wire(reduction, _filled(block, accumulators, top, left), cancel)
    return WindowImage(width, height, 1 if labels is None else len(labels), planes, Cost())


def ordered_rows(order: Order, inputs: Inputs, x: Window, y: Window, cancel: Cancel) -> Iterator[RowPart]:
    """Rows in order that hold every row of a window, a part at a time."""
    across, up = codes_between(order.survey.x, *x), codes_between(order.survey.y, *y)
    if across is None or up is None:
        return
    for positions in positions_in_parts(ranges_within(order.guard, (*across, *up), cancel), _PART, cancel):
        numbers = [order.numbers(which, positions) for which in (0, 1)]
        yield RowPart(numbers[0], numbers[1], partial(_taken, inputs, positions), len(positions))


def _taken(inputs: Inputs, positions: Array, keep: npt.NDArray[np.bool_]) -> Rows:
    return inputs.rows(positions[keep])


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
