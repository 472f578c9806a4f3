"""Sinks that keep Arrow arrays as they are: all of them, or chosen rows."""

from __future__ import annotations

import threading

import numpy as np
import pyarrow as pa

from bigviz.data.columns.arrow_arrays import take_rows
from bigviz.data.columns.written_out import Room

__all__ = ["Collected", "Rows"]


class Collected:
    """All arrays of a column, in row order at the end."""

    def __init__(self, type_: pa.DataType) -> None:
        self.type = type_
        self._parts: list[tuple[int, pa.Array]] = []
        self._lock = threading.Lock()

    def add(self, start: int, array: pa.Array) -> None:
        """Keep `array`, whose first row is `start`."""
        if array.type != self.type:
            array = array.cast(self.type)
        with self._lock:
            self._parts.append((start, array))

    def finish(self) -> pa.ChunkedArray:
        """The column."""
        parts = sorted(self._parts, key=lambda part: part[0])
        return pa.chunked_array([array for _, array in parts], self.type)


class Rows:
    """The values at certain rows, in any order and with repetitions, for which there is `room`."""

    def __init__(self, type_: pa.DataType, rows: np.ndarray, room: Room) -> None:
        self.sorted, self._order = np.unique(rows, return_inverse=True)
        self._room = room
        self._found = Collected(type_)

    def add(self, start: int, array: pa.Array) -> None:
        """Keep the wanted rows of `array`, whose first row is `start`."""
        first, last = np.searchsorted(self.sorted, (start, start + len(array)))
        if first < last:
            self._room.take(array, self.sorted[first:last] - start, self._found.type)
            values = pa.chunked_array([array])
            for chunk in take_rows(values, self.sorted[first:last] - start).chunks:
                self._found.add(start, chunk)

    def finish(self) -> pa.ChunkedArray:
        """The values in the order of the requested rows."""
        return take_rows(self._found.finish(), self._order.astype(np.int64))
