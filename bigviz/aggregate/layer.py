"""What a viewer asks to see: a glyph over two columns, a reduction, two axis spaces, a root and a filter."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any, Final

from bigviz.aggregate.inputs import bound, check
from bigviz.aggregate.layer_options import AXIS_KINDS, BARS, BINS, GLYPHS, MOST_BINS, ROOTS, SORTS
from bigviz.aggregate.reductions.base import Reduction
from bigviz.aggregate.reductions.counts import Presence
from bigviz.aggregate.reductions.parse import parse
from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import BadInput, naming
from bigviz.data.columns.column import ColumnInfo
from bigviz.data.dataset import Dataset
from bigviz.data.filters.check import check as check_filter
from bigviz.data.filters.parse import parse as parse_filter
from bigviz.data.filters.tree import Expression

__all__ = ["MOST_CATEGORIES", "Layer"]

MOST_CATEGORIES: Final = 64


@dataclass(frozen=True)
class Layer:
    """The definition of a layer, complete: any server that knows the dataset can draw it.

    `agg` is a reduction in its text form; `root` is "default" (without far rows) or "full". `filter` is an expression
    in its canonical text, without `$name`; "" keeps every row. The root is that of all rows, whatever the filter. A
    histogram and bars have no column for y, which is "": `bins` is how many a histogram has over all of its range,
    `sort` is the order of bars.
    """

    glyph: str
    x: str
    y: str
    agg: str | Reduction = "count"
    xaxis: str = "linear"
    yaxis: str = "linear"
    root: str = "default"
    filter: str = ""
    bins: int = BINS
    sort: str = "label"

    @property
    def reduction(self) -> Reduction:
        """The reduction. Raises BadInput for a text that names none."""
        return _parsed(self.agg) if isinstance(self.agg, str) else self.agg

    @property
    def expression(self) -> Expression | None:
        """The filter as a tree, None where every row is kept. Raises BadInput for a text that is no expression."""
        return _expression(self.filter) if self.filter else None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that answers are made of, those of the axes first, each once."""
        expression = self.expression
        filtered = () if expression is None else sorted(expression.columns)
        return tuple(dict.fromkeys((*self.axis_columns, *self.reduction.columns, *filtered)))

    @property
    def axis_columns(self) -> tuple[str, ...]:
        """The columns of x and y, or of x alone for bars, whose y is none. A column may have an empty name."""
        return (self.x,) if self.glyph in BARS else (self.x, self.y)

    def key(self) -> tuple[str, ...]:
        """What tells this layer from others of its dataset."""
        return self._key

    @cached_property
    def _key(self) -> tuple[str, ...]:
        more = {"histogram": (str(self.bins),), "bar": (self.sort,)}.get(self.glyph, ())
        return self.glyph, self.x, self.y, str(self.reduction), self.xaxis, self.yaxis, self.root, self.filter, *more

    def check(self, dataset: Dataset) -> None:
        """Check the definition against a dataset's schema; nothing is read.

        Raises BadInput, NotFound (with the nearest column) or Unplottable, naming the field.
        """
        _one_of("glyph", self.glyph, GLYPHS)
        _one_of("root", self.root, ROOTS)
        _one_of("sort", self.sort, SORTS)
        _one_of("xaxis", self.xaxis, AXIS_KINDS)
        _one_of("yaxis", self.yaxis, AXIS_KINDS)
        if (self.xaxis == "mercator") != (self.yaxis == "mercator"):
            raise BadInput(
                f"mercator needs both axes, got xaxis {self.xaxis!r} and yaxis {self.yaxis!r}", "xaxis", self.xaxis
            )
        if self.glyph in BARS:
            self._check_bars(dataset)
        else:
            for field, column, axis in (("x", self.x, self.xaxis), ("y", self.y, self.yaxis)):
                _axis_info(dataset, field, column, axis)
            with naming("agg"):
                self._check_reduction(dataset)
        if self.expression is not None:
            check_filter(self.expression, dataset)

    def _check_bars(self, dataset: Dataset) -> None:
        if self.y != "":
            raise BadInput(f"a {self.glyph} has no column for y, got {echoed(self.y)}: leave it out", "y", self.y)
        if not isinstance(self.bins, int) or not 1 <= self.bins <= MOST_BINS:
            got = echoed(self.bins)
            raise BadInput(f"bins is a whole number from 1 to {MOST_BINS:,}, got {got}", "bins", got)
        info = _axis_info(dataset, "x", self.x, self.xaxis)
        if self.glyph == "histogram" and info.kind == "category":
            raise BadInput(
                f"a histogram divides numbers or times, and {self.x!r} holds labels: ask for bar", "x", self.x
            )
        if self.glyph == "bar" and not info.is_labelled:
            raise BadInput(
                f"bar needs a column of labels, integers or booleans, and {self.x!r} holds {info.holds}: ask for "
                "histogram",
                "x",
                self.x,
            )
        if self.xaxis not in (("linear",) if self.glyph == "bar" else ("linear", "log", "datetime")):
            raise BadInput(f"a {self.glyph} has no {self.xaxis} axis for x", "xaxis", self.xaxis)
        if self.yaxis not in ("linear", "log"):
            raise BadInput(f"y of a {self.glyph} is linear or log, got {self.yaxis!r}", "yaxis", self.yaxis)
        with naming("agg"):
            self._check_bars_reduction(dataset)

    def _check_bars_reduction(self, dataset: Dataset) -> None:
        reduction, plane = self.reduction, self.reduction.plane
        check(dataset, reduction)
        if plane.traits.total == "any":
            raise BadInput(f"a {self.glyph} shows numbers, got {reduction}: ask for count", "agg", str(reduction))
        if plane.column is not None and not plane.traits.counts and not dataset.info(plane.column).is_numeric:
            held = dataset.info(plane.column).type
            raise BadInput(
                f"a {self.glyph} shows numbers, and {plane.column!r} holds {held}, got {reduction}",
                "agg",
                str(reduction),
            )
        if reduction.category is not None and not plane.traits.additive:
            raise BadInput(
                f"bars of categories are stacked, which counts and sums can be, got {reduction}", "agg", str(reduction)
            )

    def bound(self, dataset: Dataset) -> Layer:
        """The layer as it reads a dataset, whose column types say how its reduction does (see `inputs.bound`)."""
        reduction = bound(self.reduction, dataset)
        return self if reduction == self.reduction else replace(self, agg=reduction)

    def _check_reduction(self, dataset: Dataset) -> None:
        reduction = self.reduction
        if self.glyph == "line":
            if reduction != Presence():
                raise BadInput(f"a line's tiles hold any, got {reduction}", "agg", str(reduction))
            return
        check(dataset, reduction)


@lru_cache(maxsize=1024)
def _parsed(text: str) -> Reduction:
    """`parse`, cached: every tile of a layer needs it."""
    return parse(text)


@lru_cache(maxsize=128)  # one of a thousand nodes takes some hundred KB
def _expression(text: str) -> Expression:
    """`parse_filter`, cached too."""
    return parse_filter(text)


def _one_of(field: str, got: Any, allowed: tuple[str, ...]) -> None:
    if got not in allowed:
        raise BadInput(f"{field} is {', '.join(allowed[:-1])} or {allowed[-1]}, got {echoed(got)}", field, got)


def _axis_info(dataset: Dataset, field: str, column: str, axis: str) -> ColumnInfo:
    """What an axis shows. Raises as `Layer.check` does."""
    with naming(field):
        info = dataset.info(column)
    if axis in ("log", "mercator") and not info.is_numeric:
        raise BadInput(f"a {axis} axis needs numbers, and {column!r} holds {info.holds}", f"{field}axis", axis)
    return info
