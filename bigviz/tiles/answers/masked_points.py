"""A layer of points that a filter was just put on: exact answers by a bit a row, until its rows are copied."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bigviz.aggregate.axis import Axis
from bigviz.aggregate.glyphs.bins import Bins
from bigviz.aggregate.layer import Layer
from bigviz.aggregate.reductions.base import Reduction
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.workers import Crew
from bigviz.data.dataset import Dataset
from bigviz.render.level_values import KnownLevel, Level, LevelSource
from bigviz.tiles.answers.answer import Cost, Drawn, Estimate, microseconds
from bigviz.tiles.answers.dense_part import DensePart, dense_of_order
from bigviz.tiles.answers.layer_answers import Held, columns_held
from bigviz.tiles.answers.layer_info import LayerInfo, facts_of
from bigviz.tiles.answers.marks import MOST_LOOKED, MOST_MARKS, Marks
from bigviz.tiles.answers.points_layer import PointsLayer
from bigviz.tiles.answers.shared_answers import NoColumnsOrBars, SingleVersion, TileByTile
from bigviz.tiles.answers.window_image import WindowImage
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.grid.window import Number, codes_between
from bigviz.tiles.morton.filtered_order import FilteredOrder
from bigviz.tiles.morton.masked_rows import MaskedRows
from bigviz.tiles.pyramid.accumulators import finished, wire
from bigviz.tiles.pyramid.layer_columns import Inputs
from bigviz.tiles.pyramid.pyramid import Pyramid
from bigviz.tiles.selection.chosen import Chosen
from bigviz.tiles.selection.region import Region
from bigviz.wire.codec import SIDE

__all__ = ["MaskedPoints"]

Array = npt.NDArray[Any]
Window = tuple[Number, Number]

_ROW_BYTES: Final = 8  # that are read of a row: its key


class _Scratch(threading.local):
    """A plane for each thread: while rows are copied the system has enough to do with their new memory."""

    def __init__(self) -> None:
        self.plane = np.zeros((SIDE, SIDE), np.uint32)


_scratch = _Scratch()


@dataclass(frozen=True)
class MaskedPoints(TileByTile, NoColumnsOrBars, SingleVersion):
    """Counts of the rows of an order that a filter keeps. Tiles are counted as they are asked for, windows of few rows
    are answered of these alone; for all else the rows are copied at once, on so many `threads`. `dataset` as
    `PointsLayer` has it."""

    x: Axis
    y: Axis
    rows_kept: MaskedRows
    reduction: Reduction
    dataset: Dataset | None
    threads: int

    @cached_property
    def dense(self) -> DensePart | None:
        """Where nearly all rows lie, if that is a small part of their range."""
        return dense_of_order(self.rows_kept.order, (self.x, self.y))

    @property
    def is_scanned(self) -> bool:
        """False: there is an index."""
        return False

    def facts(self, dataset: Dataset, layer: Layer) -> LayerInfo:
        """What is known of the layer."""
        survey, kept = self.rows_kept.order.survey, self.rows_kept.kept
        return facts_of(dataset, layer, survey, (self.x, self.y), None, False, kept)

    def held(self) -> Iterator[Held]:
        """The memory that it holds, and that the copy will."""
        yield Held("orders", self.rows_kept, self.rows_kept.nbytes)
        yield Held("orders", self.rows_kept.order, self.rows_kept.order.nbytes)
        yield from columns_held((self.x.column, self.y.column))

    def draw(self, key: TileKey, cancel: Cancel = NEVER) -> Drawn:
        """One tile, from its rows."""
        begun = time.perf_counter()
        plane = _scratch.plane
        plane[:] = 0
        rows = self.rows_kept.count(key, plane, cancel)
        counted = time.perf_counter()
        encoded = wire(self.reduction, (plane,), cancel)
        encode_us = microseconds(time.perf_counter() - counted)
        size = rows * _ROW_BYTES + sum(len(each.payload) for each in encoded)
        return Drawn(tuple(encoded), Cost(0, microseconds(counted - begun), encode_us, rows, size))

    def estimate(self, key: TileKey, cancel: Cancel = NEVER) -> tuple[Drawn, Estimate] | None:
        """None: a tile's runs of rows are leapt over, which takes no longer than an estimate."""
        return None

    def arrays(self, key: TileKey, cancel: Cancel = NEVER) -> list[Array]:
        """The tile's counts."""
        plane = np.zeros((SIDE, SIDE), np.uint32)
        self.rows_kept.count(key, plane, cancel)
        return finished(self.reduction, (plane,), plane.dtype, cancel)

    @property
    def level_source(self) -> LevelSource:
        """As that of the copied rows, whose cells are not summed up."""
        return "sample"

    def level_values(self, level: Level, cancel: Cancel = NEVER) -> KnownLevel:
        """As those of the copied rows."""
        return self._whole(cancel).level_values(level, cancel)

    def image(self, dataset: Dataset, x_bins: Bins, y_bins: Bins, cancel: Cancel = NEVER) -> list[Array]:
        """The finished image of a window, as that of the copied rows."""
        return self._whole(cancel).image(dataset, x_bins, y_bins, cancel)

    def knows(self, x: Window, y: Window) -> bool:
        """True: rows are found by their keys."""
        return True

    def marks(self, x: Window, y: Window, most: int = MOST_MARKS, cancel: Cancel = NEVER) -> Marks | None:
        """The coordinates with rows of a window; None of a window of more than a million rows, which may have few."""
        few = self._few(x, y, cancel)
        return None if few is None else few.marks(x, y, most, cancel)

    def window_image(self, x: Window, y: Window, size: tuple[int, int], cancel: Cancel = NEVER) -> WindowImage | None:
        """An exact image of a window; None where it is too large."""
        return self._within(x, y, cancel).window_image(x, y, size, cancel)

    def rows(
        self, dataset: Dataset, layer: Layer, x: Window, y: Window, limit: int, cancel: Cancel = NEVER
    ) -> tuple[pa.Table, int]:
        """True rows of a window, as those of the copied rows."""
        return self._within(x, y, cancel).rows(dataset, layer, x, y, limit, cancel)

    def select(self, dataset: Dataset, layer: Layer, region: Region, crew: Crew) -> tuple[Chosen, ...]:
        """The rows in a region, far ones included."""
        return self._points(self.rows_kept.copied(crew)).select(dataset, layer, region, crew)

    def _whole(self, cancel: Cancel) -> PointsLayer:
        """The layer of all kept rows."""
        return self._points(self.rows_kept.copied(Crew(self.threads, cancel=cancel)))

    def _within(self, x: Window, y: Window, cancel: Cancel) -> PointsLayer:
        """The layer of the rows of a window, with or without others."""
        few = self._few(x, y, cancel)
        return self._whole(cancel) if few is None else few

    def _few(self, x: Window, y: Window, cancel: Cancel) -> PointsLayer | None:
        """The layer of the rows of a window; None where they are many."""
        survey = self.rows_kept.order.survey
        across, up = codes_between(survey.x, *x), codes_between(survey.y, *y)
        codes = None if across is None or up is None else (*across, *up)
        found = self.rows_kept.within(codes, MOST_LOOKED, cancel)
        return None if found is None else self._points(found)

    def _points(self, order: FilteredOrder) -> PointsLayer:
        dtype = np.dtype(np.uint32)
        pyramid = Pyramid(order.guard, Inputs(self.reduction, dtype, dtype))
        return PointsLayer(self.x, self.y, order, pyramid, {}, self.dataset)
