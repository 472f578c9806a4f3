"""A layer of points over parts: each answer is put together from those of its parts, in the order of their rows."""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bigviz.aggregate.axis import Axis
from bigviz.aggregate.glyphs.bins import Bins
from bigviz.aggregate.layer import Layer
from bigviz.aggregate.reductions.base import Planes, Rows
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.workers import Crew
from bigviz.data.appending.growth import Correction
from bigviz.data.appending.growth import Version as AnyVersion
from bigviz.data.dataset import Dataset
from bigviz.render.level_values import KnownLevel, Level, LevelSource, LevelValues
from bigviz.tiles.answers.answer import Cost, Drawn, Estimate, microseconds
from bigviz.tiles.answers.dense_part import DensePart, dense_of_parts
from bigviz.tiles.answers.layer_answers import Held
from bigviz.tiles.answers.layer_info import LayerInfo, facts_of
from bigviz.tiles.answers.marks import MOST_MARKS, Marks
from bigviz.tiles.answers.ordered_estimate import rough_tile
from bigviz.tiles.answers.points_layer import finished_image
from bigviz.tiles.answers.shared_answers import NoColumnsOrBars, TileByTile
from bigviz.tiles.answers.window_image import RowPart as WindowPart
from bigviz.tiles.answers.window_image import WindowImage, draw_window, ordered_rows
from bigviz.tiles.grid.survey import Survey
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.grid.window import Number
from bigviz.tiles.morton.quadtree import count_rows
from bigviz.tiles.pyramid.accumulators import finished, wire
from bigviz.tiles.pyramid.layer_columns import Inputs
from bigviz.tiles.pyramid.levels.summary import takes_long
from bigviz.tiles.pyramid.pyramid import Work
from bigviz.tiles.segments.growing_mask import Filtering
from bigviz.tiles.segments.joined.history import LevelHistory
from bigviz.tiles.segments.joined.levels import MOST_JOINED
from bigviz.tiles.segments.joined.version_rows import VersionRows
from bigviz.tiles.segments.part_layer import PartLayer, Strays
from bigviz.tiles.segments.pooled_rows import Pool, pooled_marks, pooled_table
from bigviz.tiles.segments.row_part import PartOrder, Roots
from bigviz.tiles.segments.stream_index import StreamIndex, Use, Version
from bigviz.tiles.segments.tile_pieces import TilePiece, tile_pieces
from bigviz.tiles.selection.chosen import Chosen, axes_kept, choose
from bigviz.tiles.selection.region import Region
from bigviz.wire.codec import SIDE

__all__ = ["SegmentedPoints"]

Array = npt.NDArray[Any]
Window = tuple[Number, Number]

_MOST_LEVELS: Final = 32  # whose values a version keeps: 4 MB


@dataclass(frozen=True, eq=False)
class SegmentedPoints(TileByTile, NoColumnsOrBars):
    """Everything that answers for points of one version of a dataset that grows. It does not change once it is built.

    `use` keeps what it needs of the parts of later versions; `history` is what is known of levels over versions.
    `dtype`, `own` and `labels` are those of `Inputs`, of all rows; those of the parts may have fewer labels. With a
    `filtering`, parts hold the rows that it keeps; roots and counts are those of all.
    """

    index: StreamIndex
    version: Version
    use: Use
    history: LevelHistory
    layer: Layer
    parts: tuple[PartLayer, ...]
    axes: tuple[Axis, Axis]
    dtype: np.dtype[Any]
    own: np.dtype[Any]
    labels: tuple[str, ...] | None
    corrections: tuple[Correction, ...] = ()
    filtering: Filtering | None = None
    strays: tuple[Strays, ...] = field(init=False, repr=False)
    levels: dict[Level, LevelValues] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        found = (part.strays(self.version.roots) for part in self.parts)
        object.__setattr__(self, "strays", tuple(each for each in found if each is not None))

    @property
    def survey(self) -> Survey:
        """The roots and the counts of rows."""
        return self.version.survey

    @property
    def is_scanned(self) -> bool:
        """False: there is an index."""
        return False

    @property
    def spans_versions(self) -> bool:
        """True: parts are those of many versions."""
        return True

    @cached_property
    def dense(self) -> DensePart | None:
        """Where nearly all rows lie, if that is a small part of their range. Found from a sample, and so not anew for
        each version of many rows: where a version has 1 % more than one that it is known of."""
        return self.index.dense(self.version, self._dense)

    def _dense(self) -> DensePart | None:
        return dense_of_parts([part.order for part in self.version.parts], self.survey, self.axes)

    def facts(self, dataset: Dataset, layer: Layer) -> LayerInfo:
        """What is known of the layer."""
        kept = None if self.filtering is None else self.filtering.kept.count
        return facts_of(dataset, layer, self.survey, self.axes, self.labels, False, kept)

    def held(self) -> Iterator[Held]:
        """The memory that it holds."""
        for each in self.parts:
            order = each.part.order
            yield Held("orders", order, order.nbytes)
            for column in each.columns:
                yield Held("orders", column, column.nbytes)
            yield Held("pyramids", each.pyramid, each.pyramid.nbytes)
        yield Held("pyramids", self.history, self.history.nbytes)
        yield Held("pyramids", self.levels, sum(each.nbytes for level in tuple(self.levels.values()) for each in level))
        if self.filtering is not None:
            yield Held("orders", self.filtering.kept.bits, self.filtering.kept.nbytes)
            for part in self.version.parts:
                yield Held("orders", part.order, part.order.nbytes)

    def draw(self, key: TileKey, cancel: Cancel = NEVER) -> Drawn:
        """One tile: what each part keeps of it, or its rows."""
        begun = time.perf_counter()
        pieces = self._pieces(key)
        if len(pieces) == 1 and pieces[0][1].same and self._alone(pieces[0][0]) and not self._stray_in(key):
            return pieces[0][0].points.draw(pieces[0][1].key, cancel)
        planes, rows = self._accumulated(key, pieces, cancel)
        summed = time.perf_counter()
        encoded = wire(self.layer.reduction, planes, cancel)
        encode_us = microseconds(time.perf_counter() - summed)
        size = rows * self._row_bytes + sum(len(plane.payload) for plane in encoded)
        return Drawn(tuple(encoded), Cost(0, microseconds(summed - begun), encode_us, rows, size))

    def estimate(self, key: TileKey, cancel: Cancel = NEVER) -> tuple[Drawn, Estimate] | None:
        """A tile from some of its rows, where nearly all of them lie in one part and are not counted there yet."""
        pieces = self._pieces(key)
        counts = [part.count(piece.key) for part, piece in pieces]
        if not pieces or max(counts) < 0.9 * sum(counts):
            return None
        part, piece = pieces[int(np.argmax(counts))]
        if not piece.same or not self._alone(part):
            return None
        return rough_tile(part.pyramid, piece.key, cancel)

    def arrays(self, key: TileKey, cancel: Cancel = NEVER) -> list[Array]:
        """The tile's finished planes."""
        planes, _ = self._accumulated(key, self._pieces(key), cancel)
        return finished(self.layer.reduction, planes, self.own, cancel)

    @cached_property
    def level_source(self) -> LevelSource:
        """All cells, or of more than 2^24 rows (2^21 of values by label) a sample: always the same of a version."""
        rows = sum(len(each.part.order.rows) for each in self.parts)
        return "sample" if rows > MOST_JOINED or takes_long(self._no_columns, rows) else "summary"

    def level_values(self, level: Level, cancel: Cancel = NEVER) -> KnownLevel:
        """The values of a level's cells, which may have rows in any part: those of a version before with what rows that
        came and went since make of them, else found for all levels. Of many rows, and of levels that differ, those of
        a sample of cells."""
        self.history.note(level)
        found = self.levels.get(level)
        if found is None:
            known = self.history.level(self.version_rows, level, cancel)
            found = known[level]
            self.levels.update(known)
            for other in [each for each in list(self.levels) if each not in known][:-_MOST_LEVELS]:
                self.levels.pop(other, None)
        return KnownLevel(self.level_source, found)

    def image(self, dataset: Dataset, x_bins: Bins, y_bins: Bins, cancel: Cancel = NEVER) -> list[Array]:
        """The finished image of a window, row 0 the highest y; rows are added by their numbers, as `Canvas` does."""
        reduction, kept = self.layer.reduction, None if self.filtering is None else self.filtering.kept
        planes = self._created((y_bins.size, x_bins.size), cancel)
        for each in self.parts:
            each.points.add_to_image(self._of(each, planes), x_bins, y_bins, cancel, each.rows_of(dataset, kept))
        return finished_image(reduction, planes, self.own, cancel)

    def knows(self, x: Window, y: Window) -> bool:
        """True: rows are found by their keys."""
        return True

    def marks(self, x: Window, y: Window, most: int = MOST_MARKS, cancel: Cancel = NEVER) -> Marks | None:
        """The coordinates with rows of a half-open window, those of all parts; None if they are more than `most` or
        cannot be determined."""
        pool = Pool(self.parts, self.strays, self.version.roots, self.axes, self.dtype, self.own, self.labels)
        return pooled_marks(pool, self.layer.reduction, x, y, most, cancel)

    def window_image(self, x: Window, y: Window, size: tuple[int, int], cancel: Cancel = NEVER) -> WindowImage | None:
        """An exact image of a half-open window; None where it is too large."""
        reduction = self.layer.reduction
        rows = self._window_rows(x, y, cancel)
        return draw_window(rows, reduction, self.dtype, self.labels, x, y, size, self._row_bytes, cancel)

    def rows(
        self, dataset: Dataset, layer: Layer, x: Window, y: Window, limit: int, cancel: Cancel = NEVER
    ) -> tuple[pa.Table, int]:
        """True rows of a half-open window in Morton order, ties by row number, far ones last, at most `limit`, and how
        many there are."""
        return pooled_table(dataset, layer, self.parts, self.version.roots, x, y, limit, cancel)

    def select(self, dataset: Dataset, layer: Layer, region: Region, crew: Crew) -> tuple[Chosen, ...]:
        """The rows of all parts in a region, far ones included."""
        axes = axes_kept(layer)
        return tuple(choose(each.part.order, region, crew, axes) for each in self.parts)

    def state(self, key: TileKey) -> Hashable:
        """What tells the tile from that of other versions. Rows come at the end and go at the start, and a tile holds
        those that follow each other between its oldest and its newest: the number of the one and how many there are
        tell which, as long as none was given other values."""
        version = self.version
        found: list[tuple[Hashable, int, int]] = []
        for each, piece in self._pieces(key):
            order = each.part.order
            found.append(((order.roots, piece), *order.rows_of_tile(piece.key)))
        for strays in self.strays:
            rows = strays.row_numbers(np.flatnonzero(strays.cells(key) >= 0))
            if len(rows):
                found.append(("strays", len(rows), int(rows.min())))
        layout: Hashable = tuple(found)
        if not self.layer.reduction.traits.float_order:
            layout = sum(count for _, count, _ in found), min((oldest for *_, oldest in found), default=-1)
        return version.roots, layout, version.corrected_in(key), self.labels, self.dtype.str

    def changed(self, before: AnyVersion, keys: Sequence[TileKey]) -> list[bool] | None:
        """Which tiles differ from those of an earlier version; None where all may."""
        found = self.index.changes(before, self.version, self.use.key)
        if found is None or self.index.labels_of(before.version, self.layer.key()) != len(self.labels or ()):
            return None
        (added, touched), roots = found, self.version.roots
        return [
            any(each.last(key) for each in touched) or any(_touches(order, roots, key) for order in added)
            for key in keys
        ]

    def changed_from(self, before: AnyVersion) -> None:
        """None: of lines alone."""

    @cached_property
    def version_rows(self) -> VersionRows:
        """The rows, as its history takes them."""
        version = self.version
        drawn = self.level_source == "sample"
        return VersionRows(
            version.number, version.first, version.stop, version.roots, self.parts, self._no_columns, drawn,
            self.corrections,
        )  # fmt: skip

    @property
    def _no_columns(self) -> Inputs:
        return Inputs(self.layer.reduction, self.dtype, self.own, self.labels)

    @property
    def _row_bytes(self) -> int:
        return max((each.inputs.row_bytes for each in self.parts), default=8)

    def _pieces(self, key: TileKey) -> list[tuple[PartLayer, TilePiece]]:
        """The tiles of parts with rows that the tile is made of, oldest rows first."""
        return [(each, piece) for each in self.parts for piece in each.pieces(self.version.roots, key)]

    def _alone(self, part: PartLayer) -> bool:
        """Whether what a part makes of a tile is the whole layer's: it has as many labels, and the same sums."""
        inputs = part.inputs
        return len(inputs.labels or ()) == len(self.labels or ()) and inputs.dtype == self.dtype

    def _stray_in(self, key: TileKey) -> bool:
        return any((each.cells(key) >= 0).any() for each in self.strays)

    def _created(self, shape: tuple[int, int], cancel: Cancel) -> Planes:
        return self.layer.reduction.create(shape, self.dtype, len(self.labels or ()), cancel.check)

    @staticmethod
    def _of(part: PartLayer, planes: Planes) -> Planes:
        """The planes of the labels that a part knows."""
        labels = part.inputs.labels
        return planes if labels is None else tuple(plane[: len(labels)] for plane in planes)

    def _accumulated(
        self, key: TileKey, pieces: Sequence[tuple[PartLayer, TilePiece]], cancel: Cancel
    ) -> tuple[Planes, int]:
        planes = self._created((SIDE, SIDE), cancel)
        work = Work(cancel.check, cancel)
        for part, piece in pieces:
            part.add(piece, planes, work)
        for strays in self.strays:
            work.rows += strays.add(key, planes)
        return planes, work.rows

    def _window_rows(self, x: Window, y: Window, cancel: Cancel) -> Iterator[WindowPart]:
        for each in self.parts:
            yield from ordered_rows(each.part.order, each.inputs, x, y, cancel)
        for strays in self.strays:
            at = strays.within(x, y)
            if len(at):
                xs, ys = (strays.numbers(which)[at] for which in (0, 1))
                yield WindowPart(xs, ys, partial(_stray_rows, strays, at), len(at))


def _stray_rows(strays: Strays, at: Array, keep: npt.NDArray[np.bool_]) -> Rows:
    return strays.rows(at[keep])


def _touches(order: PartOrder, roots: Roots, key: TileKey) -> bool:
    """Whether some of the rows lie in a tile of larger roots, or of the same."""
    return any(count_rows(order.guard, piece.key) for piece in tile_pieces(roots, order.roots, key))
