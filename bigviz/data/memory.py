"""Tables that are in memory already."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from bigviz.data.cancel import Cancel
from bigviz.data.progress import Progress
from bigviz.data.source import Sink

__all__ = ["MemorySource"]


class MemorySource:
    """A `pyarrow.Table`. Its memory is shared, not copied, and must not be written to while the dataset lives."""

    def __init__(self, table: pa.Table, notes: tuple[str, ...] = ()) -> None:
        table.validate(full=True)
        self.table = table
        self.schema: pa.Schema = table.schema
        self.num_rows: int = table.num_rows
        self.fingerprint = secrets.token_hex(16)
        self.notes = notes

    def check(self) -> None:
        """Never raises: nobody can take the memory away."""

    def read(self, index: int, sink: Sink, progress: Progress, cancel: Cancel) -> None:
        start = 0
        stage = f"reading {self.schema.names[index]}"
        for chunk in self.table.column(index).chunks:
            cancel.check()
            sink(start, chunk)
            start += len(chunk)
            progress(stage, start / self.num_rows if self.num_rows else 1.0, start)

    def take(self, rows: np.ndarray, indices: Sequence[int], cancel: Cancel) -> pa.Table:
        cancel.check()
        return self.table.select(list(indices)).take(pa.array(rows, pa.int64()))

    def direct(self, index: int) -> pa.ChunkedArray:
        return self.table.column(index)
