"""What is known of a layer once it is built."""

from __future__ import annotations

from dataclasses import dataclass

from bigviz.aggregate.axis import Axis
from bigviz.aggregate.dyadic_cells import Root
from bigviz.aggregate.layer import Layer
from bigviz.aggregate.reductions.base import Reduction
from bigviz.aggregate.value_kind import ValueKind, value_kind
from bigviz.data.columns.column import ColumnInfo
from bigviz.data.dataset import Dataset
from bigviz.tiles.grid.survey import Survey
from bigviz.tiles.grid.window import Number

__all__ = ["LayerInfo", "facts_of"]


@dataclass(frozen=True)
class LayerInfo:
    """What is known of a layer once it is built.

    `root_x`, `root_y` are the roots; `extent` their edges and `range` the extremes of the rows inside (None without
    rows), both ordered x0, y0, x1, y1 in axis space: int for integer and time axes, else float. `planes` lists the
    labels under `by`; `value` is what their cells hold. `sorted` is True where a line's x needed no sort. `rows_kept`
    are the rows that the filter keeps, drawn or not; all other numbers are of all rows, whatever the filter.
    """

    root_x: Root
    root_y: Root
    extent: tuple[Number, Number, Number, Number]
    range: tuple[Number, Number, Number, Number] | None
    rows: int
    rows_outside: int
    rows_far: int
    rows_kept: int
    version: int
    reduction: Reduction
    planes: tuple[str, ...] | None
    value: ValueKind
    x: ColumnInfo
    y: ColumnInfo
    x_categories: tuple[str, ...] | None
    y_categories: tuple[str, ...] | None
    sorted: bool


def facts_of(
    dataset: Dataset,
    layer: Layer,
    found: Survey,
    axes: tuple[Axis, Axis],
    labels: tuple[str, ...] | None,
    ordered: bool,
    kept: int | None = None,
) -> LayerInfo:
    """The facts of a layer: of its survey, its axes, and its labels under `by`; `ordered` where x needed no sort, and
    how many rows its filter keeps (None: all)."""
    whole = found.x.start, found.y.start, found.x.stop, found.y.stop
    integers = [_is_integer(axis) for axis in axes] * 2
    numbers = [int(edge) if exact else float(edge) for edge, exact in zip(whole, integers, strict=True)]
    return LayerInfo(
        found.x,
        found.y,
        (numbers[0], numbers[1], numbers[2], numbers[3]),
        None if found.low is None or found.high is None else (*found.low, *found.high),
        found.rows,
        found.outside,
        found.far,
        found.rows if kept is None else kept,
        dataset.version,
        layer.reduction,
        labels,
        value_kind(layer.reduction, dataset),
        axes[0].column.info,
        axes[1].column.info,
        axes[0].column.categories,
        axes[1].column.categories,
        ordered,
    )


def _is_integer(axis: Axis) -> bool:
    return axis.space.forward is None and axis.column.values.dtype.kind in "iu"
