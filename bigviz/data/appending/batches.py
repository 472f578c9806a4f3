"""Where the batches of one file of an append log are, for readers of any version."""

from __future__ import annotations

import threading
from array import array
from bisect import bisect_right
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from xxhash import xxh64_intdigest

from bigviz.common.errors import Unreadable
from bigviz.data.appending.records import HEAD, Record
from bigviz.data.log_files.merged import MergedAppends

__all__ = ["Batches"]

_PIECE_ROWS: Final = 1 << 20
_PIECE_BYTES: Final = 256 << 20


class Batches:
    """Where the rows of one file are. Of each append that has some: number of the first row, rows, version, the log's
    clock, and `nbytes` of its batch as it came. Of each block, which holds the rows of one append or of several that
    were merged: position, bytes, sum, and which append is its first (`begins`).

    Grows at its end only, so all versions share one, and each looks at as many of the first appends as it knows of.
    `cuts` are the numbers of the appends that begin a piece, which one thread reads. One thread adds, any number read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.at = array("q")
        self.size = array("q")
        self.total = array("Q")
        self.begins = array("q")
        self.first = array("q")
        self.rows = array("q")
        self.version = array("q")
        self.nbytes = array("q")
        self.clock = array("q")
        self.cuts = array("q")
        self._compared = bytearray()
        self._piece = (0, 0)
        self._mapped: pa.Buffer | None = None
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self.clock)

    def add(self, at: int, record: Record, clock: int) -> None:
        """The batch of an append that lies at a position of the file; none for one without rows."""
        if not record.rows:
            return
        self._add_block(at + HEAD, record.size, record.payload_sum, record.rows)
        self.first.append(record.first)
        self.rows.append(record.rows)
        self.version.append(record.version)
        self.nbytes.append(record.size)
        self.clock.append(clock)

    def add_merged(self, at: int, record: Record, merged: MergedAppends, clocks: npt.NDArray[np.int64]) -> None:
        """Those of a record of merged appends, and what the clock showed at each."""
        if not record.rows:
            return
        self._add_block(at + HEAD + merged.batch_at, record.size - merged.batch_at, merged.batch_sum, record.rows)
        some = merged.rows > 0
        firsts = record.first + np.cumsum(merged.rows) - merged.rows
        for into, values in (
            (self.first, firsts), (self.rows, merged.rows), (self.version, merged.versions),
            (self.nbytes, merged.sizes), (self.clock, clocks),
        ):  # fmt: skip
            into.frombytes(values[some].astype(np.int64).tobytes())

    def stop(self, number: int) -> int:
        """The number of the row after an append."""
        return self.first[number] + self.rows[number]

    def whole(self, number: int) -> int:
        """Bytes of an append as it came, with what is written of it."""
        return HEAD + self.nbytes[number]

    def find(self, row: int, count: int) -> int:
        """Which of the first `count` appends has a row of a number."""
        return bisect_right(self.first, row, 0, count) - 1

    def after(self, version: int, count: int) -> int:
        """Which of the first `count` appends is the first that came after a version; `count` where none did."""
        return bisect_right(self.version, version, 0, count)

    def block(self, number: int) -> int:
        """The block that has the rows of an append."""
        return bisect_right(self.begins, number) - 1

    def first_of(self, block: int) -> int:
        """The number of the first row of a block."""
        return self.first[self.begins[block]]

    def batch(self, number: int, schema: pa.Schema) -> pa.RecordBatch:
        """The rows of an append. Raises what `payloads` does."""
        block = self.block(number)
        (payload,) = self.payloads(block, block + 1)
        whole = pa.ipc.read_record_batch(payload, schema)
        return whole.slice(self.first[number] - self.first_of(block), self.rows[number])

    def payloads(self, start: int, stop: int) -> list[pa.Buffer]:
        """The blocks [start, stop), of which there is one, as they were written. Raises Unreadable where they are not.

        The file is mapped, since only bigviz writes it and never cuts off what is read. A block is compared with its
        sum when it is read for the first time.
        """
        mapped = self.mapped(self.at[stop - 1] + self.size[stop - 1])
        return [self._compared_slice(mapped, number) for number in range(start, stop)]

    def _add_block(self, at: int, size: int, total: int, rows: int) -> None:
        several = self._piece[0] + rows, self._piece[1] + size
        if not len(self) or several[0] > _PIECE_ROWS or several[1] > _PIECE_BYTES:
            self.cuts.append(len(self))
            several = rows, size
        self._piece = several
        self.at.append(at)
        self.size.append(size)
        self.total.append(total)
        self._compared.append(0)
        self.begins.append(len(self))

    def _compared_slice(self, mapped: pa.Buffer, number: int) -> pa.Buffer:
        payload = mapped.slice(self.at[number], self.size[number])
        if not self._compared[number]:
            if xxh64_intdigest(payload) != self.total[number]:
                raise Unreadable(
                    f"{self.path} is damaged: the batch at byte {self.at[number]:,} is not what was written. Put a "
                    "backup in its place.",
                    got=str(self.path),
                )
            self._compared[number] = 1
        return payload

    def mapped(self, end: int) -> pa.Buffer:
        """The file, at least its first `end` bytes. It stays readable once it was mapped, also when it is removed.
        Raises Unreadable where it is gone or shorter."""
        with self._lock:
            if self._mapped is None or self._mapped.size < end:
                try:
                    with pa.memory_map(str(self.path)) as file:
                        self._mapped = file.read_buffer()
                except OSError as error:
                    raise Unreadable(
                        f"{self.path} cannot be read: it was removed, or the disk fails.", got=str(self.path)
                    ) from error
            if self._mapped.size < end:
                raise Unreadable(f"{self.path} was cut off: put a backup in its place.", got=str(self.path))
            return self._mapped
