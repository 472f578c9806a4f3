"""Lines of a text whose columns have their types already: what does not fit is null or left out, and told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, Final

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.types as pt

from bigviz.common.bounded_repr import echoed
from bigviz.data.formats.delimited.dialect import Dialect
from bigviz.data.formats.delimited.rows import Expression
from bigviz.data.formats.delimited.typed_column import cast_cells, cleaned
from bigviz.data.formats.delimited.whole_lines import Lines

__all__ = ["LineReader"]

_MOST_TOLD: Final = 5
_Fault = tuple[int, str]
"""Which of the rows, those that are left out included, and a clause that says why."""


class LineReader:
    """A line with more or fewer cells than columns is left out. A cell that is nothing of its column's type is null,
    and the other cells of its line are kept. Bytes that are no UTF-8 become the replacement character."""

    def __init__(self, schema: pa.Schema, dialect: Dialect, parsers: Sequence[Expression | None]) -> None:
        """`parsers` are those of `CsvTable`."""
        self.schema = schema
        self.lines = Lines(dialect.delimiter, dialect.quote, dialect.escape)
        self._decimal = dialect.decimal
        self._parsers = parsers
        self._cells = pc.ParseOptions(
            delimiter=dialect.delimiter,
            quote_char=dialect.quote or False,
            double_quote=True,
            escape_char=False if dialect.escape in ("", dialect.quote) else dialect.escape,
            newlines_in_values=True,
            ignore_empty_lines=len(schema) > 1,
        )

    def read(self, text: bytes, line: int) -> tuple[pa.Table, list[str]]:
        """The rows of whole lines, of which the first is line `line` of its file; and what did not fit, a sentence
        each, at most a few."""
        faults: list[_Fault] = []
        try:
            text.decode()
        except UnicodeDecodeError as error:
            faults.append((sum(start <= error.start for start in self.lines.starts(text)) - 1, "is not UTF-8"))
            text = text.decode(errors="replace").encode()
        cells, left_out = self._split(text)
        faults += left_out
        kept = _kept(cells.num_rows, {row for row, _ in left_out})
        columns = []
        for at, field in enumerate(self.schema):
            array, strange = self._typed(cells.column(at), at, field.type)
            columns.append(array)
            faults += [(kept[row], _of_cell(cells.column(at)[row].as_py(), field)) for row in strange]
        return pa.table(columns, schema=self.schema), self._told(text, line, faults)

    def _split(self, text: bytes) -> tuple[pa.Table, list[_Fault]]:
        left_out: list[_Fault] = []

        def skip(row: Any) -> str:
            many = "cell" if row.actual_columns == 1 else "cells"
            left_out.append((row.number - 1, f"has {row.actual_columns} {many}, not {row.expected_columns}"))
            return "skip"

        names = [f"c{at}" for at in range(len(self.schema))]
        self._cells.invalid_row_handler = skip
        # One block: of several, the numbers of rows would begin anew.
        reading = pc.ReadOptions(use_threads=False, column_names=names, block_size=len(text) + 1)
        converting = pc.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
            null_values=[""],
        )
        table = pc.read_csv(
            pa.BufferReader(text), read_options=reading, parse_options=self._cells, convert_options=converting
        )
        return table.combine_chunks(), left_out

    def _typed(self, column: pa.ChunkedArray, at: int, type_: pa.DataType) -> tuple[pa.Array, list[int]]:
        """A column in its type, and the rows of cells that are none of it."""
        texts = column.chunk(0) if column.num_chunks else pa.nulls(0, pa.string())
        if pt.is_string(type_):
            return texts, []
        bare, parser = cleaned(texts), self._parsers[at]
        if parser is None:
            return _fitted(bare, lambda cells: _cast(cells, type_, self._decimal), type_, 0)
        values = _parsed(texts, at, parser).cast(type_)
        strange = pa.compute.and_(pa.compute.is_null(values), pa.compute.is_valid(bare))
        return values, pa.compute.indices_nonzero(strange).to_pylist()

    def _told(self, text: bytes, line: int, faults: list[_Fault]) -> list[str]:
        if not faults:
            return []
        starts = list(self.lines.starts(text))
        clauses = dict(sorted(faults, reverse=True))
        told = []
        for at, clause in sorted(clauses.items())[:_MOST_TOLD]:
            before = text.count(b"\n", 0, starts[at])
            told.append(f"Line {line + before:,} {clause}.")
        more = len(clauses) - len(told)
        return [*told, f"{more:,} more lines do not fit either."] if more else told


def _kept(rows: int, left_out: set[int]) -> Sequence[int]:
    """The number among all rows of each one that was kept."""
    if not left_out:
        return range(rows)
    return [at for at in range(rows + len(left_out)) if at not in left_out]


def _of_cell(cell: str, field: pa.Field) -> str:
    return f"has {echoed(cell, 60)} in column {field.name!r}, which holds {field.type}: it is null there"


def _cast(cells: pa.Array, type_: pa.DataType, decimal: str) -> pa.Array | None:
    array = cast_cells(cells, type_, decimal)
    if array is None and pt.is_timestamp(type_):  # microseconds that are written with nine digits
        fine = cast_cells(cells, pa.timestamp("ns", type_.tz), decimal)
        array = None if fine is None else cast_cells(fine, type_, decimal)
    return array


def _fitted(
    cells: pa.Array, cast: Callable[[pa.Array], pa.Array | None], type_: pa.DataType, first: int
) -> tuple[pa.Array, list[int]]:
    """The cells in their type, and where those are that do not fit: halves are tried, so a few of many cost little."""
    array = cast(cells)
    if array is not None:
        return array, []
    if len(cells) == 1:
        return pa.nulls(1, type_), [first]
    half = len(cells) // 2
    low, strange = _fitted(cells.slice(0, half), cast, type_, first)
    high, more = _fitted(cells.slice(half), cast, type_, first + half)
    return pa.concat_arrays([low, high]), [*strange, *more]


def _parsed(texts: pa.Array, at: int, parser: Expression) -> pa.ChunkedArray:
    """Cells of times as DuckDB reads them in their notation; null where it cannot."""
    engine: Any = import_module("duckdb")  # 0.1 s and 40 MB that nothing but a CSV file needs
    expression, values = parser
    with engine.connect(":memory:", config={"enable_external_access": "false"}) as connection:
        connection.execute("SET TimeZone='UTC'")
        connection.register("lines", pa.table({f"c{at}": texts}))
        found = connection.sql(f"SELECT {expression} AS e FROM lines", params=list(values)).to_arrow_table()
    return found.column(0)
