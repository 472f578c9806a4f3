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
from bigviz.data.following.growing_text import GrowingText, require_plain
from bigviz.data.following.typed_lines import LineReader
from bigviz.data.formats.csv import CsvSteps
from bigviz.data.formats.delimited.dialect import CsvOptions
from bigviz.data.formats.delimited.table import CsvTable, read_table
from bigviz.data.formats.delimited.text import CsvText, Work, physical_line, spooled
from bigviz.data.formats.delimited.tokenizer import CsvFault
from bigviz.data.formats.delimited.whole_lines import Lines

__all__ = ["GrowingCsv"]

_BLOCK: Final = 1 << 22


class GrowingCsv(GrowingText):
    """One file of delimited text in UTF-8. A line without its end waits, and so does one whose quoted cell is open.

    The first look takes all whole lines, finds out how they are written, and fixes the types. A column without a value
    becomes text. All rows are in memory, as those of other CSV files are.
    """

    def __init__(self, path: str, options: CsvOptions, progress: Progress) -> None:
        """Raises what `StableFile.at` does, and BadInput for text that is packed or in UTF-16."""
        super().__init__(path)
        self._options = options
        self._advance = CsvSteps(self._input.name, 1, progress).of(self._input.file)
        self._names_alone = False

    def why_nothing(self) -> str:
        """See `Growing`."""
        if self._names_alone:
            return "it holds a line of names alone, and types are taken from the first rows"
        return "it holds no whole line yet"

    def _first(self, descriptor: int, size: int, cancel: Cancel) -> int:
        """Read what is whole: where that ends, 0 where there is no row yet. Where a line does not fit, those before it
        say what the types are, and the next look goes on from there."""
        require_plain(descriptor, self._input.path)
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
    while (at := end + len(rest)) < size and (block := os.pread(descriptor, min(_BLOCK, size - at), at)):
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
