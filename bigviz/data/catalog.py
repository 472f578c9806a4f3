"""Datasets by name: those that the server's operator serves, and uploaded files, opened when a document needs them."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from weakref import WeakValueDictionary

from cachetools import LRUCache

from bigviz.data.appending.plain import schema_of
from bigviz.data.appending.snapshot import Snapshot
from bigviz.data.appending.source import AppendedSource, LogTable
from bigviz.data.dataset import Dataset
from bigviz.data.open import open_files, open_part

__all__ = ["Catalog"]

_MOST_BASES: Final = 64  # files under what was appended, of which what all versions share is kept


class Catalog:
    """The operator's datasets are open from the start and stay so. An uploaded file is opened once for each name and
    version of a dataset, and let go of when nobody holds it any more. Thread-safe."""

    def __init__(self) -> None:
        self._served: Mapping[str, Dataset] = {}
        self._uploaded: WeakValueDictionary[tuple[str, int, Path], Dataset] = WeakValueDictionary()
        self._bases: LRUCache[Path, LogTable] = LRUCache(_MOST_BASES)
        self._lock = threading.Lock()

    def serve(self, datasets: Mapping[str, Dataset]) -> None:
        """These, and no others, are the operator's."""
        self._served = dict(datasets)

    @property
    def served(self) -> Mapping[str, Dataset]:
        """The operator's datasets by name."""
        return self._served

    def uploaded(self, name: str, version: int, path: Path) -> Dataset:
        """The dataset of an uploaded file, under the name and version that it has now. Raises what `bigviz.open`
        does."""
        key = (name, version, path)
        with self._lock:
            found = self._uploaded.get(key)
            if found is None:
                found = open_files(path, name)
                found.version = version
                self._uploaded[key] = found
            return found

    def appended(self, name: str, path: Path, snapshot: Snapshot) -> Dataset:
        """The dataset of an uploaded file and of what was appended to it since. Raises what `bigviz.open` does."""
        key = (name, snapshot.version, path)
        with self._lock:
            found = self._uploaded.get(key)
            if found is None:
                table = self._bases.get(path)
                if table is None:
                    table = LogTable(open_part(path), schema_of(path), snapshot.schema, name)
                    self._bases[path] = table
                found = Dataset(name, AppendedSource(table, snapshot, name))
                found.version = snapshot.version
                self._uploaded[key] = found
            return found
