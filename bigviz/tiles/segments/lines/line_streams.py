"""The indexes of all lines of datasets that grow: found or begun for a layer, and merged in the background."""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Hashable

from bigviz.aggregate.layer import Layer
from bigviz.common.cancel import Cancel
from bigviz.common.daemon_thread import start_daemon
from bigviz.common.errors import Cancelled
from bigviz.common.priority import Turns
from bigviz.common.workers import Crew, step_back
from bigviz.data.dataset import Dataset
from bigviz.tiles.grid.order_spec import OrderSpec
from bigviz.tiles.segments.column_pieces import axes_of
from bigviz.tiles.segments.lines.line_index import LineIndex
from bigviz.tiles.segments.lines.line_layer import StreamedLine

__all__ = ["LineStreams", "line_of"]

_log = logging.getLogger("bigviz")


class LineStreams:
    """Indexes by lineage and order. One lives as long as a layer over it does. Safe to use from any threads."""

    def __init__(self, turns: Turns, merges: bool = True) -> None:
        """`merges` False leaves merging to callers of `LineIndex.merge_once`."""
        self._turns, self._merges = turns, merges
        self._indexes: weakref.WeakValueDictionary[Hashable, LineIndex] = weakref.WeakValueDictionary()
        self._merging: weakref.WeakSet[LineIndex] = weakref.WeakSet()
        self._lock = threading.Lock()

    def find(self, dataset: Dataset, layer: Layer) -> LineIndex | None:
        """The index that a layer's next version is made from, if there is one."""
        return self._indexes.get((dataset.lineage, OrderSpec.of(layer)))

    def line(self, dataset: Dataset, layer: Layer, crew: Crew) -> StreamedLine:
        """A line of a dataset that grows, made of what there is of the version before. Raises what reading the dataset
        does, TooLarge, and Cancelled."""
        index = self._index(dataset, layer)
        if index.begun:  # what is new is few rows, for which nobody need wait longer because others pan
            crew = Crew(crew.threads, crew.progress, crew.cancel)
        made = line_of(index, dataset, crew)
        if made is None:  # nobody holds a version as old as this one: it gets an index of its own
            made = line_of(LineIndex(index.spec), dataset, crew)
            assert made is not None
        self._merge(made.index)
        return made

    def _index(self, dataset: Dataset, layer: Layer) -> LineIndex:
        spec = OrderSpec.of(layer)
        with self._lock:
            found = self._indexes.get((dataset.lineage, spec))
            if found is None:
                found = self._indexes[dataset.lineage, spec] = LineIndex(spec)
            return found

    def _merge(self, index: LineIndex) -> None:
        with self._lock:
            if not self._merges or index in self._merging:
                return
            self._merging.add(index)
        cancel = Cancel()
        start_daemon("bigviz-merge", self._merge_all, index, cancel, stop=cancel.cancel)

    def _merge_all(self, index: LineIndex, cancel: Cancel) -> None:
        step_back()
        crew = Crew(1, cancel=cancel, turns=self._turns)
        try:
            while index.merge_once(crew.look):
                pass
        except Cancelled:
            pass
        except Exception:  # runs stay as they are, and answer as before
            _log.exception("runs of a line could not be merged")
        finally:
            with self._lock:
                self._merging.discard(index)


def line_of(index: LineIndex, dataset: Dataset, crew: Crew) -> StreamedLine | None:
    """A version of a line; None for an older one that nobody holds any more."""
    version = index.version(dataset, crew)
    if version is None:
        return None
    return StreamedLine(*axes_of(dataset, index.spec), version.survey, version.line, version, index)
