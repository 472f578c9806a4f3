"""Warm-up: what the first filters, selections and brushes of large tables need is compiled in the background."""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from typing import Final
from weakref import WeakValueDictionary

from cachetools import LRUCache

from bigviz.aggregate.layer import Layer
from bigviz.common.cancel import Cancel
from bigviz.common.daemon_thread import start_daemon
from bigviz.data.dataset import Dataset
from bigviz.document.spec import Document
from bigviz.tiles.interface import Engine

__all__ = ["Rehearsals"]

_LEAST_ROWS: Final = 1 << 20  # of smaller tables few ask for so much that it is worth a compiler's time
_MOST_KNOWN: Final = 256  # tables, by what matters of them, that are not rehearsed again


class Rehearsals:
    """Lives on the event loop; the work is in daemon threads, one table at a time."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known: WeakValueDictionary[str, Document] = WeakValueDictionary()
        self._rehearsed: LRUCache[Hashable, None] = LRUCache(_MOST_KNOWN)
        self._turn = threading.Lock()
        self._cancel = Cancel()

    def begin(self, document: Document, layers: Callable[[], Sequence[tuple[Dataset, Layer]]], seconds: float) -> None:
        """Rehearse the layers of a document in so many seconds, those of tables that are large, once for all tables of
        the same types: a document over a table that grows is another one with each version."""
        if self._known.get(document.id) is document:
            return
        self._known[document.id] = document
        found: defaultdict[str, list[tuple[Dataset, Layer]]] = defaultdict(list)
        for dataset, layer in layers():
            if dataset.num_rows >= _LEAST_ROWS:
                found[dataset.fingerprint].append((dataset, layer))
        for each in found.values():
            dataset, wanted = each[0][0], [layer for _, layer in each]
            key = _key_of(dataset, wanted)
            if key not in self._rehearsed:
                self._rehearsed[key] = None
                asyncio.get_running_loop().call_later(seconds, self._start, dataset, wanted)

    def close(self) -> None:
        """Begin nothing more, and end what goes on soon."""
        self._cancel.cancel()

    def _start(self, dataset: Dataset, layers: list[Layer]) -> None:
        if not self._cancel.cancelled:
            start_daemon("bigviz-rehearsal", self._rehearse, dataset, layers, stop=self._cancel.cancel)

    def _rehearse(self, dataset: Dataset, layers: list[Layer]) -> None:
        with self._turn:
            self._cancel.check()
            self._engine.rehearse(dataset, layers, self._cancel)


def _key_of(dataset: Dataset, layers: Sequence[Layer]) -> Hashable:
    """What a rehearsal depends on. The rows are among it to a factor of two: only many have an index on the disk."""
    types = tuple((field.name, field.type) for field in dataset.schema)
    return types, bool(dataset.files), dataset.num_rows.bit_length(), tuple(layers)
