"""Where the batches of one file of an append log are, for readers of any version."""

from __future__ import annotations

import threading
from array import array
from bisect import bisect_right
from pathlib import Path
from typing import Final

import pyarrow as pa
from xxhash import xxh64_intdigest

from bigviz.common.errors import Unreadable
from bigviz.data.appending.records import HEAD, Record

__all__ = ["Batches"]

_PIECE_ROWS: Final = 1 << 20
_PIECE_BYTES: Final = 256 << 20


class Batches:
    """For each batch of a file: position, bytes, sum, number of the first row, rows, version, and the log's clock.

    Grows at its end only, so all versions share one, and each looks at as many of the first as it knows of. `cuts` are
    the numbers of the batches that begin a piece, which one thread reads. One thread adds, any number read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.at = array("q")
        self.size = array("q")
        self.total = array("Q")
        self.first = array("q")
        self.rows = array("q")
        self.version = array("q")
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
        rows, size = self._piece[0] + record.rows, self._piece[1] + record.size
        if not len(self) or rows > _PIECE_ROWS or size > _PIECE_BYTES:
            self.cuts.append(len(self))
            rows, size = record.rows, record.size
        self._piece = rows, size
        self.at.append(at + HEAD)
        self.size.append(record.size)
        self.total.append(record.payload_sum)
        self.first.append(record.first)
        self.rows.append(record.rows)
        self.version.append(record.version)
        self._compared.append(0)
        self.clock.append(clock)

    def stop(self, number: int) -> int:
        """The number of the row after a batch."""
        return self.first[number] + self.rows[number]

    def whole(self, number: int) -> int:
        """Bytes of a batch in its file, with what is written of it."""
        return HEAD + self.size[number]

    def find(self, row: int, count: int) -> int:
        """Which of the first `count` batches has a row of a number."""
        return bisect_right(self.first, row, 0, count) - 1

    def after(self, version: int, count: int) -> int:
        """Which of the first `count` batches is the first that came after a version; `count` where none did."""
        return bisect_right(self.version, version, 0, count)

    def payload(self, number: int, end: int) -> pa.Buffer:
        """A batch as it was written, of the first `end` bytes of the file. Raises Unreadable where it is not.

        The file is mapped, since only bigviz writes it and never cuts off what is read. A batch is compared with its
        sum when it is read for the first time.
        """
        return self._compared_slice(self.mapped(end), number)

    def payloads(self, start: int, stop: int) -> list[pa.Buffer]:
        """The batches [start, stop), of which there is one, as they were written. Raises what `payload` does."""
        mapped = self.mapped(self.at[stop - 1] + self.size[stop - 1])
        return [self._compared_slice(mapped, number) for number in range(start, stop)]

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
