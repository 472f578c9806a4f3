"""Arrow IPC files and streams, read by copy, one column at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.types as pt

from bigviz.data.arrays import admit_schema
from bigviz.data.errors import Unreadable
from bigviz.data.files import StableFile
from bigviz.data.limits import require_rows
from bigviz.data.part import Piece, guarded, reading

__all__ = ["IpcPart"]


class IpcPart:
    """An Arrow IPC file (`stream=False`) or stream.

    A file's footer knows the number of batches, a stream has to be walked through once to count its rows. Both are
    read in order by one thread, since their batches may share and replace dictionaries. Buffers of other columns are
    skipped.
    """

    def __init__(self, file: StableFile, stream: bool) -> None:
        self.file = file
        self.stream = stream
        self.format = "an Arrow IPC stream" if stream else "an Arrow IPC file"
        with reading(file.path, self.format), file.open() as handle:
            reader = self._reader(handle, None)
            self.schema: pa.Schema = admit_schema(reader.schema)
            self.num_rows: int = reader.count_rows() if not stream else self._count()
        if self.num_rows < 0:
            raise self._lies(f"its batches declare {self.num_rows:,} rows")
        require_rows(self.num_rows, file.path)
        head, tail = file.ends(1 << 16)
        self.digest = hashlib.sha256(head + tail).digest()
        self.pieces = (Piece(0, self.num_rows),)

    def direct(self, index: int) -> None:
        """Always None: nothing is kept here."""

    def arrays(self, index: int, piece: Piece) -> Iterator[pa.Array]:
        left = self.num_rows
        for batch in guarded(self._batches(index), self.file.path, self.format):
            array = batch.column(0)
            left -= len(array)
            if left < 0:
                break
            yield array
        if left != 0:
            raise self._lies(f"its batches do not hold the {self.num_rows:,} rows that they declare")

    def _lies(self, what: str) -> Unreadable:
        return Unreadable(f"{self.file.path} is damaged: {what}. Write or copy it again.", got=self.file.path)

    def _batches(self, index: int | None) -> Iterator[pa.RecordBatch]:
        with self.file.open() as handle:
            reader = self._reader(handle, index)
            if self.stream:
                yield from reader
            else:
                for number in range(reader.num_record_batches):
                    yield reader.get_batch(number)

    def _count(self) -> int:
        """Rows of a stream. The narrowest column stands for all, so that little is decompressed."""
        widths = [field.type.bit_width if pt.is_primitive(field.type) else 1 << 10 for field in self.schema]
        narrowest = widths.index(min(widths)) if widths else None
        return sum(batch.num_rows for batch in self._batches(narrowest))

    def _reader(
        self, handle: pa.NativeFile, index: int | None
    ) -> ipc.RecordBatchFileReader | ipc.RecordBatchStreamReader:
        options = ipc.IpcReadOptions(included_fields=None if index is None else [index], use_threads=False)
        opener = ipc.open_stream if self.stream else ipc.open_file
        return opener(handle, options=options)
