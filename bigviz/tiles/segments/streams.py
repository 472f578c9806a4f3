"""The indexes of all datasets that grow: found or begun for a layer, and merged in the background."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from bigviz.aggregate.layer import Layer
from bigviz.common.cancel import Cancel
from bigviz.common.priority import Turns
from bigviz.common.single_flight import Flights
from bigviz.common.workers import Crew
from bigviz.data.columns.numbers import axis_dtype
from bigviz.data.dataset import Dataset
from bigviz.tiles.pyramid.build import complete
from bigviz.tiles.scans.scan_factory import check_categories
from bigviz.tiles.segments.column_pieces import axes_of
from bigviz.tiles.segments.filtered_part import filter_key, filtered_part, parts_within
from bigviz.tiles.segments.growing_mask import Filtering, GrowingMasks
from bigviz.tiles.segments.indexes import Indexes
from bigviz.tiles.segments.part_layer import PartLayer, column_of, layer_of
from bigviz.tiles.segments.row_part import RowPart
from bigviz.tiles.segments.segmented_points import SegmentedPoints
from bigviz.tiles.segments.stream_index import StreamIndex, Version

__all__ = ["Streams"]

_FEW: Final = 1 << 17  # rows whose build does not make way for requests: 20 ms


class Streams:
    """Indexes by lineage and order. One lives as long as a layer over it does. Safe to use from any threads."""

    def __init__(self, threads: int, turns: Turns, merges: bool = True, masks: GrowingMasks | None = None) -> None:
        """`merges` False leaves merging to callers of `StreamIndex.merge_once`. `masks` are shared with others."""
        self._threads, self._turns, self._masks = threads, turns, masks or GrowingMasks()
        self._indexes: Indexes[StreamIndex] = Indexes(StreamIndex, self._merge_once, turns, merges)
        self._pyramids: Flights[None] = Flights()

    def find(self, dataset: Dataset, layer: Layer) -> StreamIndex | None:
        """The index that a layer's next version is made from, if there is one."""
        return self._indexes.find(dataset, layer)

    def points(
        self, dataset: Dataset, layer: Layer, crew: Crew, opened: Callable[[SegmentedPoints], None]
    ) -> SegmentedPoints:
        """A layer of points of a dataset that grows, made of what there is of the version before. `opened` is called as
        soon as it answers. Raises what reading the dataset does, BadInput for too many categories, and Cancelled."""
        index = self._indexes.of(dataset, layer)
        if index.lacks(dataset) <= _FEW:  # they are there sooner than somebody notices who pans
            crew = Crew(crew.threads, crew.progress, crew.cancel)
        version = index.version(dataset, crew)
        if version is None:  # nobody holds a version as old as this one: it gets an index of its own
            index = StreamIndex(index.spec)
            version = index.version(dataset, crew)
            assert version is not None
        filtering = self._masks.filtering(dataset, layer, crew)
        made = self._layer(index, version, dataset, layer, filtering, crew)
        opened(made)
        for part in made.parts:
            self._complete(part, crew)
        made.levels.update(made.history.follow(made.version_rows, crew.cancel))
        self._indexes.merge(index)
        return made

    def _layer(
        self,
        index: StreamIndex,
        version: Version,
        dataset: Dataset,
        layer: Layer,
        filtering: Filtering | None,
        crew: Crew,
    ) -> SegmentedPoints:
        reduction, labels, whole = layer.reduction, None, version.parts
        use = index.use(reduction, None if filtering is None else filter_key(filtering.text))
        if filtering is not None:
            text, kept = filtering.text, filtering.kept
            whole = tuple(filtered_part(part, text, kept, reduction.columns, crew) for part in version.parts)
            index.keep(use.key, list(zip(version.parts, whole, strict=True)))
        if reduction.category is not None:
            labels = dataset.labels(reduction.category, crew.cancel)
            check_categories(reduction.category, labels)
        for name in reduction.columns:
            for part in whole:
                column_of(part, dataset, name, crew)
        dtype = own = np.dtype(np.uint32)
        if reduction.column is not None:
            own = axis_dtype(dataset.info(reduction.column).type)
            columns = [part.layers[reduction.column] for part in whole]
            ends = min((each.low for each in columns), default=0), max((each.high for each in columns), default=0)
            dtype = reduction.accumulator_of(own, dataset.num_rows, lambda: ends)
        axes = axes_of(dataset, index.spec)
        parts = tuple(layer_of(part, layer, dtype, own, labels, axes) for part in whole)
        index.note(version.number, layer.key(), len(labels or ()), dataset.label_orders)
        history = index.history(layer.key())
        known = dataset.corrections
        return SegmentedPoints(index, version, use, history, layer, parts, axes, dtype, own, labels, known, filtering)

    def _complete(self, part: PartLayer, crew: Crew) -> None:
        """Make the planes of a part's large tiles, at once for all layers that share it."""
        pyramid = part.pyramid
        if pyramid.shelf.whole or pyramid.shelf.full:
            return
        if len(pyramid.guard) <= pyramid.inputs.many:  # there are none
            complete(pyramid, crew, levels=False)
            return

        def build(tell: object, stop: Cancel) -> None:
            within = Crew(crew.threads, crew.progress, stop, crew.turns, crew.background)
            complete(pyramid, within, self._turns, levels=False)

        self._pyramids.get(id(pyramid), build, crew.progress, crew.cancel)

    def _merge_once(self, index: StreamIndex, crew: Crew) -> bool:
        def finish(part: RowPart) -> None:
            for each in parts_within(part):
                for layer in [layer for layer in each.layers.values() if isinstance(layer, PartLayer)]:
                    complete(layer.pyramid, crew, self._turns, levels=False)

        return index.merge_once(crew, finish)
