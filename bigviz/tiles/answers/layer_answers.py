"""The questions that any built layer answers, whatever its glyph and wherever its rows are."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bigviz.aggregate.glyphs.bins import Bins
from bigviz.aggregate.layer import Layer
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.workers import Crew
from bigviz.data.appending.growth import Version
from bigviz.data.columns.column import Column
from bigviz.data.dataset import Dataset
from bigviz.render.level_values import KnownLevel, Level, LevelSource
from bigviz.tiles.answers.answer import Drawn, Estimate
from bigviz.tiles.answers.bars import Bars
from bigviz.tiles.answers.columns import Columns
from bigviz.tiles.answers.dense_part import DensePart
from bigviz.tiles.answers.layer_info import LayerInfo
from bigviz.tiles.answers.marks import MOST_MARKS, Marks
from bigviz.tiles.answers.window_image import WindowImage
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.grid.window import Number
from bigviz.tiles.selection.chosen import Chosen
from bigviz.tiles.selection.region import Region

__all__ = ["Held", "LayerAnswers", "columns_held"]

Array = npt.NDArray[Any]
Window = tuple[Number, Number]


@dataclass(frozen=True)
class Held:
    """Bytes of something that a layer holds, and that other layers may hold too. `kind`: "orders" (rows in order and
    the columns in their order), "pyramids", "series" or "columns" (as they were read)."""

    kind: Literal["orders", "pyramids", "series", "columns"]
    what: object
    nbytes: int


class LayerAnswers(Protocol):
    """A built layer. Windows are half-open intervals (low, high) of axis space unless said otherwise.

    Methods block and may be called from any thread. They raise Cancelled once `cancel` is raised, and Unreadable where
    a store turns out to be damaged.
    """

    @property
    def is_scanned(self) -> bool:
        """Whether exact answers take passes over the source, because there is no index."""

    @property
    def spans_versions(self) -> bool:
        """Whether versions of a dataset share what it holds, so that it is dropped once a newer one is there and nobody
        holds its version of the dataset."""

    @property
    def dense(self) -> DensePart | None:
        """Where nearly all rows lie, if that is a small part of their range; None too where it would take a pass."""

    @property
    def level_source(self) -> LevelSource:
        """Where `level_values` come from now; takes no time."""

    def facts(self, dataset: Dataset, layer: Layer) -> LayerInfo:
        """What is known of it."""

    def held(self) -> Iterator[Held]:
        """The memory that it holds."""

    def draw(self, key: TileKey, cancel: Cancel = NEVER) -> Drawn:
        """One tile as the wire has it."""

    def draw_all(self, keys: Sequence[TileKey], window: tuple[Window, Window] | None, crew: Crew) -> list[Drawn]:
        """Tiles of one view, at once if they take a pass, whose cost the first one has; after that `marks` of the
        `window` needs none."""

    def arrays(self, key: TileKey, cancel: Cancel = NEVER) -> list[Array]:
        """A tile's finished planes, as HTTP sends them."""

    def estimate(self, key: TileKey, cancel: Cancel = NEVER) -> tuple[Drawn, Estimate] | None:
        """A tile from some of its rows; None where the exact one takes no longer."""

    def level_values(self, level: Level, cancel: Cancel = NEVER) -> KnownLevel:
        """The values that the colours of a level of tiles are chosen by, for categories the sum of all (None
        where they can only be had by reading tiles), and where these come from."""

    def columns(self, low: Number, high: Number, width: int, cancel: Cancel = NEVER) -> Columns | None:
        """A line's decimated rows in the closed window `[low, high]` of x, `width` pixels wide; None of others."""

    def bars(self, low: Number, high: Number, cancel: Cancel = NEVER) -> Bars | None:
        """The bars that a window of x meets; None of points and lines."""

    def image(self, dataset: Dataset, x_bins: Bins, y_bins: Bins, cancel: Cancel = NEVER) -> list[Array]:
        """The finished image of a closed window, one plane a category, row 0 the highest y."""

    def knows(self, x: Window, y: Window) -> bool:
        """Whether `marks` of a window takes no pass over the source."""

    def marks(self, x: Window, y: Window, most: int = MOST_MARKS, cancel: Cancel = NEVER) -> Marks | None:
        """The coordinates with rows; None if they are more than `most` or cannot be determined, and for lines."""

    def window_image(self, x: Window, y: Window, size: tuple[int, int], cancel: Cancel = NEVER) -> WindowImage | None:
        """An exact image, `size` (width, height) cells; None where that is too large, and for lines."""

    def rows(
        self, dataset: Dataset, layer: Layer, x: Window, y: Window, limit: int, cancel: Cancel = NEVER
    ) -> tuple[pa.Table, int]:
        """True rows (row, x, y and the layer's columns) in the order of the index, at most `limit`, and how many there
        are."""

    def select(self, dataset: Dataset, layer: Layer, region: Region, crew: Crew) -> tuple[Chosen, ...]:
        """The rows in a region, exactly, far ones included; those without a place on both axes are in none."""

    def state(self, key: TileKey) -> Hashable:
        """A value that two versions of a dataset share where their tiles are the same, as far as that is quickly known;
        None where a tile is that of one version alone."""

    def changed(self, before: Version, keys: Sequence[TileKey]) -> list[bool] | None:
        """Which tiles differ from those of an earlier version of the dataset; None where all of them may."""

    def changed_from(self, before: Version) -> Number | None:
        """The lowest x from which on a line differs from that of an earlier version; None where all of it may, and of
        points."""


def columns_held(columns: Iterable[Column]) -> Iterator[Held]:
    """The memory of columns as they were read; a table that was in memory before does not count."""
    for column in columns:
        for array in (column.values, column.valid):
            while array is not None and isinstance(array.base, np.ndarray):
                array = array.base
            if array is not None and array.flags.owndata:
                yield Held("columns", array, array.nbytes)
