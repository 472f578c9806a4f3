"""What a brush is over and what it is shown in: definitions, as a server has them, and the answers to a move."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.layer import Layer
from bigviz.common.errors import BadInput
from bigviz.tiles.answers.answer import Cost
from bigviz.tiles.answers.columns import Columns
from bigviz.tiles.answers.window_image import WindowImage
from bigviz.tiles.brush.orders.shapes import Shape
from bigviz.tiles.grid.tile_key import DEEPEST
from bigviz.tiles.grid.window import Number
from bigviz.tiles.pyramid.accumulators import Kept
from bigviz.tiles.series.part import Part
from bigviz.tiles.series.sorted_numbers import Positions
from bigviz.wire.codec import SIDE

__all__ = [
    "Accumulated", "BarTarget", "BoxSource", "Brushed", "Heights", "HistogramTarget", "LabelSource", "LineInBrush",
    "LineTarget", "OtherBrush", "RasterTarget", "RasterView", "Source", "SpanSource", "Step", "Target", "TotalTarget",
    "filter_of",
]  # fmt: skip

Array = npt.NDArray[Any]

MOST_BINS: Final = 1 << 16
MOST_SIDE: Final = 1 << 14


@dataclass(frozen=True)
class BoxSource:
    """A layer of points, over which a brush is a `Box`; rows that its filter does not keep are in no brush."""

    layer: Layer


@dataclass(frozen=True)
class SpanSource:
    """A column along an axis (a line's x, a histogram, a slider), over which a brush is a `Span`. Rows that the
    `filter` does not keep, which is that of a layer, are in no brush."""

    column: str
    axis: str = "linear"
    filter: str = ""


@dataclass(frozen=True)
class LabelSource:
    """A column of categories (bars), over which a brush is `Labels`; `filter` as that of a `SpanSource`."""

    column: str
    filter: str = ""


Source = BoxSource | SpanSource | LabelSource


def filter_of(source: Source) -> str:
    """The filter of a source, "" without one."""
    return source.layer.filter if isinstance(source, BoxSource) else source.filter


@dataclass(frozen=True)
class RasterView:
    """A window of the cells of a layer's root: levels as those of tiles (level z has `256 * 2^z` cells a side), its
    first column from the left and its first row **from the top**, and its size in cells.

    It may reach beyond the root. With `left` and `top` multiples of 256, the blocks of the answer are tiles.
    """

    zx: int
    zy: int
    left: int
    top: int
    width: int
    height: int

    def check(self) -> None:
        """Raise BadInput for levels that there are not, and for sizes beyond 16,384 cells a side."""
        if not (0 <= self.zx <= DEEPEST and 0 <= self.zy <= DEEPEST):
            got = [self.zx, self.zy]
            raise BadInput(f"levels are 0 to {DEEPEST}, got zx, zy = {got}", "view", got)
        if not (1 <= self.width <= MOST_SIDE and 1 <= self.height <= MOST_SIDE):
            got = [self.width, self.height]
            raise BadInput(f"a view is 1 to {MOST_SIDE:,} cells wide and high, got {got}", "view", got)

    @property
    def blocks(self) -> tuple[int, int]:
        """How many blocks of 256 x 256 cells it has, across and down."""
        return -(-self.width // SIDE), -(-self.height // SIDE)


@dataclass(frozen=True)
class RasterTarget:
    """A layer of points at a view."""

    layer: Layer
    view: RasterView


@dataclass(frozen=True)
class HistogramTarget:
    """A column in bins between ascending `edges`, in axis space: half-open, but the last one holds its upper edge too
    where `closed` says so. `agg` is a reduction's text form, `filter` that of a layer."""

    column: str
    edges: tuple[Number, ...]
    agg: str = "count"
    axis: str = "linear"
    closed: bool = True
    filter: str = ""

    def check(self) -> None:
        """Raise BadInput unless there are 1 to 65,536 bins and their edges ascend."""
        bins = len(self.edges) - 1
        if not 1 <= bins <= MOST_BINS:
            raise BadInput(f"a histogram has 1 to {MOST_BINS:,} bins, got {bins}", "bins", bins)
        if any(not low < high for low, high in zip(self.edges, self.edges[1:], strict=False)):
            raise BadInput("the edges of a histogram ascend", "bins", None)


@dataclass(frozen=True)
class BarTarget:
    """A bar for each label of a category, in the order of its sorted labels."""

    column: str
    agg: str = "count"
    filter: str = ""


@dataclass(frozen=True)
class LineTarget:
    """A line in the closed window `[x0, x1]` of its axis, at a width in pixels."""

    layer: Layer
    x0: Number
    x1: Number
    width: int


@dataclass(frozen=True)
class TotalTarget:
    """All rows as one bar: `agg` is a reduction's text form, `filter` that of a layer."""

    agg: str = "count"
    filter: str = ""


Target = RasterTarget | HistogramTarget | BarTarget | LineTarget | TotalTarget


@dataclass(frozen=True)
class OtherBrush:
    """A brush that rests on another figure. It filters all targets but those with the numbers in `spares`: its own."""

    source: Source
    shape: Shape
    spares: frozenset[int] = field(default_factory=frozenset)


@dataclass(frozen=True)
class Heights:
    """The bins of a histogram, or bars by label, of shape (categories, bins): the reduction's values, which of them
    there are, and how many rows each is made of (int64)."""

    values: Array
    filled: npt.NDArray[np.bool_]
    rows: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Accumulated:
    """A target's cells, to be added to those of other rows: how many planes of which size, the `dtype` of accumulators,
    and these, block by block of each plane."""

    planes: int
    width: int
    height: int
    dtype: np.dtype[Any]
    kept: list[Kept]


@dataclass(frozen=True)
class LineInBrush:
    """The rows of a line that are in a brush, those in a window and the nearest ones on each side, as a series of their
    own, whose numbers are those of the table; `bounds` are the positions that separate the window's columns."""

    part: Part
    bounds: Positions


@dataclass(frozen=True)
class Brushed:
    """A target under a brush: an `image`, the `columns` of a line, or the `heights` of a histogram or of bars, which
    also have an image of one row: its cell k is bin k, or the label with code k; a total is one bar. Of an estimate,
    `share` is the share of the rows that it is made from. Of a part of a table nothing but `accumulated` is told, and
    of a line its `columns` or, where it has gaps, all rows in the brush."""

    image: WindowImage | None
    columns: Columns | None
    exact: bool
    share: float = 1.0
    heights: Heights | None = None
    accumulated: Accumulated | None = None
    line: LineInBrush | None = None


@dataclass(frozen=True)
class Step:
    """The targets after a move, in their order; `rows` the number of rows in all brushes, out of `of`; `exact`, whether
    that number and all targets are. A target that does not lie in all brushes (see `OtherBrush`) has other rows."""

    targets: list[Brushed]
    rows: int
    of: int
    exact: bool
    cost: Cost
