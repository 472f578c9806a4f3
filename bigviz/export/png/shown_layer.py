"""One layer of a figure as it is to be drawn: what of it the document or a view says, and what the engine knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy.typing as npt

from bigviz.aggregate.layer import Layer
from bigviz.aggregate.layer_options import BARS
from bigviz.data.dataset import Dataset
from bigviz.document.spec import LayerSpec
from bigviz.export.axes.axis import is_exact
from bigviz.export.axes.span import DataRange, End, whole_bins
from bigviz.export.png.theme import Palette, Rgb
from bigviz.render.colormaps import lut
from bigviz.render.contrast import seen_on, wants_dark
from bigviz.render.css_colors import rgba
from bigviz.render.norm import Clip
from bigviz.tiles.interface import DensePart, LayerInfo

__all__ = ["Choice", "LineStyle", "ShownLayer"]

_TIMES: Final = ("timestamp", "date", "time", "duration")
_CELLS: Final = ("integer", "bool", "category")  # kinds of columns whose numbers may stand for cells
_MOST_CELLS: Final = 64
_LINE_WIDTH: Final = 1.5
_DASHES: Final[dict[str, tuple[float, ...]]] = {
    "solid": (), "dashed": (6,), "dotted": (2, 4), "dotdash": (2, 4, 6, 4), "dashdot": (6, 4, 2, 4),
}  # fmt: skip


@dataclass(frozen=True)
class Choice:
    """A layer of the document with what a view changes of it; `low` and `high` may be percentiles."""

    spec: LayerSpec
    dataset: Dataset
    layer: Layer
    cmap: str
    how: str
    low: Clip
    high: Clip


@dataclass(frozen=True)
class LineStyle:
    """A stroke: its width and the lengths of its dashes are CSS pixels."""

    colour: Rgb
    width: float
    opacity: float
    dash: tuple[float, ...]


@dataclass(frozen=True)
class ShownLayer:
    """`index` is the layer's place in its figure, `dense` the part of its range with nearly all rows, if small."""

    choice: Choice
    info: LayerInfo
    dense: DensePart | None
    index: int
    palette: Palette

    @property
    def is_line(self) -> bool:
        return self.choice.layer.glyph == "line"

    @property
    def is_bars(self) -> bool:
        return self.choice.layer.glyph in BARS

    @property
    def planes(self) -> tuple[str, ...] | None:
        """The categories under `by`."""
        return self.info.planes

    @property
    def counts(self) -> bool:
        """Cells are numbers of rows: 0 is empty, else NaN."""
        return self.info.reduction.traits.counts

    @property
    def additive(self) -> bool:
        return self.info.reduction.traits.additive

    @property
    def tells_places(self) -> bool:
        """Only where rows are matters: they have neither categories nor values."""
        return self.planes is None and (self.counts or self.info.reduction.traits.total == "any")

    @property
    def rule(self) -> str:
        """How the cells of a pixel combine."""
        pixel = self.info.reduction.traits.pixel
        return "count" if self.counts else "max" if pixel == "any" else pixel

    @property
    def movable(self) -> bool:
        """Values may count from any origin, as they are neither added up nor mixed."""
        return self.planes is None and not self.counts and not self.additive

    @property
    def exact(self) -> tuple[bool, bool]:
        """Which axes are of whole numbers."""
        layer = self.choice.layer
        return is_exact(self.info.x.kind, layer.xaxis), is_exact(self.info.y.kind, layer.yaxis)

    @property
    def times(self) -> tuple[bool, bool]:
        """Which axes are of times."""
        return self.info.x.kind in _TIMES, self.info.y.kind in _TIMES

    @property
    def whole(self) -> tuple[bool, bool]:
        """Which axes are of whole numbers that are no times."""
        (x, y), (x_time, y_time) = self.exact, self.times
        return x and not x_time, y and not y_time

    @cached_property
    def table(self) -> npt.NDArray[Any]:
        """Its colours, (256, 3): those of its map that are seen on its ground."""
        return seen_on(lut(self.choice.cmap), self.ground_dark)

    @property
    def ground_dark(self) -> bool:
        """Its colour map needs a dark ground."""
        return wants_dark(lut(self.choice.cmap), self.palette.dark)

    @cached_property
    def colour(self) -> tuple[Rgb, float]:
        """The colour where one is all that is needed, and its opacity."""
        own = self.choice.spec.color
        if own is None:
            return self.palette.line[self.index % len(self.palette.line)], 1.0
        red, green, blue, alpha = rgba(own)
        return (red, green, blue), alpha / 255

    @property
    def line_style(self) -> LineStyle:
        spec = self.choice.spec
        dash = _DASHES[spec.line_dash] if isinstance(spec.line_dash, str) else tuple(spec.line_dash)
        colour, opacity = self.colour
        width = _LINE_WIDTH if spec.line_width is None else spec.line_width
        return LineStyle(colour, width, spec.alpha * opacity, dash)

    @property
    def mark_opacity(self) -> float:
        return self.choice.spec.alpha * self.colour[1]

    def data_range(self, side: int) -> DataRange | None:
        """What the data spans on x (0) or y (1)."""
        if self.info.range is None:
            return None
        return *self._with_last_bin(side, self.info.range[side], self.info.range[side + 2]), self._has_cells(side)

    def home_range(self, side: int) -> DataRange | None:
        """What the first view shows of it: the part with nearly all rows, if that is small."""
        if self.dense is None:
            return self.data_range(side)
        return *self._with_last_bin(side, self.dense.box[side], self.dense.box[side + 2]), False

    def _with_last_bin(self, side: int, low: End, high: End) -> tuple[End, End]:
        """The last bin of a histogram of whole numbers may end beyond them."""
        layer = self.choice.layer
        is_whole = side == 0 and self.info.x.kind == "integer" and layer.xaxis == "linear"
        return whole_bins(low, high, layer.bins) if is_whole and layer.glyph == "histogram" else (low, high)

    def _has_cells(self, side: int) -> bool:
        """Its numbers are few and whole, and drawn as cells or bands."""
        if self.choice.layer.glyph == "bar":
            return side == 0
        if self.is_line or self.is_bars or not self._is_short(side):
            return False
        kinds: Sequence[str] = (self.info.x.kind, self.info.y.kind)
        return kinds[side] != "integer" or self._is_short(1 - side)

    def _is_short(self, side: int) -> bool:
        """Its numbers are whole, and no more than are told apart at a glance."""
        layer, ends = self.choice.layer, self.info.range
        kind, axis = (self.info.x.kind, layer.xaxis) if side == 0 else (self.info.y.kind, layer.yaxis)
        return (
            axis == "linear"
            and ends is not None
            and kind in _CELLS
            and float(ends[side + 2]) - float(ends[side]) < _MOST_CELLS
        )
