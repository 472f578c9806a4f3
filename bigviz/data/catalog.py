"""Datasets by name: those that the server's operator serves, and uploaded files, opened when a document needs them."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from weakref import WeakValueDictionary

from bigviz.data.dataset import Dataset
from bigviz.data.open import open_files

__all__ = ["Catalog"]


class Catalog:
    """The operator's datasets are open from the start and stay so. An uploaded file is opened once for each name and
    version of a dataset, and let go of when nobody holds it any more. Thread-safe."""

    def __init__(self) -> None:
        self._served: Mapping[str, Dataset] = {}
        self._uploaded: WeakValueDictionary[tuple[str, int, Path], Dataset] = WeakValueDictionary()
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
