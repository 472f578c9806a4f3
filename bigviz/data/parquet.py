"""Parquet files: the footer is checked before a page is read, pages are read a column and a million rows at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.types as pt

from bigviz.data.arrays import admit_schema
from bigviz.data.errors import TooLarge, Unreadable
from bigviz.data.files import StableFile
from bigviz.data.int96 import read_int96
from bigviz.data.kinds import storage_type
from bigviz.data.limits import (
    MOST_COLUMNS,
    MOST_FOOTER,
    MOST_RATIO,
    MOST_ROW_GROUPS,
    gigabytes,
    require_rows,
)
from bigviz.data.part import Piece, guarded, reading

__all__ = ["ParquetPart"]

BATCH = 1 << 20
_SUSPICIOUS = 1 << 30
_LARGE = 1 << 28
_STREAMED = 1 << 22


class ParquetPart:
    """One Parquet file."""

    def __init__(self, file: StableFile) -> None:
        self.file = file
        self.digest = _footer_digest(file)
        with reading(file.path, "Parquet"), file.open() as handle:
            opened = pq.ParquetFile(handle, pre_buffer=False)
            self.metadata: pq.FileMetaData = opened.metadata
            self.schema: pa.Schema = admit_schema(opened.schema_arrow)
            self._int96 = _int96(opened)
        self.num_rows: int = self.metadata.num_rows
        self._check_footer()
        self.pieces = self._pieces()

    def direct(self, index: int) -> None:
        """Always None: nothing is kept here."""

    def arrays(self, index: int, piece: Piece) -> Iterator[pa.Array]:
        path = self.file.path
        left = piece.count
        for array in guarded(self._read(index, piece), path, "Parquet"):
            left -= len(array)
            if left < 0:
                break
            yield array
        if left != 0:
            raise self._lies(f"column {self.schema.names[index]!r} does not have the rows that the footer declares")

    def _read(self, index: int, piece: Piece) -> Iterator[pa.Array]:
        if index in self._int96:
            with self.file.open() as first, self.file.open() as second:
                fine = self._batches(index, piece, first, coerce_int96_timestamp_unit="ns")
                coarse = self._batches(index, piece, second, coerce_int96_timestamp_unit="ms")
                yield from read_int96(fine, coarse)
        else:
            with self.file.open() as handle:
                yield from self._batches(index, piece, handle)

    def _batches(self, index: int, piece: Piece, handle: pa.NativeFile, **options: str) -> Iterator[pa.Array]:
        field = self.schema.field(index)
        # Text stays in the file's own dictionary: a tenth of the memory, and the codes are needed anyway.
        labels = [field.name] if _has_dictionary(storage_type(field.type)) else None
        opened = pq.ParquetFile(
            handle,
            metadata=self.metadata,
            pre_buffer=False,
            buffer_size=self._buffer_size(piece),
            page_checksum_verification=True,
            read_dictionary=labels,
            **options,
        )
        nth = self.schema.names[:index].count(field.name)
        for batch in opened.iter_batches(BATCH, row_groups=list(piece.groups), columns=[field.name], use_threads=False):
            same = batch.schema.get_all_field_indices(field.name)
            if nth >= len(same):
                raise Unreadable(
                    f"{self.file.path} has no column {field.name!r} where its schema has one.", got=self.file.path
                )
            yield batch.column(same[nth])

    def _buffer_size(self, piece: Piece) -> int:
        """0 reads a column of a row group in one go, the fastest; large row groups are read as a stream."""
        largest = max((self.metadata.row_group(group).total_byte_size for group in piece.groups), default=0)
        return _STREAMED if largest > _LARGE else 0

    def _check_footer(self) -> None:
        """Numbers in the footer that no honest file has.

        Only of row groups: asking pyarrow for a column chunk's statistics ends the process where they are damaged (an
        exception that its binding does not catch). Chunks that lie are found out when they are read.

        So the range of a column is never taken from statistics, but from a sample's rows until all are read: of a float
        whose least value has three bytes, pyarrow 26 aborts with "Unexpected end of stream" as soon as `statistics` is
        asked for, and there is no other way to their raw bytes, whose length could be looked at first.
        """
        what = self.file.path
        meta = self.metadata
        if meta.num_columns > MOST_COLUMNS or meta.num_row_groups > MOST_ROW_GROUPS:
            raise TooLarge(
                f"{what} has {meta.num_columns:,} columns in {meta.num_row_groups:,} row groups; bigviz opens at most "
                f"{MOST_COLUMNS:,} and {MOST_ROW_GROUPS:,}.",
                got=what,
            )
        counts = [meta.row_group(group).num_rows for group in range(meta.num_row_groups)]
        if self.num_rows < 0 or any(count < 0 for count in counts) or sum(counts) != self.num_rows:
            raise self._lies(f"its footer declares {self.num_rows:,} rows and its row groups {sum(counts):,}")
        require_rows(self.num_rows, what)
        for group in range(meta.num_row_groups):
            declared = meta.row_group(group).total_byte_size
            if declared > _SUSPICIOUS and declared > MOST_RATIO * self.file.size:
                raise TooLarge(
                    f"{what} declares {gigabytes(declared)} in row group {group}, more than {MOST_RATIO:,} times the "
                    "size of the file. No codec packs like that: it is damaged or malicious.",
                    got=what,
                )

    def _pieces(self) -> tuple[Piece, ...]:
        """Neighbouring row groups together, about a million rows a piece: opening a reader for each tiny one would
        cost more."""
        pieces: list[Piece] = []
        start = count = 0
        groups: list[int] = []
        for number in range(self.metadata.num_row_groups):
            groups.append(number)
            count += self.metadata.row_group(number).num_rows
            if count >= BATCH or number == self.metadata.num_row_groups - 1:
                pieces.append(Piece(start, count, tuple(groups)))
                start, count, groups = start + count, 0, []
        return tuple(pieces)

    def _lies(self, what: str) -> Unreadable:
        return Unreadable(f"{self.file.path} is damaged: {what}. Write or copy it again.", got=self.file.path)


def _int96(opened: pq.ParquetFile) -> frozenset[int]:
    """The columns, by their position in the Arrow schema, that hold 96-bit stamps."""
    fields = opened.schema_arrow
    found: set[int] = set()
    position = 0
    for index in range(len(fields)):
        width = _leaf_count(fields.field(index).type)
        if width == 1 and position < len(opened.schema) and opened.schema.column(position).physical_type == "INT96":
            found.add(index)
        position += width
    return frozenset(found)


def _leaf_count(type_: pa.DataType) -> int:
    """How many Parquet columns an Arrow type is stored in."""
    type_ = storage_type(type_)
    if pt.is_dictionary(type_):
        return _leaf_count(type_.value_type)
    if not pt.is_nested(type_):
        return 1
    return sum(_leaf_count(type_.field(child).type) for child in range(type_.num_fields))


def _has_dictionary(type_: pa.DataType) -> bool:
    return bool(pt.is_string(type_) or pt.is_binary(type_) or pt.is_large_string(type_) or pt.is_large_binary(type_))


def _footer_digest(file: StableFile) -> bytes:
    """A hash of the footer, which holds every chunk's offset, size and statistics.

    Raises `Unreadable` if the file has no whole footer, `TooLarge` if it declares one beyond 256 MiB.
    """
    with file.open() as handle:
        tail = handle.read_at(8, max(0, file.size - 8))
        if file.size < 12 or tail[4:] not in (b"PAR1", b"PARE"):
            raise Unreadable(
                f"{file.path} is a truncated Parquet file: it ends after {file.size:,} bytes without a footer. "
                "Its writer was stopped or the copy is not complete; write or copy it again.",
                field="source",
                got=file.path,
            )
        size = int.from_bytes(tail[:4], "little")
        if size > file.size - 12:
            raise Unreadable(
                f"{file.path} is damaged: it declares a footer of {size:,} bytes in a file of {file.size:,}.",
                field="source",
                got=file.path,
            )
        if size > MOST_FOOTER:
            raise TooLarge(
                f"{file.path} has a footer of {size:,} bytes; bigviz reads at most {MOST_FOOTER:,}.", got=file.path
            )
        return hashlib.sha256(handle.read_at(size, file.size - 8 - size)).digest()
