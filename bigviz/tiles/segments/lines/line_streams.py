"""The indexes of all lines of datasets that grow: found or begun for a layer, and merged in the background."""

from __future__ import annotations

from bigviz.aggregate.layer import Layer
from bigviz.common.priority import Turns
from bigviz.common.workers import Crew
from bigviz.data.dataset import Dataset
from bigviz.tiles.segments.column_pieces import axes_of
from bigviz.tiles.segments.indexes import Indexes
from bigviz.tiles.segments.lines.line_index import LineIndex
from bigviz.tiles.segments.lines.line_layer import StreamedLine

__all__ = ["LineStreams", "line_of"]


class LineStreams:
    """Indexes by lineage and order. One lives as long as a layer over it does. Safe to use from any threads."""

    def __init__(self, turns: Turns, merges: bool = True) -> None:
        """`merges` False leaves merging to callers of `LineIndex.merge_once`."""
        self._indexes: Indexes[LineIndex] = Indexes(
            LineIndex, lambda index, crew: index.merge_once(crew.look), turns, merges
        )

    def find(self, dataset: Dataset, layer: Layer) -> LineIndex | None:
        """The index that a layer's next version is made from, if there is one."""
        return self._indexes.find(dataset, layer)

    def line(self, dataset: Dataset, layer: Layer, crew: Crew) -> StreamedLine:
        """A line of a dataset that grows, made of what there is of the version before. Raises what reading the dataset
        does, TooLarge, and Cancelled."""
        index = self._indexes.of(dataset, layer)
        if index.begun:  # what is new is few rows, for which nobody need wait longer because others pan
            crew = Crew(crew.threads, crew.progress, crew.cancel)
        made = line_of(index, dataset, crew)
        if made is None:  # nobody holds a version as old as this one: it gets an index of its own
            made = line_of(LineIndex(index.spec), dataset, crew)
            assert made is not None
        self._indexes.merge(made.index)
        return made


def line_of(index: LineIndex, dataset: Dataset, crew: Crew) -> StreamedLine | None:
    """A version of a line; None for an older one that nobody holds any more."""
    version = index.version(dataset, crew)
    if version is None:
        return None
    return StreamedLine(*axes_of(dataset, index.spec), version.survey, version.line, version, index)
