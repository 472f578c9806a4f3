"""Parquet files, read a column at a time."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bigviz.data.cancel import Cancel
from bigviz.data.errors import Unreadable
from bigviz.data.progress import Progress
from bigviz.data.source import Sink

__all__ = ["ParquetSource"]


class ParquetSource:
    """One Parquet file."""

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            self.file = pq.ParquetFile(path, page_checksum_verification=True, pre_buffer=False)
        except (OSError, ValueError) as error:
            raise Unreadable(f"{path} cannot be read as Parquet: {error}", got=path) from error
        self.schema: pa.Schema = self.file.schema_arrow
        self.num_rows: int = self.file.metadata.num_rows
        status = os.stat(path)
        self.fingerprint = hashlib.sha256(
            f"{os.path.realpath(path)}\0{status.st_size}\0{status.st_mtime_ns}".encode()
        ).hexdigest()
        self.notes: tuple[str, ...] = ()

    def check(self) -> None:
        if not os.path.exists(self.path):
            raise Unreadable(f"{self.path} is gone: put it back and restart, or open another file.", got=self.path)

    def read(self, index: int, sink: Sink, progress: Progress, cancel: Cancel) -> None:
        self.check()
        name = self.schema.names[index]
        start = 0
        for batch in self.file.iter_batches(1 << 20, columns=[name]):
            cancel.check()
            sink(start, batch.column(0))
            start += batch.num_rows
            progress(f"reading {name}", start / max(1, self.num_rows), start)

    def take(self, rows: np.ndarray, indices: Sequence[int], cancel: Cancel) -> pa.Table:
        self.check()
        names = [self.schema.names[index] for index in indices]
        return self.file.read(columns=names).select(names).take(pa.array(rows, pa.int64()))

    def direct(self, index: int) -> None:
        return None
