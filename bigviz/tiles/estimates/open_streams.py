"""Pieces of a table that are read batch by batch, with pauses: the latest few stay open between two batches."""

from __future__ import annotations

import threading
from collections.abc import Collection, Generator, Iterator
from typing import Final

from bigviz.common.cancel import Cancel
from bigviz.data.columns.column import Column
from bigviz.data.dataset import Dataset

__all__ = ["MOST_OPEN", "Streams"]

Batch = tuple[int, list[Column]]
_Key = tuple[int, tuple[str, ...]]

MOST_OPEN: Final = 16  # two samples of 7 pieces, the most there are; each stream holds a file a column and its buffers


class Streams:
    """The open readings of one dataset. Safe to use from any number of threads."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._open: dict[_Key, tuple[int, Iterator[Batch]]] = {}  # batches taken, and the rest; the latest last
        self._lock = threading.Lock()

    def batch(self, piece: int, number: int, names: tuple[str, ...], cancel: Cancel) -> Batch | None:
        """Batch `number` of a piece's columns: the first row and the columns; None beyond its end. The next one costs
        no more than itself, any other reads the piece from its start. Raises what `Dataset.read` does."""
        key = piece, names
        with self._lock:
            done, stream = self._open.pop(key, (0, iter(())))
        if done != number or number == 0:
            _end(stream)
            done, stream = 0, self._dataset.read(piece, names, cancel, own_labels=True)
        batch: Batch | None = None
        while done <= number:
            batch = next(stream, None)
            done += 1
        self._keep(key, done, stream)
        return batch

    def close(self, names: Collection[str] | None = None) -> None:
        """Close what is open (only of the columns `names`, if given), except what is being read right now."""
        with self._lock:
            keys = [key for key in self._open if names is None or not set(key[1]).difference(names)]
            streams = [self._open.pop(key)[1] for key in keys]
        for stream in streams:
            _end(stream)

    def _keep(self, key: _Key, done: int, stream: Iterator[Batch]) -> None:
        gone = []
        with self._lock:
            if key in self._open:  # another thread reads the same: the later one stays
                gone.append(self._open.pop(key)[1])
            self._open[key] = done, stream
            while len(self._open) > MOST_OPEN:
                gone.append(self._open.pop(next(iter(self._open)))[1])
        for each in gone:
            _end(each)


def _end(stream: Iterator[Batch]) -> None:
    """Close a generator, and with it the files that it reads."""
    if isinstance(stream, Generator):
        stream.close()
