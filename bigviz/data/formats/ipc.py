"""Arrow IPC files and streams, read by copy, one column at a time."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise

import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.types as pt

from bigviz.data.arrow_errors import reading
from bigviz.data.columns.arrow_arrays import admit_schema
from bigviz.data.columns.column import Unusable
from bigviz.data.formats.arrow_schema import without_wide_integers_in
from bigviz.data.formats.file_part import Piece, counted, damaged, guarded
from bigviz.data.formats.geometry import geometries
from bigviz.data.formats.ipc_layout import layout_of
from bigviz.data.formats.patched_reader import patched
from bigviz.data.formats.stable_file import StableFile
from bigviz.data.limits import require_memory, require_rows

__all__ = ["IpcPart"]

_PIECE = 1 << 20


class IpcPart:
    """An Arrow IPC file (`stream=False`) or stream.

    A file is read in pieces of about a million rows: neighbouring batches together, and parts of batches that are
    larger. Batches that are compressed or hold nested columns are read whole, a column at a time, whatever their size.
    A stream has to be walked through once to count its rows, and is read in order by one thread, since its batches may
    replace dictionaries. Buffers of other columns are skipped.
    """

    def __init__(self, file: StableFile, stream: bool) -> None:
        self.file = file
        self.stream = stream
        self.format = "an Arrow IPC stream" if stream else "an Arrow IPC file"
        self.unusable: dict[int, Unusable] = {}
        self._patches: dict[int, bytes] = {}
        with reading(file.path, self.format), file.open() as raw:
            handle, reader = self._first_reader(raw)
            self.schema: pa.Schema = admit_schema(reader.schema)
            self.geometries = geometries(reader.schema)
            self._layout = None if stream else layout_of(handle, reader.schema)
            self.num_rows = self._count(reader)
        if self.num_rows < 0:
            raise damaged(file.path, f"its batches declare {self.num_rows:,} rows")
        require_rows(self.num_rows, file.path)
        head, tail = file.ends(1 << 16)
        self.digest = hashlib.sha256(head + tail).digest()
        self.pieces = self._pieces()

    def direct(self, index: int) -> None:
        """Always None: nothing is kept here."""

    def arrays(self, index: int, piece: Piece) -> Iterator[pa.Array]:
        lies = damaged(self.file.path, f"its batches do not hold the {self.num_rows:,} rows that they declare")
        yield from counted(guarded(self._read(index, piece), self.file.path, self.format), piece.count, lies)

    def _first_reader(
        self, raw: pa.NativeFile
    ) -> tuple[pa.NativeFile, ipc.RecordBatchFileReader | ipc.RecordBatchStreamReader]:
        """A reader and what it reads; with the schema changed where pyarrow refuses it for some columns, which become
        `unusable`."""
        try:
            return raw, self._reader(raw, None)
        except (OSError, ValueError, NotImplementedError, pa.ArrowException) as error:
            try:
                self._patches, wide = without_wide_integers_in(raw, self.stream)
            except (ValueError, IndexError, struct.error):
                raise error from None
            if not wide:
                raise
        self.unusable = {at: Unusable(reason) for at, reason in wide.items()}
        handle = patched(raw, self._patches)
        return handle, self._reader(handle, None)

    @contextmanager
    def _open(self) -> Iterator[pa.NativeFile]:
        whole = (lambda: [(0, self.file.size)]) if self.stream else None
        with self.file.open(whole) as handle:
            yield patched(handle, self._patches)

    def _pieces(self) -> tuple[Piece, ...]:
        if self._layout is None:
            return (Piece(0, self.num_rows),)
        pieces: list[Piece] = []
        start = count = 0
        numbers: list[int] = []  # of the batches that the next piece holds so far
        for number, batch in enumerate(self._layout.batches):
            large = batch.rows >= 2 * _PIECE and self._layout.can_slice(number)
            if numbers and (large or count >= _PIECE):
                pieces.append(Piece(start, count, tuple(numbers)))
                start, count, numbers = start + count, 0, []
            if large:
                cuts = [*range(0, batch.rows, _PIECE), batch.rows]
                pieces += [Piece(start + low, high - low, (number,)) for low, high in pairwise(cuts)]
                start += batch.rows
            else:
                numbers.append(number)
                count += batch.rows
        if numbers:
            pieces.append(Piece(start, count, tuple(numbers)))
        return tuple(pieces)

    def _read(self, index: int, piece: Piece) -> Iterator[pa.Array]:
        if self._layout is None:
            for batch in self._batches(index, None):
                yield batch.column(0)
        elif len(piece.groups) == 1 and self._layout.batches[piece.groups[0]].rows != piece.count:
            (number,) = piece.groups
            before = sum(batch.rows for batch in self._layout.batches[:number])
            with self._open() as handle:
                yield self._layout.slice(handle, number, index, piece.start - before, piece.count)
        else:
            for batch in self._batches(index, piece.groups):
                yield batch.column(0)

    def _batches(self, index: int | None, numbers: Sequence[int] | None) -> Iterator[pa.RecordBatch]:
        """The batches of those numbers, or all, in order."""
        with self._open() as handle:
            reader = self._reader(handle, index)
            if self.stream:
                yield from reader
            else:
                for number in range(reader.num_record_batches) if numbers is None else numbers:
                    if index is not None and self._layout is not None:
                        size = self._layout.unpacked_size(handle, number, index)
                        require_memory(size, f"Column {self.schema.names[index]!r} of {self.file.path}, unpacked,")
                    yield reader.get_batch(number)

    def _count(self, reader: ipc.RecordBatchFileReader | ipc.RecordBatchStreamReader) -> int:
        """The rows that the batches declare. pyarrow's count reads every batch whole, so it is the second choice. Of a
        stream, the narrowest column stands for all, so that little is decompressed."""
        if self._layout is not None:
            return sum(batch.rows for batch in self._layout.batches)
        if not self.stream:
            return int(reader.count_rows())
        widths = [field.type.bit_width if pt.is_primitive(field.type) else 1 << 10 for field in self.schema]
        narrowest = widths.index(min(widths)) if widths else None
        return sum(batch.num_rows for batch in self._batches(narrowest, None))

    def _reader(
        self, handle: pa.NativeFile, index: int | None
    ) -> ipc.RecordBatchFileReader | ipc.RecordBatchStreamReader:
        options = ipc.IpcReadOptions(included_fields=None if index is None else [index], use_threads=False)
        opener = ipc.open_stream if self.stream else ipc.open_file
        return opener(handle, options=options)
