"""Planes of tiles and of images put together, as arrays of cells from the top left."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.export.png.data.cells import AxisMap, combined, levelled, mixed
from bigviz.export.png.shown_layer import ShownLayer
from bigviz.render.shade import Cells, Shading, mixed_colours, values_of
from bigviz.wire.codec import SIDE, EncodedPlane, decode

__all__ = ["Resampled", "resampled"]

Array = npt.NDArray[Any]
Block = tuple[int, int, Sequence[EncodedPlane]]
"""Planes of 256 x 256 cells, and the row and the column of blocks where they belong."""

_EXACT: Final = 2**53
_CATEGORIES: Final = Shading("glasbey_category10", "linear", None, None)


@dataclass(frozen=True)
class Resampled:
    """A value a device pixel, (y, x) float64, counted from `origin`; which hold one; under `by` their colours."""

    values: Array
    filled: npt.NDArray[np.bool_]
    origin: int
    colours: Array | None


def resampled(
    layer: ShownLayer, blocks: Iterable[Block], shape: tuple[int, int], x: AxisMap, y: AxisMap, nominal: tuple[int, int]
) -> Resampled:
    """The pixels of a view from the blocks of its window, whose cells are `shape` (rows, columns)."""
    if layer.planes is not None:
        return _mixture(layer, blocks, shape, x, y, nominal)
    found = [(row, column, *decode(planes[0])) for row, column, planes in blocks if planes and planes[0].filled]
    origin = _origin([values[filled] for _, _, values, filled in found]) if layer.movable else 0
    cells = np.zeros(shape) if layer.counts else np.full(shape, np.nan)
    for row, column, values, filled in found:
        numbers = (values - values.dtype.type(origin)).view(np.int64) if origin else values
        cells[_place(row, column)] = np.where(filled, numbers, 0 if layer.counts else np.nan)
    out: Array = combined(cells, x, y, layer.rule)
    if layer.counts or layer.rule == "sum":
        out = levelled(out, x, y, nominal, layer.counts)
    return Resampled(out, out != 0 if layer.counts else ~np.isnan(out), origin, None)


def _mixture(
    layer: ShownLayer, blocks: Iterable[Block], shape: tuple[int, int], x: AxisMap, y: AxisMap, nominal: tuple[int, int]
) -> Resampled:
    cells = Cells("counts" if layer.counts else "null", by=True)
    totals = np.zeros(shape) if layer.counts else np.full(shape, np.nan)
    colours = np.zeros((*shape, 3), np.uint8)
    for row, column, planes in blocks:
        arrays = [_plane(each, layer.counts) for each in planes]
        if not arrays:
            continue
        values = values_of(arrays, cells)
        place = _place(row, column)
        totals[place] = np.where(values.filled, values.numbers, 0 if layer.counts else np.nan)
        colours[place][values.filled] = mixed_colours(arrays, values, _CATEGORIES)
    out, found = mixed(totals, colours, x, y, layer.counts, layer.additive)
    level: Array = levelled(out, x, y, nominal, layer.counts) if layer.counts or layer.additive else out
    return Resampled(level, level != 0 if layer.counts else ~np.isnan(level), 0, found)


def _plane(plane: EncodedPlane, counts: bool) -> Array:
    values, filled = decode(plane)
    return values if counts else np.where(filled, values.astype(np.float64), np.nan)


def _place(row: int, column: int) -> tuple[slice, slice]:
    return np.s_[row * SIDE : (row + 1) * SIDE, column * SIDE : (column + 1) * SIDE]


def _origin(values: Sequence[Array]) -> int:
    """What whole numbers that float64 rounds are to count from; 0 for others, and where no rounding shows."""
    if not values or any(each.dtype.kind not in "iu" for each in values):
        return 0
    low, high = min(int(each.min()) for each in values), max(int(each.max()) for each in values)
    one_sign = (low > 0) == (high > 0)
    near = one_sign and abs(high) <= 2 * abs(low) and abs(low) <= 2 * abs(high)
    return low if max(abs(low), abs(high)) >= _EXACT and near else 0
