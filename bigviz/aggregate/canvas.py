"""`Canvas`: datashader's, over anything that bigviz opens."""

import datetime
from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final, Literal

import numpy as np
import numpy.typing as npt
import xarray as xr

from bigviz.aggregate.canvas_bins import Bins
from bigviz.aggregate.glyphs.line import line_image
from bigviz.aggregate.glyphs.points import points_image
from bigviz.aggregate.inputs import Inputs, Numbers, bound, load
from bigviz.aggregate.reductions.base import Grid, Reduction
from bigviz.aggregate.reductions.by import By
from bigviz.aggregate.reductions.counts import Count, Presence
from bigviz.aggregate.reductions.datashader import reduction_of
from bigviz.aggregate.reductions.sums import Sum
from bigviz.common.errors import BadInput, TooLarge
from bigviz.common.workers import Crew
from bigviz.data.columns.column import Column, label_text
from bigviz.data.dataset import Dataset
from bigviz.data.filters.check import check
from bigviz.data.filters.kept import kept
from bigviz.data.filters.parse import parse
from bigviz.data.open import open as open_source

Array = npt.NDArray[Any]
AxisType = Literal["linear", "log", "datetime"]
Range = tuple[Any, Any]

_AXIS_TYPES: Final = ("linear", "log", "datetime")
_MOST_CELLS: Final = 1 << 28


class Canvas:
    """A window of `plot_width` x `plot_height` cells into which rows are binned: datashader's `Canvas`.

    `x_range` and `y_range` are (low, high), both ends included; None takes the extremes of the column. (As in
    datashader, a column without a number, or with an infinite one, has the range -1 to 1, and a column of one number
    that number plus and minus 1.) Ends on axes of times are int nanoseconds, numpy or Python datetimes, or ISO text.
    Axis types are "linear" (for times too), "datetime" (the same) and "log".

    The results equal those of datashader 0.19 on the same table bit for bit: values, dtype, coordinates, dims and
    attrs. They differ where datashader makes a mistake: lines over unsigned columns (it wraps below 0), points and
    clipped segments that rounding puts outside the image (it puts them on the far side, or overwrites memory), rows
    without a category (it counts them as the last one), infinite vertices (gaps here). And they differ where they are
    exact and datashader's are rounded: integers and stamps in a window that reaches 2^53, sums of integers.

    Categories are the labels that occur, sorted. Columns of bool, float16, decimals, times and nullable types, which
    datashader refuses, are taken as numbers.
    """

    def __init__(
        self,
        plot_width: int = 600,
        plot_height: int = 600,
        x_range: Range | None = None,
        y_range: Range | None = None,
        x_axis_type: AxisType = "linear",
        y_axis_type: AxisType = "linear",
    ) -> None:
        for name, kind in (("x_axis_type", x_axis_type), ("y_axis_type", y_axis_type)):
            if kind not in _AXIS_TYPES:
                raise BadInput(f"{name} must be one of {', '.join(_AXIS_TYPES)}, got {kind!r}", name, kind)
        for name, size in (("plot_width", plot_width), ("plot_height", plot_height)):
            if size < 1:
                raise BadInput(f"{name} must be at least 1, got {size}", name, size)
        if plot_width * plot_height > _MOST_CELLS:
            raise TooLarge(
                f"a canvas has at most {_MOST_CELLS:,} cells, got {plot_width} x {plot_height}", "plot_width"
            )
        self.plot_width = plot_width
        self.plot_height = plot_height
        self.x_range = None if x_range is None else _pair(x_range, "x_range")
        self.y_range = None if y_range is None else _pair(y_range, "y_range")
        self.x_axis_type = x_axis_type
        self.y_axis_type = y_axis_type

    def points(self, source: object, x: Hashable, y: Hashable, agg: object = None, *, filter: str = "") -> xr.DataArray:
        """The reduction (default: count) of the rows in each cell, as an xarray.DataArray (y, x).

        Row 0 has the lowest y; `by` adds a last dimension. Dimensions are named by text: those of pandas columns 0 and
        1 are "0" and "1". `agg` is a reduction, its text, or one of datashader's own objects (`ds.mean("fare")`).
        The image is that of the rows that meet the expression `filter` ("fare > 10 and kind = 'taxi'"); the categories
        of a column stay those of all rows. Raises BadInput for a window that cannot be divided, for reductions that are
        not offered, for columns that the reduction cannot use and for a wrong filter, NotFound for unknown columns.
        """
        agg = Count() if agg is None else agg
        return self._image(points_image, source, label_text(x), label_text(y), agg, filter)

    def line(self, source: object, x: Hashable, y: Hashable, agg: object = None, *, filter: str = "") -> xr.DataArray:
        """The reduction (default: any) of the segments through each cell, from each row that `filter` keeps to the
        next; see `points`."""
        agg = Presence() if agg is None else agg
        return self._image(line_image, source, label_text(x), label_text(y), agg, filter)

    def _image(self, draw: Any, source: object, x: str, y: str, agg: object, filter: str) -> xr.DataArray:
        dataset = open_source(source)
        keep = None if not filter else kept(dataset, check(parse(filter), dataset), Crew())
        reduction = bound(reduction_of(agg), dataset)
        label = reduction.label if isinstance(reduction, By) else None
        dims = [y, x] if label is None else [y, x, label]
        if len(set(dims)) < len(dims):
            raise BadInput(f"x, y and the category must be different columns, got {', '.join(dims)}", "x", x)
        xs, ys = (_some(dataset.column(name), keep) for name in (x, y))
        x_bins = _bins(xs, self.x_range, self.plot_width, self.x_axis_type == "log", "x_range")
        y_bins = _bins(ys, self.y_range, self.plot_height, self.y_axis_type == "log", "y_range")
        grid = draw(xs, ys, x_bins, y_bins, _restarting(reduction), _taken(load(dataset, reduction), keep))
        ranges = [given or (bins.low, bins.high) for given, bins in ((self.x_range, x_bins), (self.y_range, y_bins))]
        coords: dict[str, Any] = {x: _centres(xs, x_bins), y: _centres(ys, y_bins)}
        values = _values(grid, reduction)
        if label is not None and reduction.category is not None:
            values = np.moveaxis(values, 0, -1)
            coords[label] = _labels(dataset, reduction.category)
        return xr.DataArray(values, coords=coords, dims=dims, attrs={"x_range": ranges[0], "y_range": ranges[1]})


@dataclass(frozen=True)
class _RestartingSum(Sum):
    """A sum as datashader's: a cell's first value replaces NaN, its mark of an empty cell, also after inf - inf."""

    restarts: ClassVar[bool] = True


def _restarting(reduction: Reduction) -> Reduction:
    if isinstance(reduction, By):
        return replace(reduction, inner=_restarting(reduction.inner))
    return _RestartingSum(reduction.column) if type(reduction) is Sum else reduction


def _values(grid: Grid, reduction: Reduction) -> Array:
    """Counts as uint32, any as bool, all else as float64 with NaN for empty cells."""
    if reduction.traits.counts:
        return grid.values
    if reduction.traits.total == "any":
        return grid.filled
    return np.where(grid.filled, grid.values.astype(np.float64), np.nan)


def _some(column: Column, keep: npt.NDArray[np.bool_] | None) -> Column:
    """The rows of a column that are kept (None: all)."""
    if keep is None:
        return column
    valid = None if column.valid is None else column.valid[keep]
    return Column(column.info, column.values[keep], valid, column.categories)


def _taken(inputs: Inputs, keep: npt.NDArray[np.bool_] | None) -> Inputs:
    """What a reduction reads of the rows that are kept (None: all)."""
    if keep is None:
        return inputs
    values, codes = (
        None if each is None else Numbers(each.values[keep], None if each.valid is None else each.valid[keep])
        for each in (inputs.values, inputs.codes)
    )
    return replace(inputs, values=values, codes=codes)


def _labels(dataset: Dataset, name: str) -> list[str]:
    return list(dataset.column(name).categories or ())


def _pair(values: Any, name: str) -> Range:
    pair = tuple(values)
    if len(pair) != 2:
        raise BadInput(f"{name} must be (low, high), got {pair}", name, pair)
    return pair


def _bins(column: Column, given: Range | None, size: int, log: bool, name: str) -> Bins:
    low, high = _span(column) if given is None else (_number(value, column, name) for value in given)
    return Bins(low, high, size, log, name)


def _span(column: Column) -> tuple[int | float, int | float]:
    values = column.values if column.valid is None else column.values[column.valid]
    if values.dtype.kind == "f":
        low = float(np.fmin.reduce(values, initial=np.inf))
        high = float(np.fmax.reduce(values, initial=-np.inf))
        if not (np.isfinite(low) and np.isfinite(high)):
            return -1.0, 1.0
    elif not len(values):
        return -1.0, 1.0
    else:
        whole = int if column.info.is_time else float
        low, high = whole(values.min()), whole(values.max())
    return (low - 1, low + 1) if low == high else (low, high)


def _number(value: Any, column: Column, name: str) -> int | float:
    """One end of a range as a Python number."""
    if column.info.is_time:
        if isinstance(value, datetime.datetime) and value.tzinfo is not None:
            value = np.datetime64(value.astimezone(datetime.UTC).replace(tzinfo=None))
        if isinstance(value, str | datetime.date):
            value = np.datetime64(value)
        if isinstance(value, np.datetime64):
            return int(value.astype("datetime64[ns]").view(np.int64))
        if isinstance(value, datetime.timedelta):
            value = np.timedelta64(value)
        if isinstance(value, np.timedelta64):
            return int(value.astype("timedelta64[ns]").view(np.int64))
    number = value.item() if isinstance(value, np.generic) else value
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise BadInput(f"{name} must be two numbers, got {value!r}", name, value)
    return number


def _centres(column: Column, bins: Bins) -> Array:
    """The coordinates of the cells: datetime64 for dates and stamps, timedelta64 for times of day and durations."""
    if not column.info.is_time:
        return bins.centres()
    low, high = int(bins.low), int(bins.high)
    middles = [low + (2 * k + 1) * (high - low) // (2 * bins.size) for k in range(bins.size)]
    unit = "datetime64[ns]" if column.info.kind in ("date", "timestamp") else "timedelta64[ns]"
    return np.array(middles, np.int64).view(unit)
