"""Rows that move to workers that have joined: these index them while who holds them answers, then take their place.

Of several servers one moves rows at a time. The others answer from the new parts once their layers are indexed there,
and only then are the former ones dropped.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

from bigviz.common.daemon_thread import start_daemon
from bigviz.common.errors import BigvizError
from bigviz.data.dataset import Dataset
from bigviz.tiles.cluster.cluster_layer import ClusterLayer
from bigviz.tiles.cluster.cluster_maker import ClusterMaker
from bigviz.tiles.cluster.parts.division import Part
from bigviz.tiles.cluster.workers import Workers

__all__ = ["Moves"]

_log = logging.getLogger("bigviz")

_SETTLES: Final = 3.0  # seconds without another worker that joins or leaves
_LOOK: Final = 0.25  # seconds between two looks at whether other servers have followed
_UNTIL_LEFT: Final = 10.0  # seconds in which answers end that were begun from the parts of before


class Moves:
    """Looks after each change of who is there whether rows are to move, in a thread of its own."""

    def __init__(
        self, workers: Workers, maker: ClusterMaker, replace: Callable[[ClusterLayer, ClusterLayer], None]
    ) -> None:
        """`replace` lets a layer over other parts answer in place of one."""
        self._workers, self._maker, self._replace = workers, maker, replace
        self._changed, self._closed = threading.Event(), threading.Event()
        workers.on_join(self._changed.set)
        workers.on_loss(self._changed.set)
        start_daemon("bigviz-moves", self._run, stop=self.close)

    def close(self) -> None:
        """Begin no move any more."""
        self._closed.set()
        self._changed.set()

    def _run(self) -> None:
        assignment = self._workers.assignment
        while not self._closed.is_set():
            if not self._changed.wait(assignment.look):
                self._each(self._follow)
                continue
            while self._changed.is_set() and not self._closed.is_set():
                self._changed.clear()
                self._closed.wait(_SETTLES)
            self._each(self._move)

    def _each(self, work: Callable[[Dataset], None]) -> None:
        for dataset in self._workers.assignment.datasets:
            if self._closed.is_set():
                return
            try:
                work(dataset)
            except BigvizError as error:
                _log.warning("rows of %r stay where they are: %s", dataset.name, error.message)
            except Exception:  # there may be more workers, or other rows, the next time
                if not self._closed.is_set():
                    _log.exception("rows of %r stay where they are", dataset.name)

    def _follow(self, dataset: Dataset) -> None:
        """Answer from the parts that another server has divided a dataset into. Raises what indexing them does. A
        server that ends amid a move leaves the rest of it to the next one."""
        parts = self._workers.parts_of(dataset)
        if any(layer.parts != parts for layer in self._layers(dataset)):
            self._take(dataset, parts)
        self._workers.assignment.taken(dataset)
        if self._workers.assignment.has_others(dataset):
            self._changed.set()

    def _move(self, dataset: Dataset) -> None:
        """Move rows of a dataset, if workers are there that have none of it. Raises what indexing them does."""
        if not self._workers.known:
            return  # until some have joined
        self._follow(dataset)
        with self._workers.assignment.moving() as alone:
            if alone:
                self._move_alone(dataset)
        if not alone:
            self._changed.set()  # what another server moves now may not be all

    def _move_alone(self, dataset: Dataset) -> None:
        workers, assignment = self._workers, self._workers.assignment
        if assignment.is_taken(dataset):
            workers.leave(dataset)  # what another server has left behind
        for layer in self._layers(dataset):
            self._maker.restore(layer)  # first what was lost
        parts = workers.plan(dataset)
        if parts is None:
            return
        moved = False
        try:
            self._take(dataset, parts)
            moved = True
        finally:
            if not moved:
                workers.leave(dataset)
        workers.adopt(dataset, parts)
        self._follow(dataset)  # with layers that were made meanwhile
        _log.info("rows of %r are divided between %d workers", dataset.name, workers.known)
        while not assignment.is_taken(dataset):
            if self._closed.wait(_LOOK):
                return
        self._closed.wait(_UNTIL_LEFT)
        self._take(dataset, parts)
        workers.leave(dataset)
        self._changed.set()  # there may be more to move

    def _take(self, dataset: Dataset, parts: tuple[Part, ...]) -> None:
        """Have the layers of a dataset indexed over these parts, and answer from there once all are."""
        moved = [(layer, layer.over(parts)) for layer in self._layers(dataset) if layer.parts != parts]
        for _, over in moved:
            self._maker.restore(over)
        for layer, over in moved:
            self._replace(layer, over)

    def _layers(self, dataset: Dataset) -> list[ClusterLayer]:
        return [layer for layer in self._maker.layers if layer.parts[0].dataset == dataset.fingerprint]
