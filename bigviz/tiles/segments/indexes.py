"""The indexes of datasets that grow: found or begun for a layer, and merged in the background."""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Callable, Hashable
from typing import Generic, Protocol, TypeVar

from bigviz.aggregate.layer import Layer
from bigviz.common.cancel import Cancel
from bigviz.common.daemon_thread import start_daemon
from bigviz.common.errors import Cancelled
from bigviz.common.priority import Turns
from bigviz.common.workers import Crew, step_back
from bigviz.data.dataset import Dataset
from bigviz.tiles.grid.order_spec import OrderSpec

__all__ = ["Indexes"]

_log = logging.getLogger("bigviz")


class Index(Protocol):
    """What an index of a dataset that grows is asked here."""

    def wants_merge(self) -> bool:
        """Whether something of it is to be merged."""


T = TypeVar("T", bound=Index)


class Indexes(Generic[T]):
    """Indexes by lineage and order. One lives as long as a layer over it does. Safe to use from any threads."""

    def __init__(
        self,
        begin: Callable[[OrderSpec], T],
        merge_once: Callable[[T, Crew], bool],
        turns: Turns,
        merges: bool,
        by_filter: bool = False,
    ) -> None:
        """`begin` makes an index without rows, `merge_once` merges what is next in one, and is False where all is well.
        `merges` False leaves merging to others. `by_filter`: layers of other filters have other indexes."""
        self._begin, self._merge_once = begin, merge_once
        self._turns, self._merges, self._by_filter = turns, merges, by_filter
        self._known: weakref.WeakValueDictionary[Hashable, T] = weakref.WeakValueDictionary()
        self._merging: weakref.WeakSet[T] = weakref.WeakSet()
        self._lock = threading.Lock()

    def find(self, dataset: Dataset, layer: Layer) -> T | None:
        """The index that a layer's next version is made from, if there is one."""
        return self._known.get(self._key(dataset, layer))

    def of(self, dataset: Dataset, layer: Layer) -> T:
        """The index of a layer, there or begun."""
        key = self._key(dataset, layer)
        with self._lock:
            found = self._known.get(key)
            if found is None:
                found = self._known[key] = self._begin(OrderSpec.of(layer))
            return found

    def _key(self, dataset: Dataset, layer: Layer) -> Hashable:
        return dataset.lineage, OrderSpec.of(layer), layer.filter if self._by_filter else ""

    def merge(self, index: T) -> None:
        """Merge an index in the background, if there is something to merge and nobody does so already."""
        with self._lock:
            if not self._merges or index in self._merging or not index.wants_merge():
                return
            self._merging.add(index)
        cancel = Cancel()
        start_daemon("bigviz-merge", self._merge_all, index, cancel, stop=cancel.cancel)

    def _merge_all(self, index: T, cancel: Cancel) -> None:
        step_back()
        crew = Crew(1, cancel=cancel, turns=self._turns)
        try:
            while self._merge_once(index, crew):
                pass
        except Cancelled:
            pass
        except Exception:  # it stays as it is, and answers as before
            _log.exception("an index of a dataset that grows could not be merged")
        finally:
            with self._lock:
                self._merging.discard(index)
