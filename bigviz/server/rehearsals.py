"""First filters, selections and brushes of large tables wait for no compiler: what they need is rehearsed behind."""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Final
from weakref import ref

from bigviz.aggregate.layer import Layer
from bigviz.common.cancel import Cancel
from bigviz.common.daemon_thread import start_daemon
from bigviz.data.dataset import Dataset
from bigviz.document.spec import Document
from bigviz.tiles.interface import Engine

__all__ = ["Rehearsals"]

_LEAST_ROWS: Final = 1 << 20  # of smaller tables few ask for so much that it is worth a compiler's time


class Rehearsals:
    """Lives on the event loop; the work is in daemon threads, one table at a time."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known: dict[str, ref[Document]] = {}
        self._turn = threading.Lock()
        self._cancel = Cancel()

    def begin(self, document: Document, layers: Callable[[], Sequence[tuple[Dataset, Layer]]], seconds: float) -> None:
        """Rehearse the layers of a document in so many seconds, once, those of tables that are large."""
        known = self._known.get(document.id)
        if known is not None and known() is document:
            return
        self._known[document.id] = ref(document)
        found: defaultdict[str, list[tuple[Dataset, Layer]]] = defaultdict(list)
        for dataset, layer in layers():
            if dataset.num_rows >= _LEAST_ROWS:
                found[dataset.fingerprint].append((dataset, layer))
        for each in found.values():
            asyncio.get_running_loop().call_later(seconds, self._start, each[0][0], [layer for _, layer in each])

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
