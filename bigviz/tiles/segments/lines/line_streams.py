"""The indexes of all lines of datasets that grow: found or begun for a layer, and merged in the background."""

from __future__ import annotations

from dataclasses import replace

from bigviz.aggregate.layer import Layer
from bigviz.common.priority import Turns
from bigviz.common.workers import Crew
from bigviz.data.dataset import Dataset
from bigviz.tiles.segments.column_pieces import axes_of
from bigviz.tiles.segments.growing_mask import Filtering, GrowingMasks
from bigviz.tiles.segments.indexes import Indexes
from bigviz.tiles.segments.lines.line_index import LineIndex
from bigviz.tiles.segments.lines.line_layer import StreamedLine

__all__ = ["LineStreams", "line_of"]


class LineStreams:
    """Indexes by lineage and order. One lives as long as a layer over it does. Safe to use from any threads."""

    def __init__(self, turns: Turns, merges: bool = True, masks: GrowingMasks | None = None) -> None:
        """`merges` False leaves merging to callers of `LineIndex.merge_once`. `masks` are shared with others."""
        self._masks = masks or GrowingMasks()
        self._indexes: Indexes[LineIndex] = Indexes(
            LineIndex, lambda index, crew: index.merge_once(crew.look), turns, merges, by_filter=True
        )

    def find(self, dataset: Dataset, layer: Layer) -> LineIndex | None:
        """The index that a layer's next version is made from, if there is one."""
        return self._indexes.find(dataset, layer)

    def line(self, dataset: Dataset, layer: Layer, crew: Crew) -> StreamedLine:
        """A line of a dataset that grows, made of what there is of the version before. Raises what reading the dataset
        does, TooLarge, BadInput for a filter that does not go with it, and Cancelled."""
        if not layer.filter:
            return self._line(dataset, layer, None, None, crew)
        below = self.line(dataset, replace(layer, filter=""), crew)
        return self._line(dataset, layer, self._masks.filtering(dataset, layer, crew), below, crew)

    def _line(
        self, dataset: Dataset, layer: Layer, filtering: Filtering | None, below: StreamedLine | None, crew: Crew
    ) -> StreamedLine:
        index = self._indexes.of(dataset, layer)
        if index.begun:  # what is new is few rows, for which nobody need wait longer because others pan
            crew = Crew(crew.threads, crew.progress, crew.cancel)
        made = line_of(index, dataset, crew, filtering, below)
        if made is None:  # nobody holds a version as old as this one: it gets an index of its own
            made = line_of(LineIndex(index.spec), dataset, crew, filtering, below)
            assert made is not None
        self._indexes.merge(made.index)
        return made


def line_of(
    index: LineIndex,
    dataset: Dataset,
    crew: Crew,
    filtering: Filtering | None = None,
    below: StreamedLine | None = None,
) -> StreamedLine | None:
    """A version of a line, of the rows that a filter keeps of the line of all rows; None for an older one that nobody
    holds any more."""
    kept = None if filtering is None else filtering.kept
    version = index.version(dataset, crew, kept, None if below is None else below.version)
    if version is None:
        return None
    x, y = axes_of(dataset, index.spec)
    count = None if kept is None else kept.count
    return StreamedLine(x, y, version.survey, version.line, version, index, filtering, below, kept=count)
