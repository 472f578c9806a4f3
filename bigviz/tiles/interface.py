"""What a server depends on: an engine that answers for layers, and the values that it answers with.

`bigviz.tiles.engine` is one on this machine; others may stand in for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy.typing as npt
import pyarrow as pa

from bigviz.aggregate.dyadic_cells import Root
from bigviz.aggregate.layer import Layer
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.progress import Progress, no_progress
from bigviz.data.appending.growth import Version
from bigviz.data.dataset import Dataset
from bigviz.render.level_values import KnownLevel, Level, LevelSource
from bigviz.tiles.answers.answer import Cost, Drawn, Estimate, Tile
from bigviz.tiles.answers.bars import Bars
from bigviz.tiles.answers.columns import Columns
from bigviz.tiles.answers.dense_part import DensePart
from bigviz.tiles.answers.layer_info import LayerInfo
from bigviz.tiles.answers.marks import MOST_MARKS, Marks
from bigviz.tiles.answers.row_lookup import RowOrder
from bigviz.tiles.answers.window_image import WindowImage
from bigviz.tiles.brush.linked import (
    BarTarget,
    BoxSource,
    Brushed,
    Heights,
    HistogramTarget,
    LabelSource,
    LineTarget,
    OtherBrush,
    RasterTarget,
    RasterView,
    Source,
    SpanSource,
    Step,
    Target,
    TotalTarget,
)
from bigviz.tiles.brush.orders.shapes import Box, Labels, Shape, Span
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.grid.window import Number
from bigviz.tiles.holders import Holders
from bigviz.tiles.readiness import Readiness
from bigviz.tiles.selection.region import Lasso, Rectangle, Region, Strip
from bigviz.tiles.selection.row_set import ReadElsewhere, RowNumbers
from bigviz.tiles.selection.selection import Selection, read_batches, row_schema
from bigviz.tiles.selection.statistics import Summary
from bigviz.wire.frames import Bytes

__all__ = [
    "BarTarget",
    "Bars",
    "Box",
    "BoxSource",
    "Brush",
    "Brushed",
    "Columns",
    "Cost",
    "DensePart",
    "Drawn",
    "Engine",
    "Estimate",
    "Heights",
    "HistogramTarget",
    "Holders",
    "LabelSource",
    "Labels",
    "Lasso",
    "LayerInfo",
    "LineTarget",
    "Marks",
    "Number",
    "OtherBrush",
    "RasterTarget",
    "RasterView",
    "ReadElsewhere",
    "Rectangle",
    "Region",
    "RowNumbers",
    "RowOrder",
    "SampledLayer",
    "Selection",
    "Shape",
    "Source",
    "Span",
    "SpanSource",
    "Step",
    "Strip",
    "Summary",
    "Target",
    "Tile",
    "TileKey",
    "TotalTarget",
    "WindowImage",
    "read_batches",
    "row_schema",
]

Window = tuple[Number, Number]


class SampledLayer(Protocol):
    """A layer estimated from a sample, until there are exact answers."""

    @property
    def roots(self) -> tuple[Root, Root]:
        """The roots that its tiles are of."""

    @property
    def generation(self) -> int:
        """How often the sample has grown."""

    @property
    def whole(self) -> bool:
        """Whether the sample has stopped growing."""

    @property
    def facts(self) -> LayerInfo:
        """The facts of the layer, according to the first units of the sample."""

    @property
    def dense(self) -> DensePart | None:
        """Where nearly all rows lie, if that is a small part of their range."""

    def grow(self, cancel: Cancel = NEVER) -> None:
        """Let the sample grow. One caller at a time."""

    def tile(self, key: TileKey, cancel: Cancel = NEVER) -> tuple[Drawn, Estimate]:
        """An estimate of a tile from the sample as it is now."""

    def columns(self, x0: Number, x1: Number, width: int, cancel: Cancel = NEVER) -> tuple[Columns, Estimate]:
        """A line through the sampled rows."""

    def bars(self, x0: Number, x1: Number, cancel: Cancel = NEVER) -> tuple[Bars, Estimate]:
        """The bars of a histogram's window, or of all labels, of the sampled rows. Raises BadInput for other layers."""


class Brush(Protocol):
    """A brush on one figure, and what its rows look like in others. Made by `Engine.brush`.

    Every method blocks and may be called from any thread; one works at a time. They raise Cancelled once `cancel` is
    raised or the brush is closed, BadInput for a shape or a target that cannot be, and what preparing the brush raised.
    A move that was cancelled is gone on with, or taken back, by the next one.
    """

    @property
    def ready(self) -> bool:
        """Whether it is prepared, so that a move costs the rows that it adds and takes away."""

    @property
    def prepared(self) -> bool:
        """Whether it is, or never will be: where memory does not hold what it needs."""

    def wait(self, cancel: Cancel = NEVER, ready: bool = True) -> None:
        """Wait until it is prepared; with `ready` false until a move is answered, if only by an estimate."""

    def tell(self, told: Callable[[], object]) -> None:
        """Call this, in any thread, once a move is answered, if only by an estimate, or preparing it has failed; at
        once if that is so already. Nothing waits for it."""

    def move(self, shape: Shape | None, cancel: Cancel = NEVER) -> Step:
        """The targets under another brush, which begins as none: None is a brush that all rows are in."""

    def retarget(self, number: int, target: Target, cancel: Cancel = NEVER) -> Step:
        """The targets with one of them shown otherwise: another view, other bins, another reduction."""

    def settle(self, cancel: Cancel = NEVER) -> Step:
        """The targets, exact: for a brush that rests after steps that were not."""

    def count_blocks(self, cancel: Cancel = NEVER) -> None:
        """Count blocks of rows, so that later steps cost less: steps of many rows have it done in the background."""

    def close(self) -> None:
        """Give the memory back."""


class Engine(Protocol):
    """Builds layers and answers for them. Every method blocks and may be called from any thread.

    Answers raise Cancelled once `cancel` is raised, BadInput for windows and keys that cannot be, what `ensure` raises,
    and Unreadable if an index turns out to be damaged; it is built again when it is next needed.
    """

    @property
    def at_once(self) -> int:
        """How many answers it works on at a time: threads beyond those wait for each other."""

    def publish(self, dataset: Dataset, layer: Layer) -> None:
        """The operator shows this layer, so its index may be kept on the disk; what viewers pick is not."""

    def forget(self, dataset: Dataset) -> None:
        """Drop what is kept in memory of a dataset that is shown nowhere any more; who shows it again waits again."""

    def expect(self, seconds: float) -> None:
        """Requests are about to come: builds make way for so many seconds."""

    def readiness(self, dataset: Dataset, layer: Layer) -> Readiness:
        """What the layer can answer now, apart from samples, which belong to those who began them. Tables of few rows
        are "complete" at once, and never "answering"."""

    def holders(self, dataset: Dataset, layer: Layer) -> Holders | None:
        """Which workers hold the rows of a layer; None where there are none, and this process holds all. Never
        blocks."""

    def preview(self, dataset: Dataset, layer: Layer, cancel: Cancel = NEVER) -> SampledLayer | None:
        """Estimates to show until the layer can answer exactly; None if that will be soon enough: for a table of few
        rows, or one that is ordered. Reads the first units of a sample."""

    def ensure(self, dataset: Dataset, layer: Layer, progress: Progress = no_progress, cancel: Cancel = NEVER) -> None:
        """Build what the layer needs, unless it is there; callers at the same time share one build.

        Raises BadInput, NotFound, Unplottable, Unreadable or TooLarge, and Cancelled when `cancel` is raised; the build
        itself stops when nobody waits for it.
        """

    def info(self, dataset: Dataset, layer: Layer) -> LayerInfo:
        """The facts of a layer, built if need be."""

    def dense(self, dataset: Dataset, layer: Layer) -> DensePart | None:
        """Where nearly all rows of a layer of points lie, if that is a small part of their range. None for lines, for
        roots that hold all rows, and for scanned layers, which would need a pass for it."""

    def etag(self, dataset: Dataset, layer: Layer, key: TileKey | None = None) -> str:
        """A name of all that the layer's answers depend on, or with a key those for this tile: 32 hexadecimal digits.

        Two versions of one dataset have the same name for a tile whose rows they share, as far as that is known without
        building anything. Never blocks.
        """

    def changed(self, before: Version, after: Dataset, layer: Layer, keys: Sequence[TileKey]) -> list[bool] | None:
        """Which tiles are others in a later version of a dataset; None where that is not known: all of them may be.

        None too where the roots have changed, since keys then mean other tiles. The later version has to be ready.
        `before` may be a `Mark` of a dataset that is gone.
        """

    def changed_from(self, before: Version, after: Dataset, layer: Layer) -> Number | None:
        """The lowest x, in axis space, from which on a line is another one in a later version of a dataset; None where
        that is not known: all of it may be."""

    def memory(self) -> dict[str, int]:
        """Bytes held: `orders` (rows in order and their columns), `pyramids`, `series`, `columns` (as they were read,
        those of builds that run included), `tiles` (the cache), and `brushes` (rows in the orders of brushes, and what
        lies beside them)."""

    def level_source(self, dataset: Dataset, layer: Layer) -> LevelSource:
        """Where `level_values` of a layer come from now: not the same before and after its index is complete. Never
        blocks."""

    def level_values(self, dataset: Dataset, layer: Layer, level: Level, cancel: Cancel = NEVER) -> KnownLevel:
        """The values that the colours of a level of tiles (0 to 24 on each axis) are chosen by, for categories the sum
        of all (None where they can only be had by reading tiles), and where these come from."""

    def kept_body(self, name: str) -> Bytes | None:
        """The encoded answer that was kept under a name, if it still is. Never blocks."""

    def keep_body(self, name: str, body: Bytes) -> None:
        """Keep an encoded answer beside tiles, within their bytes. Its name has to tell all that it depends on."""

    def tile(self, dataset: Dataset, layer: Layer, key: TileKey, cancel: Cancel = NEVER) -> Tile:
        """One tile; BadInput for a key that its level does not have."""

    def estimate(
        self, dataset: Dataset, layer: Layer, key: TileKey, cancel: Cancel = NEVER
    ) -> tuple[Drawn, Estimate] | None:
        """A tile from some of its ordered rows, or from a sample of the source where that is scanned; None where the
        exact tile takes no longer."""

    def scan(
        self,
        dataset: Dataset,
        layer: Layer,
        keys: Sequence[TileKey],
        window: tuple[Window, Window] | None = None,
        progress: Progress = no_progress,
        cancel: Cancel = NEVER,
    ) -> list[Tile]:
        """Tiles of a scanned layer, all in one pass, the first one with its cost. After that `marks` of the half-open
        `window` (x, y) needs no pass. Raises BadInput for a key that its level does not have."""

    def at_hand(self, dataset: Dataset, layer: Layer, x: Window, y: Window) -> bool:
        """Whether `marks` of the half-open window `x` by `y` takes no pass over the source."""

    def columns(
        self, dataset: Dataset, layer: Layer, x0: Number, x1: Number, width: int, cancel: Cancel = NEVER
    ) -> Columns:
        """A line's decimated rows in the window `[x0, x1]` at a width in pixels; BadInput for other glyphs."""

    def bars(self, dataset: Dataset, layer: Layer, x0: Number, x1: Number, cancel: Cancel = NEVER) -> Bars:
        """The bars of a histogram that the window `[x0, x1]` meets, or all bars by label; BadInput for other glyphs."""

    def marks(
        self, dataset: Dataset, layer: Layer, x: Window, y: Window, most: int = MOST_MARKS, cancel: Cancel = NEVER
    ) -> Marks | None:
        """The coordinates with rows of the half-open window `x` by `y`; None where they are more than `most` (or their
        rows too many to look at), and for a line."""

    def image(
        self,
        dataset: Dataset,
        layer: Layer,
        x0: Number,
        x1: Number,
        y0: Number,
        y1: Number,
        width: int,
        height: int,
        cancel: Cancel = NEVER,
    ) -> list[npt.NDArray[Any]]:
        """An exact image of a window, closed at both ends: one (height, width) array a plane, row 0 the highest y.

        Cells follow datashader's affine rule (`aggregate.glyphs.bins`); types are those of `Tile.arrays`. Raises
        BadInput for a window that cannot be divided, TooLarge for more than 2^24 cells.
        """

    def window_image(
        self, dataset: Dataset, layer: Layer, x: Window, y: Window, size: tuple[int, int], cancel: Cancel = NEVER
    ) -> WindowImage | None:
        """An exact image of the half-open window `x` by `y`, `size` (width, height) cells, encoded as tiles are; None
        for one of more than 2^24 cells over all planes, and for a line."""

    def brush(
        self, dataset: Dataset, source: Source, targets: Sequence[Target], others: Sequence[OtherBrush] = ()
    ) -> Brush:
        """A brush over a source, shown in targets of the same dataset; `others` rest on other figures and filter the
        targets too. It returns at once and is prepared in the background; called when a pointer enters the source.

        Raises BadInput, NotFound or Unplottable for columns that the dataset does not have.
        """

    def rehearse_brushes(self) -> None:
        """Load what a first brush would wait for; blocks."""

    def rehearse(self, dataset: Dataset, layers: Sequence[Layer], cancel: Cancel = NEVER) -> None:
        """Load what first views of layers, their filters, selections and brushes would wait for; blocks. What is not
        compiled yet for such columns is compiled by another process, of low priority. Nothing of the dataset is read.
        """

    def rows(
        self,
        dataset: Dataset,
        layer: Layer,
        x0: Number,
        x1: Number,
        y0: Number,
        y1: Number,
        limit: int = 1000,
        cancel: Cancel = NEVER,
    ) -> pa.Table:
        """True rows of the half-open window `[x0, x1) x [y0, y1)`: row, x, y and the layer's columns, at most `limit`.

        Rows are in store order: Morton order (far rows last), or x order for a line. The schema's metadata holds
        `matched`, the number of rows in the window.
        """

    def first_rows(
        self,
        dataset: Dataset,
        layer: Layer,
        x: tuple[Number, Number],
        y: tuple[Number, Number],
        order: RowOrder,
        limit: int = 1000,
        columns: Sequence[str] | None = None,
        cancel: Cancel = NEVER,
    ) -> pa.Table:
        """The first rows of the half-open window `x` by `y` by the values of a column: row, and these columns (default:
        those of `rows` and the one that orders).

        Ties are in file order, rows without a value (null, NaN) last. Decimals are ordered as float64, text by code
        points. The schema's metadata holds `matched`. Raises NotFound or Unplottable for a column that has no order.
        """

    def expression(self, dataset: Dataset, layer: Layer, region: Region, cancel: Cancel = NEVER) -> str | None:
        """A filter that keeps the rows of a box or a range; None where an axis cannot be written in its words."""

    def select(
        self,
        dataset: Dataset,
        layer: Layer,
        region: Region,
        stats: Sequence[str] = (),
        by: str | None = None,
        cancel: Cancel = NEVER,
    ) -> Selection:
        """The rows of a layer in a box, a lasso or a range of x, exactly, far ones included, and exact statistics of
        columns, of all of them and by the labels of a column.

        Raises BadInput for more than 16 columns of `stats` or one that has no numbers, and for more than 64 labels.
        """
