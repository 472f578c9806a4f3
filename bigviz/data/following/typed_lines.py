"""Lines of a text whose columns have their types already: what does not fit is null or left out, and told."""

from __future__ import annotations

from array import array as numbers
from collections.abc import Callable, Sequence
from importlib import import_module
from itertools import chain, islice
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as compute
import pyarrow.csv as pc
import pyarrow.types as pt

from bigviz.common.bounded_repr import echoed
from bigviz.data.formats.delimited.dialect import Dialect
from bigviz.data.formats.delimited.rows import Expression
from bigviz.data.formats.delimited.typed_column import cast_cells, cleaned
from bigviz.data.formats.delimited.whole_lines import Lines

__all__ = ["MOST_TOLD", "LineReader", "fitted", "of_cell"]

MOST_TOLD: Final = 5
"""Lines of one text that are told by themselves."""

_Faults = tuple[np.ndarray, list[str]]
"""Which of the rows, ascending and those that are left out included; and clauses that say why, of the first of them."""

_NUMBER: Final = r"(\d+[.,]?\d*|[.,]\d+)([eE][+-]?\d+)?"
_SHAPES: Final[tuple[tuple[Callable[[pa.DataType], bool], str], ...]] = (
    (pt.is_boolean, r"^(?i:true|false|0|1)$"),
    (pt.is_integer, r"^[+-]?(\d+|0[xX][0-9a-fA-F]+)$"),
    (pt.is_decimal, rf"^[+-]?{_NUMBER}$"),
    (pt.is_floating, rf"^[+-]?(?i:{_NUMBER}|inf|infinity|nan(\(\w*\))?)$"),
    (pt.is_temporal, r"^[+-]?\d[\d:.,TtZz+ /-]*$"),
)
"""How all cells of a type look; not all that look so can be one."""


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
        faults: list[_Faults] = []
        try:
            text.decode()
        except UnicodeDecodeError as error:
            faults.append(
                (np.array([sum(1 for _ in self.lines.starts(text[: error.start + 1])) - 1]), ["is not UTF-8"])
            )
            text = text.decode(errors="replace").encode()
        cells, left_out = self._split(text)
        faults.append(left_out)
        kept = _kept(cells.num_rows, left_out[0])
        columns = []
        for at, field in enumerate(self.schema):
            array, strange = self._typed(cells.column(at), at, field.type)
            columns.append(array)
            clauses = [of_cell(cells.column(at)[row].as_py(), field) for row in strange[:MOST_TOLD].tolist()]
            faults.append((kept[strange], clauses))
        return pa.table(columns, schema=self.schema), self._told(text, line, faults)

    def _split(self, text: bytes) -> tuple[pa.Table, _Faults]:
        left_out = numbers("q")
        clauses: list[str] = []

        def skip(row: Any) -> str:
            left_out.append(row.number - 1)
            if len(clauses) < MOST_TOLD:
                many = "cell" if row.actual_columns == 1 else "cells"
                clauses.append(f"has {row.actual_columns} {many}, not {row.expected_columns}")
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
        return table.combine_chunks(), (np.array(left_out, np.int64), clauses)

    def _typed(self, column: pa.ChunkedArray, at: int, type_: pa.DataType) -> tuple[pa.Array, np.ndarray]:
        """A column in its type, and the rows of cells that are none of it."""
        texts = column.chunk(0) if column.num_chunks else pa.nulls(0, pa.string())
        if pt.is_string(type_):
            return texts, np.empty(0, np.int64)
        bare, parser = cleaned(texts), self._parsers[at]
        if parser is None:
            return fitted(bare, type_, self._decimal)
        values = _parsed(texts, at, parser).cast(type_)
        return values, _rows_of(compute.and_(compute.is_null(values), compute.is_valid(bare)))

    def _told(self, text: bytes, line: int, faults: list[_Faults]) -> list[str]:
        rows = np.unique(np.concatenate([rows for rows, _ in faults]))
        if not len(rows):
            return []
        said = (zip(some[:MOST_TOLD].tolist(), clauses, strict=True) for some, clauses in faults)
        clause = dict(sorted(chain.from_iterable(said), reverse=True))
        first = rows[:MOST_TOLD].tolist()  # each is among the first of every kind of fault that it has
        starts = list(islice(self.lines.starts(text), first[-1] + 1))
        lines = [line + text.count(b"\n", 0, starts[at]) for at in first]
        told = [f"Line {number:,} {clause[at]}." for number, at in zip(lines, first, strict=True)]
        more = len(rows) - len(told)
        return [*told, f"{more:,} more lines do not fit either."] if more else told


def _kept(rows: int, left_out: np.ndarray) -> np.ndarray:
    """The number among all rows of each one that was kept."""
    return np.delete(np.arange(rows + len(left_out)), left_out)


def _rows_of(mask: pa.Array) -> np.ndarray:
    return np.asarray(compute.indices_nonzero(mask)).astype(np.int64)


def of_cell(cell: str, field: pa.Field) -> str:
    """A clause on a cell that does not fit its column."""
    return f"has {echoed(cell, 60)} in column {field.name!r}, which holds {field.type}: it is null there"


def _cast(cells: pa.Array, type_: pa.DataType, decimal: str) -> pa.Array | None:
    array = cast_cells(cells, type_, decimal)
    if array is None and pt.is_timestamp(type_):  # microseconds that are written with nine digits
        fine = cast_cells(cells, pa.timestamp("ns", type_.tz), decimal)
        array = None if fine is None else cast_cells(fine, type_, decimal)
    return array


def fitted(cells: pa.Array, type_: pa.DataType, decimal: str = ".") -> tuple[pa.Array, np.ndarray]:
    """Cells without spaces around them in their type, and where those are that do not fit. Most of these are known by
    how they look: to try each would take 0.1 ms."""

    def cast(cells: pa.Array) -> pa.Array | None:
        return _cast(cells, type_, decimal)

    array = cast(cells)
    if array is not None:
        return array, np.empty(0, np.int64)
    alike = compute.match_substring_regex(cells, next(shape for is_one, shape in _SHAPES if is_one(type_)))
    array, strange = _tried(compute.if_else(alike, cells, pa.scalar(None, cells.type)), cast, type_, 0)
    return array, np.union1d(_rows_of(compute.invert(alike)), np.array(strange, np.int64))


def _tried(
    cells: pa.Array, cast: Callable[[pa.Array], pa.Array | None], type_: pa.DataType, first: int
) -> tuple[pa.Array, list[int]]:
    """The same by trying halves, so a few of many cost little."""
    array = cast(cells)
    if array is not None:
        return array, []
    if len(cells) == 1:
        return pa.nulls(1, type_), [first]
    half = len(cells) // 2
    low, strange = _tried(cells.slice(0, half), cast, type_, first)
    high, more = _tried(cells.slice(half), cast, type_, first + half)
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
