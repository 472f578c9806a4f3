"""Estimates of a filtered layer from every k-th row in order, while the filter goes over all of them."""

from __future__ import annotations

import time
from dataclasses import dataclass

from bigviz.aggregate.dyadic_cells import Root
from bigviz.aggregate.layer import Layer
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.errors import BadInput
from bigviz.common.priority import Turns
from bigviz.data.dataset import Dataset
from bigviz.tiles.answers.answer import Drawn, Estimate
from bigviz.tiles.answers.bars import Bars
from bigviz.tiles.answers.columns import Columns
from bigviz.tiles.answers.dense_part import DensePart
from bigviz.tiles.answers.layer_info import LayerInfo
from bigviz.tiles.answers.ordered_estimate import estimate_of
from bigviz.tiles.answers.points_layer import PointsLayer
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.grid.window import Number
from bigviz.tiles.morton.quadtree import positions_of, ranges_within

__all__ = ["FilteredSample"]


@dataclass(frozen=True)
class FilteredSample:
    """A layer of points of the kept ones among the rows `looked` at; see `bigviz.tiles.interface.SampledLayer`. It does
    not grow: the exact layer comes sooner. Builds make way for its answers."""

    dataset: Dataset
    layer: Layer
    points: PointsLayer
    looked: int
    turns: Turns

    generation = 1
    whole = True

    @property
    def roots(self) -> tuple[Root, Root]:
        """The final ones: those of all rows."""
        return self.points.survey.x, self.points.survey.y

    @property
    def facts(self) -> LayerInfo:
        """The facts of the layer, but for the number of rows kept, which is an estimate."""
        return self.points.facts(self.dataset, self.layer)

    @property
    def dense(self) -> DensePart | None:
        """Where nearly all rows lie, if that is a small part of their range."""
        return None if self.layer.root == "full" else self.points.dense

    def grow(self, cancel: Cancel = NEVER) -> None:
        """Nothing: it is whole."""

    def tile(self, key: TileKey, cancel: Cancel = NEVER) -> tuple[Drawn, Estimate]:
        """An estimate of a tile."""
        begun, pyramid = time.perf_counter(), self.points.pyramid
        with self.turns.request():
            ranges = ranges_within(pyramid.guard, key.codes, cancel)
            looked = self.looked, len(self.points.order.unfiltered.guard)
            return estimate_of(pyramid, key, positions_of(ranges.low, ranges.high), looked, begun, cancel)

    def columns(self, x0: Number, x1: Number, width: int, cancel: Cancel = NEVER) -> tuple[Columns, Estimate]:
        """BadInput: only lines have columns."""
        raise BadInput(f"only a line has columns, got glyph {self.layer.glyph!r}", "glyph", self.layer.glyph)

    def bars(self, x0: Number, x1: Number, cancel: Cancel = NEVER) -> tuple[Bars, Estimate]:
        """BadInput: it is of points."""
        raise BadInput(f"only a histogram and bar have bars, got glyph {self.layer.glyph!r}", "glyph", self.layer.glyph)
