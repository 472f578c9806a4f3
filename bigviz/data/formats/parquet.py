"""Parquet files: the footer is checked before a page is read, pages are read a column and a million rows at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cached_property, partial
from itertools import accumulate, pairwise

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.types as pt

from bigviz.common.errors import TooLarge, Unreadable
from bigviz.data.arrow_errors import reading
from bigviz.data.columns.arrow_arrays import admit_schema
from bigviz.data.columns.column import Unusable
from bigviz.data.columns.kinds import storage_type
from bigviz.data.formats.file_part import Piece, counted, damaged, guarded
from bigviz.data.formats.geometry import geometries
from bigviz.data.formats.int96 import read_int96
from bigviz.data.formats.parquet_footer import mended, metadata_of, read_footer, without_arrow_schema
from bigviz.data.formats.stable_file import StableFile
from bigviz.data.limits import (
    MOST_COLUMNS,
    MOST_RATIO,
    MOST_ROW_GROUPS,
    gigabytes,
    require_rows,
)
from bigviz.data.statistics.row_groups import Reader, RowGroups, reader_of
from bigviz.data.statistics.values import Statistics, merged

__all__ = ["ParquetPart"]

BATCH = 1 << 20
_SUSPICIOUS = 1 << 30
_LARGE = 1 << 28
_STREAMED = 1 << 22
_DELTA_TEXT = frozenset({"DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY"})
"""Encodings of text that pyarrow decodes, but not into a dictionary (Arrow 26: "Not yet implemented")."""


class ParquetPart:
    """One Parquet file."""

    def __init__(self, file: StableFile) -> None:
        self.file = file
        footer = read_footer(file)
        self.digest = hashlib.sha256(footer).digest()
        with reading(file.path, "Parquet"), file.open() as handle:
            self.unusable: dict[int, Unusable] = {}
            self._mended: bytes | None = None
            opened = self._open(handle, footer)
            self.metadata: pq.FileMetaData = opened.metadata
            self.schema: pa.Schema = admit_schema(opened.schema_arrow)
            self._leaves = _leaves(self.schema)
            self._int96 = self._find_int96(opened.schema)
            self.geometries = geometries(opened.schema_arrow, self._native_geometries(opened.schema))
            self._shaped = {each.index for each in self.geometries}  # whose labels would be as many as rows
            self.unusable |= self._intervals(opened.schema)
        self.num_rows: int = self.metadata.num_rows
        self._check_footer()
        self.pieces = self._pieces()

    def direct(self, index: int) -> None:
        """Always None: nothing is kept here."""

    def statistics(self, index: int, piece: Piece) -> Statistics | None:
        """What the footer says of a column's values in the row groups of a piece; None where it says nothing."""
        leaf = self._leaves[index].start
        read = self._readers.get(index)
        if read is None:
            return None
        return merged(self._row_groups.of(group, leaf, read) for group in piece.groups)

    @cached_property
    def _readers(self) -> dict[int, Reader]:
        """How statistics are read of the columns that have one leaf and some order."""
        simple = [at for at, leaves in enumerate(self._leaves) if len(leaves) == 1 and at not in self.unusable]
        schema = self.metadata.schema
        found = {at: reader_of(self.schema.field(at).type, schema.column(self._leaves[at].start)) for at in simple}
        return {at: read for at, read in found.items() if read is not None}

    @cached_property
    def _row_groups(self) -> RowGroups:
        return RowGroups(read_footer(self.file), self.metadata)

    def arrays(self, index: int, piece: Piece) -> Iterator[pa.Array]:
        path = self.file.path
        lies = damaged(path, f"column {self.schema.names[index]!r} does not have the rows that the footer declares")
        yield from counted(guarded(self._read(index, piece), path, "Parquet"), piece.count, lies)

    def _open(self, handle: pa.NativeFile, footer: bytes) -> pq.ParquetFile:
        """The file; where pyarrow refuses its footer for some columns, those are `unusable` and the others as usual."""
        try:
            return pq.ParquetFile(handle, pre_buffer=False)
        except (OSError, ValueError, NotImplementedError, pa.ArrowException):
            found = mended(footer)
            if found is None:
                raise
        self._mended, reasons = found
        self.unusable = {at: Unusable(reason) for at, reason in reasons.items()}
        return pq.ParquetFile(handle, metadata=metadata_of(self._mended), pre_buffer=False)

    def _intervals(self, schema: pq.ParquetSchema) -> dict[int, Unusable]:
        """Columns of Parquet's intervals, of which pyarrow would make twelve bytes."""
        return {
            index: Unusable("holds intervals of months, days and milliseconds, which have no place on an axis")
            for index, leaves in enumerate(self._leaves)
            if self.schema.field(index).type == pa.binary(12)
            and schema.column(leaves.start).converted_type == "INTERVAL"
        }

    def _native_geometries(self, schema: pq.ParquetSchema) -> list[int]:
        """Columns of Parquet's own types of geometries, which pyarrow gives as bytes."""
        return [
            index
            for index, leaves in enumerate(self._leaves)
            if pt.is_binary(storage_type(self.schema.field(index).type))
            and schema.column(leaves.start).logical_type.type in ("GEOMETRY", "GEOGRAPHY")
        ]

    def _find_int96(self, schema: pq.ParquetSchema) -> frozenset[int]:
        """The fields that hold 96-bit stamps."""
        return frozenset(
            index
            for index, leaves in enumerate(self._leaves)
            if not pt.is_nested(storage_type(self.schema.field(index).type))
            and leaves.start < len(schema)
            and schema.column(leaves.start).physical_type == "INT96"
        )

    def _read(self, index: int, piece: Piece) -> Iterator[pa.Array]:
        if index in self._int96:
            ahead = partial(self._ranges, index, piece)
            with self.file.open(ahead) as first, self.file.open(ahead) as second:
                fine = self._batches(index, piece, first, coerce_int96_timestamp_unit="ns")
                coarse = self._batches(index, piece, second, coerce_int96_timestamp_unit="ms")
                yield from read_int96(fine, coarse)
        else:
            with self.file.open(partial(self._ranges, index, piece)) as handle:
                yield from self._batches(index, piece, handle)

    def _ranges(self, index: int, piece: Piece) -> list[tuple[int, int]]:
        """Where the footer says that the column's values in the row groups of a piece are; in a damaged file,
        anywhere."""
        chunks = [self.metadata.row_group(group).column(leaf) for group in piece.groups for leaf in self._leaves[index]]
        starts = [min(each.dictionary_page_offset or each.data_page_offset, each.data_page_offset) for each in chunks]
        return [(start, start + each.total_compressed_size) for start, each in zip(starts, chunks, strict=True)]

    def _batches(self, index: int, piece: Piece, handle: pa.NativeFile, **options: str) -> Iterator[pa.Array]:
        field = self.schema.field(index)
        # Text stays in the file's own dictionary: a tenth of the memory, and the codes are needed anyway.
        labels = self._is_text(index) and index not in self._shaped and not self._has_delta_text(index, piece)
        encode = not labels and pt.is_dictionary(field.type) and self._has_delta_text(index, piece)
        leaves = list(self._leaves[index])
        # Not a ParquetFile, which makes a table of all columns' names: of 10,000, that takes most of the time.
        reader = pq.ParquetReader()
        reader.open(
            handle,
            metadata=self._without_arrow_schema if encode else self.metadata,
            pre_buffer=False,
            buffer_size=self._buffer_size(piece),
            page_checksum_verification=True,
            read_dictionary=leaves if labels else None,
            **options,
        )
        for batch in reader.iter_batches(BATCH, list(piece.groups), column_indices=leaves, use_threads=False):
            if batch.schema.names != [field.name]:
                raise Unreadable(
                    f"{self.file.path} has no column {field.name!r} where its schema has one.", got=self.file.path
                )
            array = batch.column(0)
            yield array.dictionary_encode() if encode else array

    def _is_text(self, index: int) -> bool:
        type_ = storage_type(self.schema.field(index).type)
        return bool(
            pt.is_string(type_) or pt.is_binary(type_) or pt.is_large_string(type_) or pt.is_large_binary(type_)
        )

    def _has_delta_text(self, index: int, piece: Piece) -> bool:
        """Whether some page of a column is in an encoding that pyarrow cannot read as labels and codes."""
        chunks = (self.metadata.row_group(group).column(self._leaves[index].start) for group in piece.groups)
        return any(not _DELTA_TEXT.isdisjoint(chunk.encodings) for chunk in chunks)

    @cached_property
    def _without_arrow_schema(self) -> pq.FileMetaData:
        """The footer without the Arrow types that its writer noted: of a column noted as a dictionary pyarrow makes
        one, requested or not, and fails if it cannot."""
        return metadata_of(without_arrow_schema(self._mended or read_footer(self.file)))

    def _buffer_size(self, piece: Piece) -> int:
        """0 reads a column of a row group in one go, the fastest; large row groups are read as a stream."""
        largest = max((self.metadata.row_group(group).total_byte_size for group in piece.groups), default=0)
        return _STREAMED if largest > _LARGE else 0

    def _check_footer(self) -> None:
        """Numbers in the footer that no honest file has.

        Only of row groups: asking pyarrow for a column chunk's statistics ends the process where they are damaged (an
        exception that its binding does not catch). Chunks that lie are found out when they are read.

        So pyarrow is never asked for them: of a float whose least value has three bytes, pyarrow 26 aborts with
        "Unexpected end of stream". `statistics/row_groups.py` reads their bytes, to leave out what no filter keeps.
        The range of a column is taken from a sample's rows until all are read.
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
            raise damaged(what, f"its footer declares {self.num_rows:,} rows and its row groups {sum(counts):,}")
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


def _leaves(schema: pa.Schema) -> list[range]:
    """The Parquet columns of each field."""
    ends = accumulate((_leaf_count(field.type) for field in schema), initial=0)
    return [range(first, last) for first, last in pairwise(ends)]


def _leaf_count(type_: pa.DataType) -> int:
    """How many Parquet columns an Arrow type is stored in."""
    type_ = storage_type(type_)
    if pt.is_dictionary(type_):
        return _leaf_count(type_.value_type)
    if not pt.is_nested(type_):
        return 1
    return sum(_leaf_count(type_.field(child).type) for child in range(type_.num_fields))
