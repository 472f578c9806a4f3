"""Rows of points as kernels take them: by their numbers, or by the cells that they fall in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.glyphs.bins import Bins
from bigviz.aggregate.glyphs.place_points import Places, Sides
from bigviz.aggregate.glyphs.point_kernels import Points, Target, interleave, locate_points
from bigviz.aggregate.inputs import NO_INPUTS, Inputs, Numbers, Slices
from bigviz.aggregate.reductions.base import Reduction
from bigviz.aggregate.reductions.by import By
from bigviz.aggregate.reductions.counts import Count, Presence
from bigviz.aggregate.reductions.sums import Sum
from bigviz.common.jit import frozen

__all__ = ["PointReader", "PointRows"]

Array = npt.NDArray[Any]

_SLICE: Final = 1 << 19  # rows that a kernel takes at a time
_COPIED: Final = 1 << 16  # the same of rows that are copied for it, or whose cells are written in several steps
_ALL: Final = frozen(np.empty(0, np.bool_))
_NO_CODES: Final = frozen(np.empty(0, np.int32))
_NO_VALUES: Final = frozen(np.empty(0, np.float32))


@dataclass(frozen=True)
class PointRows:
    """Rows to draw: columns of equal length in the numbers of the bins, and what the reduction reads."""

    x: Slices
    y: Slices
    inputs: Inputs = NO_INPUTS

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True)
class PointReader:
    """Reads rows for an image with the sides `x` and `y`."""

    x: Bins
    y: Bins
    reduction: Reduction
    rows: PointRows

    @cached_property
    def sides(self) -> Sides:
        """Both sides as kernels take them."""
        return Sides.of(self.x, self.y)

    @property
    def splits(self) -> bool:
        """Whether each cell has one number for every category: `cell * categories + code`."""
        return isinstance(self.reduction, By)

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows, columns, and categories if there are any."""
        return (self.y.size, self.x.size, *((self.rows.inputs.categories,) if self.splits else ()))

    @cached_property
    def places_floats(self) -> bool:
        """Whether both sides are placed by their maps, which kernels do while they add."""
        pairs = ((self.x, self.rows.x), (self.y, self.rows.y))
        return not any(bins.log or bins.exact(column.slice(0, 0)[0].dtype) for bins, column in pairs)

    @cached_property
    def slice_size(self) -> int:
        """How many rows are best taken at a time."""
        columns = (self.rows.x, self.rows.y)
        whole = self.places_floats and all(column.slice(0, 0)[0].dtype.kind == "f" for column in columns)
        return _SLICE if whole else _COPIED

    def target(self, outside: int, spare: int) -> Target:
        """The image as kernels take it; rows in no cell go to `outside`, or a little further, by `spare`."""
        return Target(self.x.size * self.y.size, self.rows.inputs.categories, outside, spare)

    def points(self, start: int, stop: int) -> Points:
        """Rows by their numbers, as views of the columns where these are floats; for sides with maps alone."""
        xs, ys = self.rows.x.slice(start, stop), self.rows.y.slice(start, stop)
        masks = [mask for _, mask in (xs, ys) if mask is not None]
        codes, values = _NO_CODES, _NO_VALUES
        if self.splits:
            codes, known = _raw(self.rows.inputs.codes, start, stop)
            masks += [] if known is None else [known]
        if self.reduction.plane.column is not None:
            values, known = self.values(start, stop)
            masks += [] if known is None else [known]
            if isinstance(self.reduction.plane, Count | Presence) and values.dtype.kind != "f":
                values = _NO_VALUES  # no integer is NaN
        valid = _ALL if not masks else masks[0] if len(masks) == 1 else np.logical_and.reduce(masks)
        plain = (np.ascontiguousarray(each) for each in (valid, codes, values))
        return Points(_floats(xs[0]), _floats(ys[0]), *(frozen(each) for each in plain))

    def values(self, start: int, stop: int) -> tuple[Array, Array | None]:
        """The values of rows and which are valid (None: all). Those of sums are in the dtype of the sums, or in float32
        for float64: kernels widen them as they go."""
        inputs = self.rows.inputs
        values, valid = _raw(inputs.values, start, stop)
        if isinstance(self.reduction.plane, Sum) and not (values.dtype == np.float32 and inputs.dtype == np.float64):
            values = np.ascontiguousarray(values, inputs.dtype)
        return values, valid

    def cells(self, target: Target, start: int, stop: int) -> npt.NDArray[np.int32]:
        """The cells of rows; those whose value is null or NaN are in none."""
        cells = np.empty(stop - start, np.int32)
        if self.places_floats:
            points = self.points(start, stop)
            if points.values.dtype.kind != "f":  # no integer is NaN, and for each type of them there were a kernel
                points = points._replace(values=_NO_VALUES)
            locate_points(points, self.sides, target, cells)
            return cells
        rows = self.rows
        Places(self.x, self.y, target.outside).write(rows.x.slice(start, stop), rows.y.slice(start, stop), cells)
        if self.splits:
            codes, valid = _raw(rows.inputs.codes, start, stop)
            interleave(frozen(codes if valid is None else np.where(valid, codes, codes.dtype.type(-1))), target, cells)
        if self.reduction.plane.column is not None:
            values, valid = self.values(start, stop)
            lost = np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), np.bool_)
            np.copyto(cells, np.int32(target.outside), where=lost if valid is None else lost | ~valid)
        return cells


def _raw(column: Numbers | None, start: int, stop: int) -> tuple[Array, Array | None]:
    """Rows of a column in its own width."""
    if column is None:
        raise ValueError("the reduction needs values, and by needs codes")
    return column.values[start:stop], None if column.valid is None else column.valid[start:stop]


def _floats(values: Array) -> Array:
    return frozen(np.ascontiguousarray(values, None if values.dtype.kind == "f" else np.float64))
