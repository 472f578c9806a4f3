"""CSV, read whole through pyarrow: its types are known only at the end."""

from __future__ import annotations

import codecs
import hashlib
import re
from collections.abc import Iterator
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv
import pyarrow.types as pt

from bigviz.common.errors import TooLarge
from bigviz.common.memory import available_memory
from bigviz.data.arrow_errors import reading
from bigviz.data.columns.arrow_arrays import admit_schema
from bigviz.data.formats.file_part import Piece
from bigviz.data.formats.sniff import not_utf8
from bigviz.data.formats.stable_file import StableFile
from bigviz.data.limits import gigabytes, require_memory, require_rows

__all__ = ["CsvPart"]

_PIECE = 1 << 20
_MARKS = {",": 4, "\t": 3, ";": 2, "|": 1}
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_PACKED = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bz2"}


class CsvPart:
    """One CSV file in UTF-8, with or without a line of names, perhaps packed with gzip, zstd or bzip2.

    The separator is the one of comma, tab, semicolon and bar that the first line has most of. Empty cells are null, in
    columns of text too.
    """

    def __init__(self, file: StableFile) -> None:
        self.file = file
        packed = next((name for magic, name in _PACKED.items() if file.ends(4)[0].startswith(magic)), None)
        if packed is None:
            require_memory(file.size, file.path)
        with reading(file.path, "CSV"):
            first = _first_line(file, packed)
            with file.open() as handle:
                stream = handle if packed is None else _Bounded(pa.CompressedInputStream(handle, packed), file.path)
                self.table = _read(stream, first)
        with reading(file.path, "CSV"):
            self.schema: pa.Schema = admit_schema(self.table.schema)
        if any(pt.is_binary(field.type) for field in self.schema):  # what pyarrow makes of text that is not UTF-8
            raise not_utf8(file.path)
        self.unusable: dict[int, str] = {}
        self.num_rows: int = self.table.num_rows
        require_rows(self.num_rows, file.path)
        self.digest = hashlib.sha256(b"".join(file.ends(1 << 16))).digest()
        self.pieces = tuple(
            Piece(start, min(_PIECE, self.num_rows - start)) for start in range(0, self.num_rows, _PIECE)
        )

    def direct(self, index: int) -> pa.ChunkedArray:
        return self.table.column(index)

    def arrays(self, index: int, piece: Piece) -> Iterator[pa.Array]:
        self.file.check()
        yield from self.table.column(index).slice(piece.start, piece.count).chunks


class _Bounded:
    """A packed stream that stops where memory would: a few kilobytes can unpack to any size."""

    def __init__(self, stream: pa.NativeFile, path: str) -> None:
        self.stream = stream
        self.path = path
        self.most = available_memory() // 2
        self.closed = False
        self._read = 0

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes; raises `TooLarge` once half of the free memory is unpacked."""
        chunk: bytes = self.stream.read(size)
        self._read += len(chunk)
        if self._read > self.most:
            raise TooLarge(
                f"{self.path} unpacks to more than {gigabytes(self.most)}, half of the memory that is free. "
                "Convert it to Parquet, which is read a column at a time.",
                got=self.path,
            )
        return chunk

    def close(self) -> None:
        self.closed = True
        self.stream.close()


def _first_line(file: StableFile, packed: str | None) -> str:
    with file.open() as handle:
        stream: IO[bytes] = handle if packed is None else pa.CompressedInputStream(handle, packed)
        head = stream.read(1 << 16)
    lines = head.removeprefix(codecs.BOM_UTF8).splitlines()
    return lines[0].decode(errors="replace") if lines else ""


def _read(stream: object, first: str) -> pa.Table:
    mark = max(_MARKS, key=lambda candidate: (first.count(candidate), _MARKS[candidate]))
    cells = [cell.strip().strip('"') for cell in first.split(mark)]
    nameless = all(_NUMBER.fullmatch(cell) for cell in cells)
    table = arrow_csv.read_csv(
        stream,
        read_options=arrow_csv.ReadOptions(autogenerate_column_names=nameless),
        parse_options=arrow_csv.ParseOptions(delimiter=mark, newlines_in_values=True),
    )
    columns = [_empty_is_null(column) for column in table.columns]
    return pa.table(columns, names=table.column_names)


def _empty_is_null(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if not pt.is_string(column.type):
        return column
    return pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)
