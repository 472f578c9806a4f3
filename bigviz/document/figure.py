"""`bigviz.figure`: axes that glyphs are added to, one call each."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import numpy as np

from bigviz.aggregate.inputs import check
from bigviz.aggregate.layer_options import AXIS_KINDS, BARS, BINS, AxisKind, Glyph, Root, Sort
from bigviz.aggregate.reductions.base import Reduction
from bigviz.aggregate.reductions.datashader import reduction_of
from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import BadInput
from bigviz.data.columns.column import label_text
from bigviz.data.dataset import Dataset
from bigviz.data.default_columns import choose
from bigviz.data.given import given_list, given_text
from bigviz.data.open import open as open_dataset
from bigviz.document.basemap import figure_basemap
from bigviz.document.cell_value import CellValue
from bigviz.document.controls.control import Control
from bigviz.document.controls.handlers import Function, handle
from bigviz.document.follow import Window, figure_follow
from bigviz.document.json import LAYER_KEYS
from bigviz.document.links import Link
from bigviz.document.names import check_name, is_dataset_name
from bigviz.document.spec import BasemapSpec, Dash, How, Marker
from bigviz.document.substitute import reference_of
from bigviz.render.colormaps import canonical
from bigviz.render.css_colors import rgba

__all__ = ["Figure", "Layer", "Range", "figure"]

End = float | int | date | np.datetime64 | None


@dataclass(eq=False)
class Range:
    """The shown part of an axis, None being the data's end. Figures that hold the same `Range` move together."""

    start: End = None
    end: End = None


@dataclass(eq=False)
class Layer:
    """One glyph as the caller described it, checked against its dataset; layers of one `source` share the first one's.

    `dataset` is None where the source is a text that names a dataset of the server that the document is published to.
    """

    source: object
    dataset: Dataset | None
    glyph: Glyph
    x: str
    y: str
    agg: str
    style: dict[str, Any]


@dataclass(eq=False)
class Figure(CellValue):
    """Axes with layers, the first one at the bottom; made by `figure`. `points`, `line`, `histogram` and `bar` return
    the figure itself."""

    title: str = ""
    x_axis_type: AxisKind | None = None
    y_axis_type: AxisKind | None = None
    x_range: Range = field(default_factory=Range)
    y_range: Range = field(default_factory=Range)
    x_label: str | None = None
    y_label: str | None = None
    x_unit: str | None = None
    y_unit: str | None = None
    aspect: str | None = None
    width: int | None = None
    height: int | None = None
    id: str | None = None
    layers: list[Layer] = field(default_factory=list)
    basemap: BasemapSpec | None = None
    follow: Window | None = None
    hover: tuple[str, ...] = ()
    links: list[Link] = field(default_factory=list)

    def points(
        self,
        source: object,
        x: Hashable | None = None,
        y: Hashable | None = None,
        agg: object = "count",
        *,
        cmap: str = "fire",
        how: How = "eq_hist",
        low: float | None = None,
        high: float | None = None,
        color: str | None = None,
        size: float | None = None,
        alpha: float = 1,
        marker: Marker = "circle",
        legend_label: str | None = None,
        root: Root = "default",
        filter: str = "",
    ) -> Figure:
        """Add the rows of a source as points, reduced to cells.

        Without `x` and `y` sensible columns are chosen. `agg` is a reduction, its text, or one of datashader's
        objects (`ds.mean("fare")`). `cmap` names a colour map of colorcet ("fire") or matplotlib ("viridis"), `how` is
        "linear", "log", "cbrt" or "eq_hist", and `low` and `high` are the values where the colours begin and end (None:
        the extremes of what is visible). `root="full"` includes far rows (fill values, sentinels).

        A view of at most 50,000 rows shows each as a mark. With a `color` (CSS: "steelblue", "#d33") or a `size`
        (diameter in CSS pixels) `count` and `any` show all of them in that colour, and their density where there are
        more; other reductions go on colouring each mark by its value. `alpha`, from 0 to 1, is the marks' opacity;
        `marker` is "circle", "square", "diamond", "triangle", "cross" or "x"; `legend_label` is the layer's line in a
        legend. Only rows that meet the expression `filter` are drawn ("fare > 10 and kind = 'taxi'"; $name in it is the
        value of a control). Raises NotFound or Unplottable for a wrong column, BadInput for another wrong argument.
        """
        style = {
            "cmap": cmap, "how": how, "low": low, "high": high, "color": color, "size": size, "alpha": alpha,
            "marker": marker, "legend_label": legend_label, "root": root, "filter": filter,
        }  # fmt: skip
        self.layers.append(_layer(source, "points", x, y, agg, style))
        return self

    def line(
        self,
        source: object,
        x: Hashable | None = None,
        y: Hashable | None = None,
        *,
        color: str | None = None,
        line_width: float | None = None,
        alpha: float = 1,
        line_dash: Dash | Sequence[float] = "solid",
        legend_label: str | None = None,
        root: Root = "default",
        filter: str = "",
    ) -> Figure:
        """Add the rows of a source as a line in x order, ties in file order; null and NaN in y are gaps.

        Without `x` and `y` sensible columns are chosen. `color` is a CSS colour ("steelblue", "#d33"), `line_width` is
        in CSS pixels, `alpha` the opacity from 0 to 1; `line_dash` is "solid", "dashed", "dotted", "dotdash",
        "dashdot", or lengths on and off in CSS pixels; `legend_label` is the layer's line in a legend, and `root` and
        `filter` are as in `points`. Raises NotFound or Unplottable for a wrong column, BadInput for another wrong
        argument.
        """
        style = {
            "color": color, "line_width": line_width, "alpha": alpha, "line_dash": line_dash,
            "legend_label": legend_label, "root": root, "filter": filter,
        }  # fmt: skip
        self.layers.append(_layer(source, "line", x, y, "any", style))
        return self

    def histogram(
        self,
        source: object,
        x: Hashable,
        *,
        bins: int = BINS,
        agg: object = "count",
        color: str | None = None,
        alpha: float = 1,
        legend_label: str | None = None,
        root: Root = "default",
        filter: str = "",
    ) -> Figure:
        """Add a histogram of a column of numbers or times: exact counts of all rows, at any depth of zoom.

        `bins` equal bins (1 to 4,096) cover the range of the data, half-open but for the last, as numpy.histogram has
        them; each is halved as often as one zooms in by two, so that bars nest. Whole numbers are divided at whole
        numbers; where bins would be no wider than 1, each number has its own. On a log axis bins are equally wide in
        log10. `agg` is a reduction that gives numbers: `count`, `sum("fare")`, `mean("fare")`, and `by("kind")` or
        `by("kind", sum("fare"))`, whose bars are stacked. `color`, `alpha` and `legend_label` are as in `line`; `root`
        and `filter` are as in `points`: far rows are in no bin. Raises NotFound, Unplottable or BadInput.
        """
        style = {
            "bins": bins, "color": color, "alpha": alpha, "legend_label": legend_label, "root": root, "filter": filter,
        }  # fmt: skip
        self.layers.append(_layer(source, "histogram", x, "", agg, style))
        return self

    def bar(
        self,
        source: object,
        x: Hashable,
        *,
        agg: object = "count",
        sort: Sort = "label",
        color: str | None = None,
        alpha: float = 1,
        legend_label: str | None = None,
        filter: str = "",
    ) -> Figure:
        """Add a bar for each label of a column of labels, integers or booleans: exact numbers of rows, or another
        reduction of them as in `histogram`.

        `sort` is "label", or "value" for the largest first. At most 4,096 labels have bars; rows without a label are
        in none. `filter` is as in `points`. Raises NotFound, Unplottable or BadInput.
        """
        style = {"sort": sort, "color": color, "alpha": alpha, "legend_label": legend_label, "filter": filter}
        self.layers.append(_layer(source, "bar", x, "", agg, style))
        return self

    def on_select(self, call: Function) -> Function:
        """Call `call(session, selection)` when a viewer has selected rows of the figure, or none (None), in an app that
        `bigviz serve` runs. Also a decorator."""
        return handle("select", self, call)

    def on_range(self, call: Function) -> Function:
        """Call `call(session, (x0, x1, y0, y1))` when a viewer has moved the figure's window, in axis space, times as
        nanoseconds, in an app that `bigviz serve` runs; while it moves, with the newest. Also a decorator."""
        return handle("range", self, call)


def figure(
    *,
    title: str = "",
    x_axis_type: AxisKind | None = None,
    y_axis_type: AxisKind | None = None,
    x_range: Range | tuple[End, End] | None = None,
    y_range: Range | tuple[End, End] | None = None,
    x_label: str | None = None,
    y_label: str | None = None,
    x_unit: str | None = None,
    y_unit: str | None = None,
    aspect: str | None = None,
    width: int | None = None,
    height: int | None = None,
    basemap: str | None = None,
    attribution: str | None = None,
    max_zoom: int = 19,
    follow: Window | None = None,
    hover: Sequence[str] | None = None,
    id: str | None = None,
) -> Figure:
    """Make a figure without layers.

    An axis type is "linear", "log" (log10 of positive numbers), "datetime" or "mercator" (degrees, for both axes);
    None is datetime for columns of times and linear for all others. A range is a pair (start, end) in axis space, or of
    dates for an axis of times, where None stands for the data's end; or it is another figure's range
    (`x_range=other.x_range`), which links the two. `aspect` "locked" keeps one unit equally long on both axes. `width`
    and `height` are CSS pixels; None takes the room there is. `id` names the figure in the document.

    `follow` shows the newest part of the x axis, so long, and moves on as rows are appended: "60s", "5 min" (of ns, us,
    ms, s, min, h, d and w) or a timedelta for an axis of times, a number in axis units for any other; a column of x
    that does not go with it is refused. A pan or a zoom pauses it. It takes the place of `x_range`.

    `hover` names the columns that are told of the row under the pointer, at most 40, in this order; without it they are
    the table's first ones.

    `basemap` draws a map below the data of mercator axes: the address of its tiles with {z}, {x} and {y} in the path,
    such as "https://tile.example/{z}/{x}/{y}.png"; {r} is @2x on dense screens, {s} before the host a, b or c. The
    browser of whoever looks at the figure fetches them from there. `attribution` is required with it: plain text that
    names who made the map. Beyond `max_zoom` tiles of that level are magnified. Raises BadInput.
    """
    for name, kind in (("x_axis_type", x_axis_type), ("y_axis_type", y_axis_type)):
        if kind is not None and (not isinstance(kind, str) or kind not in AXIS_KINDS):
            raise BadInput(f"{name} is one of {', '.join(AXIS_KINDS)}, got {echoed(kind)}.", name, echoed(kind))
    if aspect is not None and (not isinstance(aspect, str) or aspect != "locked"):
        raise BadInput(f'aspect is "locked" or None, got {echoed(aspect)}.', "aspect", echoed(aspect))
    for name, value in (("title", title), ("id", id)):
        if value is not None:
            given_text(value, name)
    below = figure_basemap(basemap, attribution, max_zoom)
    if below is not None and x_axis_type != "mercator":
        raise BadInput(f'A basemap is for axes of type "mercator", got {x_axis_type!r}.', "basemap", x_axis_type)
    if follow is not None:
        figure_follow(follow)
    hovered = [] if hover is None else given_list(hover, "hover", "columns")
    if not all(isinstance(name, str) for name in hovered):
        raise BadInput(f"hover is a list of columns, got {echoed(hover)}.", "hover", echoed(hover))
    return Figure(
        title or "", x_axis_type, y_axis_type, _range(x_range, "x_range"), _range(y_range, "y_range"), x_label, y_label,
        x_unit, y_unit, aspect, width, height, id, basemap=below, follow=follow,
        hover=tuple(hovered),
    )  # fmt: skip


def nanoseconds(value: End) -> int | None:
    """A time as int64 nanoseconds since the epoch; numbers are taken as nanoseconds, naive datetimes as UTC."""
    if value is None:
        return None
    if isinstance(value, datetime) and value.tzinfo is not None:
        value = value.astimezone(UTC).replace(tzinfo=None)
    if isinstance(value, date | np.datetime64):
        return int(np.asarray(value, "datetime64[ns]").astype(np.int64))
    return int(value)


def _range(value: Range | tuple[End, End] | None, name: str) -> Range:
    if value is None:
        return Range()
    if isinstance(value, Range):
        return value
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise BadInput(f"{name} is a pair (start, end) or another figure's range, got {value!r}.", name, repr(value))
    for end in value:
        if isinstance(end, float) and not math.isfinite(end):
            raise BadInput(f"{name} has finite ends, got {value!r}.", name, repr(value))
    return Range(*value)


def _layer(
    source: object, glyph: Glyph, x: Hashable | None, y: Hashable | None, agg: object, style: dict[str, Any]
) -> Layer:
    dataset = None if is_dataset_name(source) else open_dataset(source)
    if x is None or y is None:
        chosen = choose(_opened(dataset, source))
        x, y = chosen.x if x is None else x, chosen.y if y is None else y
    x_name, y_name = label_text(_named(x)), label_text(_named(y))
    agg, style = _named(agg), {key: _named(value) for key, value in style.items()}
    if "cmap" in style and not _is_reference(style["cmap"]):
        style["cmap"] = canonical(style["cmap"])
    if style.get("color") is not None:
        rgba(style["color"])
    style = {key: _plain(value) for key, value in style.items() if value is not None}
    for key, value in style.items():
        if key not in ("cmap", "color"):
            LAYER_KEYS[key](value, key)
    reduction = agg if _is_reference(agg) else reduction_of(agg)
    if dataset is None:
        check_name(str(source), "source")
    else:
        known = {each.name for each in dataset.columns()}
        for name in (x_name, y_name) if glyph not in BARS else (x_name,):
            if name in known or not _is_reference(name):  # else the document knows its columns
                dataset.info(name)
        if isinstance(reduction, Reduction):
            check(dataset, reduction)
    return Layer(source, dataset, glyph, x_name, y_name, str(reduction), style)


def _named(value: Any) -> Any:
    """A control as the text that stands for its value."""
    return f"${value.id}" if isinstance(value, Control) else value


def _is_reference(value: object) -> bool:
    return isinstance(value, str) and reference_of(value) is not None


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    return list(value) if isinstance(value, tuple) else value


def _opened(dataset: Dataset | None, source: object) -> Dataset:
    """The dataset, to choose columns of."""
    if dataset is None:
        raise BadInput(
            f"There is no file {source!r}, and of a server's dataset the columns are not known here: give x and y.",
            "source",
            source,
        )
    return dataset
