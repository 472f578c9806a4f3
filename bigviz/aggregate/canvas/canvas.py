"""`Canvas`: datashader's, over anything that bigviz opens."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any, ClassVar, Final, Literal

import numpy as np
import numpy.typing as npt
import xarray as xr

from bigviz.aggregate.canvas.axes import Range, centres, number, pair, span_of, spans
from bigviz.aggregate.canvas.batches import Batches, batches_of
from bigviz.aggregate.canvas.errors import also_builtin
from bigviz.aggregate.canvas.in_batches import Survey, lines_in_batches, points_in_batches
from bigviz.aggregate.canvas.labelled_array import labelled_array
from bigviz.aggregate.canvas.rows import TableRows, Wanted
from bigviz.aggregate.glyphs.bins import Bins
from bigviz.aggregate.glyphs.line import line_image
from bigviz.aggregate.glyphs.points import PointRows, PointsImage
from bigviz.aggregate.reductions.base import Grid, Reduction
from bigviz.aggregate.reductions.by import By
from bigviz.aggregate.reductions.counts import Count, Presence
from bigviz.aggregate.reductions.datashader import is_passed_on, reduction_of
from bigviz.aggregate.reductions.kernels import blank
from bigviz.aggregate.reductions.sums import Sum
from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import BadInput, TooLarge
from bigviz.common.jit import frozen
from bigviz.common.workers import usable_cores
from bigviz.data.columns.column import ColumnInfo, label_text
from bigviz.data.given import given_text

Array = npt.NDArray[Any]
AxisType = Literal["linear", "log", "datetime"]
Glyph = Literal["points", "line"]

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
    exact and datashader's are rounded: integers and stamps in a window that reaches 2^53, sums of integers. Sums and
    means of floats are added in parts where cells hold many rows, on all cores: they are the same on every run, and off
    by at most 1e-12 of the sum of |v| of the cell.

    Where a table is a file (or `bigviz.open` of one) for which `bigviz index` wrote an index of x and y, or a dataset
    that is shown in this process, an image costs the rows of its window at most, and a line its width. Other tables are
    read through, on all cores: each takes a part of the rows and adds them to a grid of its own, or, where grids are
    large, to bands of one. Lazy frames of polars and dask, datasets and scanners of pyarrow, one-dimensional datasets
    of xarray, and files that would take more than half of the free memory are read in batches, twice where no range is
    given or `by` has to find its labels.

    Categories are those that a pandas categorical or an ordered dictionary of Arrow's declares, in its order; else the
    labels that occur, sorted. Columns of bool, float16, decimals, times and nullable types, which datashader refuses,
    are taken as numbers. Errors are also ValueError, and KeyError for a column that there is not.
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
        with also_builtin():
            for name, kind in (("x_axis_type", x_axis_type), ("y_axis_type", y_axis_type)):
                if not isinstance(kind, str) or kind not in _AXIS_TYPES:
                    raise BadInput(f"{name} must be one of {', '.join(_AXIS_TYPES)}, got {echoed(kind)}", name)
            for name, size in (("plot_width", plot_width), ("plot_height", plot_height)):
                if not isinstance(size, int | np.integer):
                    raise BadInput(f"{name} must be a whole number of cells, got {echoed(size)}", name, echoed(size))
            if int(plot_width) * int(plot_height) > _MOST_CELLS:
                raise TooLarge(
                    f"a canvas has at most {_MOST_CELLS:,} cells, got {plot_width} x {plot_height}", "plot_width"
                )
            self.x_range = None if x_range is None else pair(x_range, "x_range")
            self.y_range = None if y_range is None else pair(y_range, "y_range")
        self.plot_width = int(plot_width)
        self.plot_height = int(plot_height)
        self.x_axis_type = x_axis_type
        self.y_axis_type = y_axis_type

    def points(
        self,
        source: object,
        x: Hashable | None = None,
        y: Hashable | None = None,
        agg: object = None,
        geometry: str | None = None,
        *,
        filter: str = "",
    ) -> xr.DataArray:
        """The reduction (default: count) of the rows in each cell, as an xarray.DataArray (y, x).

        Row 0 has the lowest y; `by` adds a last dimension. Dimensions are named by text: those of pandas columns 0 and
        1 are "0" and "1". `agg` is a reduction, its text, or one of datashader's own objects (`ds.mean("fare")`).
        The image is that of the rows that meet the expression `filter` ("fare > 10 and kind = 'taxi'"); the categories
        of a column stay those of all rows. A column of points (`geometry`), and reductions of datashader's without a
        counterpart here (`ds.var("fare")`), are computed by datashader. Raises BadInput for a window that cannot be
        divided, for columns that the reduction cannot use and for a wrong filter, NotFound for unknown columns.
        """
        given = {"x": x, "y": y, "agg": agg, "geometry": geometry}
        if geometry is not None or x is None or y is None or is_passed_on(agg) or not _is_table(source):
            return self._passed_on("points", source, given, filter)
        return self._image("points", source, label_text(x), label_text(y), Count() if agg is None else agg, filter)

    def line(
        self,
        source: object,
        x: Hashable | Sequence[Hashable] | Array | None = None,
        y: Hashable | Sequence[Hashable] | Array | None = None,
        agg: object = None,
        axis: int = 0,
        geometry: str | None = None,
        line_width: float = 0,
        antialias: bool = False,
        *,
        filter: str = "",
    ) -> xr.DataArray:
        """The reduction (default: any) of the segments through each cell, from each row that `filter` keeps to the
        next; see `points`.

        Lists of columns, a line a row (`axis` 1), lines of a width and columns of lines are datashader's, and computed
        by it. Where it would write outside its image, it is given the vertices in cells: segments are then straight
        between logarithms on a logarithmic axis, where vertices at 0 and below are gaps. So are lines of a width on
        such an axis always.
        """
        given = {"x": x, "y": y, "agg": agg, "axis": axis, "geometry": geometry}
        given |= {"line_width": line_width, "antialias": antialias}
        one = _is_one(x, source) and _is_one(y, source) and _is_table(source)
        if not one or axis != 0 or geometry is not None or line_width or antialias or is_passed_on(agg):
            return self._passed_on("line", source, given, filter)
        return self._image("line", source, label_text(x), label_text(y), Presence() if agg is None else agg, filter)

    def area(self, source: object, x: object, y: object, agg: object = None, **options: Any) -> xr.DataArray:
        """datashader's area under a line, or between two (`y_stack`), computed by it, as `polygons`, `trimesh`,
        `quadmesh` and `raster` are."""
        return self._passed_on("area", source, {"x": x, "y": y, "agg": agg, **options})

    def polygons(self, source: object, geometry: str, agg: object = None) -> xr.DataArray:
        """datashader's polygons of a GeoPandas or spatialpandas frame."""
        return self._passed_on("polygons", source, {"geometry": geometry, "agg": agg})

    def trimesh(self, vertices: object, simplices: object, **options: Any) -> xr.DataArray:
        """datashader's triangles, of pandas frames of vertices and of the rows that join them."""
        return self._passed_on("trimesh", vertices, {"simplices": simplices, **options})

    def quadmesh(self, source: object, x: str | None = None, y: str | None = None, agg: object = None) -> xr.DataArray:
        """datashader's quadrilaterals of an xarray.Dataset."""
        return self._passed_on("quadmesh", source, {"x": x, "y": y, "agg": agg})

    def raster(self, source: object, **options: Any) -> xr.DataArray:
        """datashader's resampling of an xarray.DataArray or Dataset."""
        return self._passed_on("raster", source, options)

    def _passed_on(self, glyph: str, source: object, given: dict[str, Any], filter: str = "") -> Any:
        """What datashader makes of it. It is not loaded before it is needed."""
        kinds = ["log" if kind == "log" else "linear" for kind in (self.x_axis_type, self.y_axis_type)]
        options = {
            "plot_width": self.plot_width,
            "plot_height": self.plot_height,
            "x_range": self.x_range,
            "y_range": self.y_range,
            "x_axis_type": kinds[0],
            "y_axis_type": kinds[1],
        }
        if isinstance(given.get("agg"), str):
            given["agg"] = reduction_of(given["agg"])
        with also_builtin():
            self._check_size()
            return import_module("bigviz.aggregate.canvas.passed_on").draw(options, glyph, source, given, filter)

    def _check_size(self) -> None:
        """Raise BadInput for a canvas without cells: when it is drawn on, and in the words of datashader, as the
        programs that it takes the place in expect."""
        for name, size in (("plot_width", self.plot_width), ("plot_height", self.plot_height)):
            if size < 1:
                sides = f"{self.plot_width} x {self.plot_height}"
                problem = f"Invalid size: plot_width and plot_height must be bigger than 0, got {sides}"
                raise BadInput(problem, name, size)

    def _image(self, glyph: Glyph, source: object, x: str, y: str, agg: object, filter: str) -> xr.DataArray:
        with also_builtin():
            self._check_size()
            reduction = reduction_of(agg)
            dims = [y, x, reduction.label] if isinstance(reduction, By) else [y, x]
            if len(set(dims)) < len(dims):
                raise BadInput(f"x, y and the category must be different columns, got {', '.join(dims)}", "x", x)
            keeping = "" if filter is None else given_text(filter, "filter", "fare > 10")
            return self._drawn(glyph, source, Wanted(x, y, reduction, keeping))

    def _drawn(self, glyph: Glyph, source: object, wanted: Wanted) -> xr.DataArray:
        """The image, from all rows."""
        lazy = batches_of(source, wanted.columns)
        if lazy is not None:
            return self._drawn_in_batches(glyph, lazy, wanted)
        rows = TableRows.of(source, wanted)
        sides = [column for column, given in ((rows.x, self.x_range), (rows.y, self.y_range)) if given is None]
        found = iter(spans(sides, usable_cores(), rows.dataset))
        bins = self._bins(rows.infos, lambda _: next(found))
        drawn = _restarting(rows.reduction)
        if glyph == "line":
            grid = line_image(rows.x, rows.y, *bins, drawn, rows.inputs)
        else:
            grid = PointsImage(*bins, drawn).grid(PointRows(rows.x, rows.y, rows.inputs), threads=usable_cores())
        return self._made(_values(grid, rows.reduction), rows.infos, bins, rows.reduction, rows.labels)

    def _drawn_in_batches(self, glyph: Glyph, lazy: Batches, wanted: Wanted) -> xr.DataArray:
        """The image of a table that is read in batches, once, or twice where ranges or labels are to be found first."""
        survey = Survey.of(lazy, wanted, (self.x_range is None, self.y_range is None))
        bins = self._bins(survey.infos, lambda axis: span_of(survey.infos[axis], survey.ends[axis]))
        draw = lines_in_batches if glyph == "line" else points_in_batches
        grid = draw(survey, bins, _restarting(survey.reduction))
        return self._made(_values(grid, survey.reduction), survey.infos, bins, survey.reduction, survey.labels)

    def _bins(
        self, infos: tuple[ColumnInfo, ColumnInfo], span: Callable[[int], tuple[int | float, int | float]]
    ) -> tuple[Bins, Bins]:
        """The cells of both sides; `span` is asked for the ends of x (0) and of y (1) where no range was given."""
        made = []
        sizes, kinds = (self.plot_width, self.plot_height), (self.x_axis_type, self.y_axis_type)
        for axis, (name, given) in enumerate((("x_range", self.x_range), ("y_range", self.y_range))):
            ends = span(axis) if given is None else tuple(number(end, infos[axis], name) for end in given)
            made.append(Bins(ends[0], ends[1], sizes[axis], kinds[axis] == "log", name, descending=True))
        return made[0], made[1]

    def _made(
        self,
        values: Array,
        infos: tuple[ColumnInfo, ColumnInfo],
        bins: tuple[Bins, Bins],
        reduction: Reduction,
        labels: list[Any],
    ) -> xr.DataArray:
        """Values of cells, categories first, with their coordinates."""
        dims = [infos[1].name, infos[0].name]
        coords: dict[str, Any] = {info.name: centres(info, each) for info, each in zip(infos, bins, strict=True)}
        given = zip((self.x_range, self.y_range), bins, strict=True)
        ranges = [(each.low, each.high) if ends is None else ends for ends, each in given]
        attrs = {"x_range": ranges[0], "y_range": ranges[1]}
        if not isinstance(reduction, By):
            return labelled_array(values, coords, (dims[0], dims[1]), attrs)
        dims.append(reduction.label)
        coords[reduction.label] = labels
        return xr.DataArray(np.moveaxis(values, 0, -1), coords=coords, dims=dims, attrs=attrs)


def _is_table(source: object) -> bool:
    """Whether a source has rows and columns: xarray's arrays of several dimensions have not, and geometries need their
    own library."""
    dims = getattr(source, "dims", None)
    return dims is None or (type(source).__name__ != "DataArray" and len(dims) == 1)


def _is_one(columns: object, source: object) -> bool:
    """Whether an argument names one column, as a tuple of pandas may, and not several."""
    if columns is None or isinstance(columns, list | np.ndarray):
        return False
    return not isinstance(columns, tuple) or columns in list(getattr(source, "columns", ()))


@dataclass(frozen=True)
class _RestartingSum(Sum):
    """A sum as datashader's: a cell's first value replaces NaN, its mark of an empty cell, also after inf - inf."""

    restarts: ClassVar[bool] = True


def _restarting(reduction: Reduction) -> Reduction:
    if isinstance(reduction, By):
        return replace(reduction, inner=_restarting(reduction.inner))
    return _RestartingSum(reduction.column) if type(reduction) is Sum else reduction


def _values(grid: Grid, reduction: Reduction) -> Array:
    """Counts as uint32, any as bool, all else as float64 with NaN for empty cells, in the grid's own memory."""
    if reduction.traits.counts:
        return grid.values
    if reduction.traits.total == "any":
        return grid.filled
    values = grid.values.astype(np.float64, copy=False)
    if values.flags.c_contiguous and grid.filled.flags.c_contiguous:
        blank(values.reshape(-1), frozen(grid.filled.reshape(-1)))
    else:
        np.copyto(values, np.nan, where=~grid.filled)
    return values
