"""A growing CSV: its whole lines are rows; types are those of the first look."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

import pyarrow as pa
import pyarrow.types as pt

from bigviz.common.cancel import Cancel
from bigviz.common.errors import BadInput, Unreadable
from bigviz.common.memory import available_memory
from bigviz.common.progress import Progress
from bigviz.data.arrow_errors import reading
from bigviz.data.columns.arrow_arrays import admit_schema
from bigviz.data.columns.column import Unusable
from bigviz.data.following.growing_file import GrowingFile, GrowingInput
from bigviz.data.following.merged_chunks import MergedChunks
from bigviz.data.following.source import FollowedSource
from bigviz.data.following.typed_lines import LineReader
from bigviz.data.formats.csv import CsvSteps
from bigviz.data.formats.delimited.dialect import CsvOptions
from bigviz.data.formats.delimited.table import CsvTable, read_table
from bigviz.data.formats.delimited.text import PACKED, UTF16, CsvText, Work, physical_line, spooled
from bigviz.data.formats.delimited.tokenizer import CsvFault
from bigviz.data.formats.delimited.whole_lines import Lines
from bigviz.data.formats.file_part import Piece
from bigviz.data.limits import require_memory, require_rows

__all__ = ["GrowingCsv"]

_BLOCK: Final = 1 << 22
_AT_ONCE: Final = 64 << 20  # bytes that one look takes after the first
_LONGEST: Final = 1 << 23  # bytes of a line, as elsewhere
_PIECE: Final = 1 << 20


class GrowingCsv:
    """One file of delimited text in UTF-8. A line without its end waits, and so does one whose quoted cell is open.

    The first look takes all whole lines, finds out how they are written, and fixes the types. A column without a value
    becomes text. All rows are in memory, as those of other CSV files are.
    """

    def __init__(self, path: str, options: CsvOptions, progress: Progress) -> None:
        """Raises what `StableFile.at` does, and BadInput for text that is packed or in UTF-16."""
        self._input = GrowingInput(path)
        self._options = options
        self._advance = CsvSteps(self._input.name, 1, progress).of(self._input.file)
        self._reader: LineReader | None = None
        self._chunks = MergedChunks()
        self._assumed: tuple[str, ...] = ()
        self._line = 1  # the number of the next line
        self._told: list[str] = []
        self._names_alone = False
        self.more = False

    def look(self, cancel: Cancel) -> FollowedSource | None:
        """See `Growing`."""
        with self._input.open() as descriptor:
            size = self._input.size(descriptor, self.more)
            if size is None:
                return None
            before = self._chunks.num_rows
            end = self._first(descriptor, size, cancel) if self._reader is None else self._next(descriptor, size)
            file = self._input.take(descriptor, end)
        if self._reader is None or self._chunks.num_rows == before:
            return None
        part = _TablePart(file, self._chunks.table(self._reader.schema))
        return FollowedSource([part], {}, self._input.path, assumed=self._assumed)

    def take_told(self) -> list[str]:
        """See `Growing`."""
        told, self._told = self._told, []
        return told

    def why_nothing(self) -> str:
        """See `Growing`."""
        if self._names_alone:
            return "it holds a line of names alone, and types are taken from the first rows"
        return "it holds no whole line yet"

    def _first(self, descriptor: int, size: int, cancel: Cancel) -> int:
        """Read what is whole: where that ends, 0 where there is no row yet. Where a line does not fit, those before it
        say what the types are, and the next look goes on from there."""
        _require_plain(descriptor, self._input.path)
        whole, lines = _whole(descriptor, size)
        work = Work(self._input.path, available_memory() // 2, self._advance, cancel)
        end = whole
        while end:
            with reading(self._input.path, "CSV"), spooled(_blocks(descriptor, end), None, work) as text:
                try:
                    read = read_table(text, self._options, work)
                except Unreadable as error:
                    lines, end = _before(error, text)
                    continue
            if read.dialect.comment:
                raise BadInput(f"{self._input.path} has comments between its rows: it cannot be followed.", "follow")
            self._names_alone = not read.table.num_rows
            if self._names_alone:
                return 0
            self._begin(read)
            self._line += lines
            self.more = end < whole
            return end
        return 0

    def _begin(self, read: CsvTable) -> None:
        found = read.table.schema
        fields = [pa.field(each.name, pa.string()) if pt.is_null(each.type) else each for each in found]
        schema = admit_schema(pa.schema(fields))
        self._reader = LineReader(schema, read.dialect, read.parsers)
        self._chunks.add(read.table.cast(schema))
        name = self._input.path
        self._assumed = (f"{name} was read as CSV: {'; '.join(read.assumed)}.",)

    def _next(self, descriptor: int, size: int) -> int:
        """Read the whole lines after those that were read: where they end."""
        assert self._reader is not None
        start = self._input.end
        text = os.pread(descriptor, min(size - start, _AT_ONCE), start)
        whole = self._reader.lines.end(text)
        too_long = not whole and len(text) >= _LONGEST
        if too_long:
            whole = text.find(b"\n") + 1 or len(text)
            self._told.append(f"{self._input.name}: {_endless(self._line)}")
        elif whole:
            require_memory(2 * whole, f"What was written to {self._input.path}")
            table, told = self._reader.read(text[:whole], self._line)
            self._told += [f"{self._input.name}: {each}" for each in told]
            require_rows(self._chunks.num_rows + table.num_rows, self._input.path)
            self._chunks.add(table)
        self._line += text.count(b"\n", 0, whole)
        self.more = whole > 0 and (too_long or start + len(text) < size)
        return start + whole


class _TablePart:
    """The rows at one version, in memory."""

    def __init__(self, file: GrowingFile, table: pa.Table) -> None:
        self.file = file
        self.table = table
        self.schema: pa.Schema = table.schema
        self.unusable: dict[int, Unusable] = {}
        self.num_rows: int = table.num_rows
        self.digest = f"{file.inode} {file.size}".encode()
        self.pieces = tuple(Piece(at, min(_PIECE, self.num_rows - at)) for at in range(0, self.num_rows, _PIECE))

    def direct(self, index: int) -> pa.ChunkedArray:
        """The column."""
        return self.table.column(index)

    def arrays(self, index: int, piece: Piece) -> Iterator[pa.Array]:
        """See `Part`."""
        yield from self.table.column(index).slice(piece.start, piece.count).chunks


def _endless(line: int) -> str:
    most = f"{_LONGEST >> 20} MiB"
    return f"Line {line:,}, or a quoted cell that begins in it, does not end within {most}: it is left out."


def _require_plain(descriptor: int, path: str) -> None:
    head = os.pread(descriptor, 4, 0)
    packed = next((name for magic, name in PACKED.items() if head.startswith(magic)), None)
    how = f"is packed with {packed}" if packed else "is UTF-16" if head.startswith(tuple(UTF16)) else None
    if how is not None:
        raise BadInput(f"{path} {how}, and only plain text in UTF-8 is followed: serve it without --follow.", "follow")


def _before(error: Unreadable, text: CsvText) -> tuple[int, int]:
    """How many lines stand before one that has other cells than these, and their bytes. Raises the error where it is of
    another kind, or of the first row."""
    fault = error.__cause__
    if not isinstance(fault, CsvFault) or fault.kind != "columns" or not fault.record:
        raise error
    line, at = physical_line(text, '"', fault.record)
    if line <= 2 or at >= text.size:
        raise error
    return line - 1, at


def _whole(descriptor: int, size: int) -> tuple[int, int]:
    """Where the last whole line ends, and how many lines there are, before it is known what separates cells."""
    lines, end, count = Lines(), 0, 0
    rest = b""
    while end + len(rest) < size and (block := os.pread(descriptor, _BLOCK, end + len(rest))):
        rest += block
        whole = lines.end(rest)
        count += rest.count(b"\n", 0, whole)
        end, rest = end + whole, rest[whole:]
    return end, count


def _blocks(descriptor: int, end: int) -> Iterator[bytes]:
    at = 0
    while at < end:
        block = os.pread(descriptor, min(_BLOCK, end - at), at)
        if not block:
            return
        at += len(block)
        yield block
