"""The rows of a delimited text to typed columns, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from bigviz.common.errors import TooLarge
from bigviz.common.memory import available_memory
from bigviz.data.formats.delimited.dialect import Dialect, names_of
from bigviz.data.formats.delimited.text import Work
from bigviz.data.formats.delimited.tokenizer import SAMPLE_ROWS, Tokenizer
from bigviz.data.formats.delimited.typed_column import TypedColumn, cleaned
from bigviz.data.limits import gigabytes

__all__ = ["Expression", "RowReader"]

Expression = tuple[str, Sequence[object]]
"""SQL over the columns c0, c1, ..., and the values of its parameters."""

_TIME_MARKS: Final = "[-/.:]"
_PARSERS: Final = {
    "TIMESTAMP": "TRY_CAST({cell} AS TIMESTAMP)",
    "TIMESTAMP WITH TIME ZONE": "TRY_CAST({cell} AS TIMESTAMPTZ)",
    "TIME": "TRY_CAST({cell} AS TIME)",
}


class RowReader:
    """Reads one text of a known dialect. `size` is the text's, in bytes."""

    def __init__(self, tokenizer: Tokenizer, dialect: Dialect, size: int, work: Work) -> None:
        self._tokenizer = tokenizer
        self._dialect = dialect
        self._size = size
        self._work = work
        self._read = 0
        self._verb = "reading"
        self._names: list[str | None] | None = None

    def sample(self) -> list[TypedColumn]:
        """The first rows, at most `SAMPLE_ROWS`, under their names."""
        count = len(self._dialect.guesses)
        columns = [TypedColumn("", self._dialect.decimal, hint=guess) for guess in self._dialect.guesses]
        self._fill(columns, SAMPLE_ROWS)
        for name, column in zip(names_of(self._names or [None] * count), columns, strict=True):
            column.name = name
        for at, column in enumerate(columns):
            if pt.is_string(column.type) and self.parser(at) and _like_times(column.finish()):
                parsed = TypedColumn(column.name, parsed=True)
                self._fill_chosen([parsed], [at], SAMPLE_ROWS)
                columns[at] = column if parsed.needs_text else parsed
        self._require_memory(sum(column.nbytes for column in columns) / max(1, self._read))
        return columns

    def all(self, sample: Sequence[TypedColumn]) -> list[TypedColumn]:
        """All rows, beginning with the types of the sample."""
        self._read = 0
        columns = [TypedColumn(each.name, self._dialect.decimal, each.type, each.parsed) for each in sample]
        self._fill(columns, None)
        for column, before in zip(columns, sample, strict=True):
            column.first_text = column.first_text or before.first_text
        return columns

    def _fill(self, columns: list[TypedColumn], limit: int | None) -> None:
        """Fill empty columns; those that turn out to be text are read a second time."""
        self._verb = "reading"
        self._fill_chosen(columns, range(len(columns)), limit)
        again = [at for at, column in enumerate(columns) if column.needs_text]
        if not again:
            return
        texts = [TypedColumn(columns[at].name, type_=pa.string()) for at in again]
        self._verb = "reading text of"
        self._fill_chosen(texts, again, limit)
        for at, column in zip(again, texts, strict=True):
            column.first_text = columns[at].first_text
            columns[at] = column

    def _fill_chosen(self, columns: Sequence[TypedColumn], numbers: Sequence[int], limit: int | None) -> None:
        chosen: list[Expression] = [(f"c{at}", ()) for at in numbers]
        parsed = [(column, at) for column, at in zip(columns, numbers, strict=True) if column.parsed]
        chosen += [parser for _, at in parsed if (parser := self.parser(at)) is not None]
        places = {id(column): len(columns) + at for at, (column, _) in enumerate(parsed)}
        self._read = 0
        free = available_memory()
        for batch in self._batches(chosen, limit):
            for at, column in enumerate(columns):
                values = batch.column(places[id(column)]) if column.parsed else None
                column.add(batch.column(at), values)
            if sum(column.nbytes for column in columns) > free * 3 // 4:
                raise self._too_large(f"more than {gigabytes(free * 3 // 4)}", free)

    def _batches(self, chosen: Sequence[Expression], limit: int | None) -> Iterator[pa.RecordBatch]:
        """The rows, at most `limit`: then the line of names is read as well, and kept."""
        options, first = self._dialect.reading, self._dialect.header and limit is not None
        if first and limit is not None:
            options, limit = {**options, "header": False}, limit + 1
        rows = 0
        for batch in self._tokenizer.cells(options, len(self._dialect.guesses), chosen, limit):
            self._work.cancel.check()
            self._read += sum(_text_bytes(column) for column in batch.columns) + batch.num_rows * batch.num_columns
            if first:
                self._names = self._names or [cell[0].as_py() for cell in batch.columns]
                batch, first = batch.slice(1), False
            rows += batch.num_rows
            if limit is None:
                self._work.advance(self._verb, min(1.0, self._read / max(1, self._size)), rows)
            yield batch
        if limit is None:
            self._work.advance(self._verb, 1.0, rows)

    def parser(self, at: int) -> Expression | None:
        """How DuckDB parses a column of times in another notation than ISO's; None if it found no times in it."""
        dialect, cell = self._dialect, f"c{at}"
        guess = dialect.guesses[at]
        if guess == "DATE":
            if dialect.date_format:
                return f"CAST(try_strptime({cell}, ?) AS DATE)", [dialect.date_format]
            return _PARSERS["TIMESTAMP"].format(cell=cell), ()
        if guess.startswith("TIMESTAMP") and dialect.stamp_format:
            return f"try_strptime({cell}, ?)", [dialect.stamp_format]
        parser = _PARSERS.get(guess)
        return None if parser is None else (parser.format(cell=cell), ())

    def _require_memory(self, density: float) -> None:
        """Raise `TooLarge` if the rows would not fit, at so many bytes of columns a byte of text."""
        free, needed = available_memory(), int(density * self._size)
        if needed > free * 3 // 4 and needed > 1 << 24:
            raise self._too_large(f"about {gigabytes(needed)}", free)

    def _too_large(self, needed: str, free: int) -> TooLarge:
        return TooLarge(
            f"{self._work.path} needs {needed} of memory and {gigabytes(free)} are free. "
            "Convert it to Parquet, which is read a column at a time.",
            got=self._work.path,
        )


def _like_times(cells: pa.ChunkedArray) -> bool:
    """Whether each cell has a mark that dates and times are written with: DuckDB takes "1 2 3" for a date as well."""
    return all(pc.all(pc.match_substring_regex(cleaned(chunk), _TIME_MARKS)).as_py() for chunk in cells.chunks)


def _text_bytes(array: pa.Array) -> int:
    if not pt.is_string(array.type) or len(array) == 0:
        return 0
    offsets = np.frombuffer(array.buffers()[1], np.int32, count=len(array) + 1, offset=4 * array.offset)
    return int(offsets[-1]) - int(offsets[0])
