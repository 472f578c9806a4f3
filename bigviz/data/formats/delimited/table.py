"""A delimited text to one Arrow table, or a sample of one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from bigviz.data.formats.delimited.dialect import CsvOptions, Dialect, dialect_of
from bigviz.data.formats.delimited.messages import assumptions, refusal
from bigviz.data.formats.delimited.rows import Expression, RowReader
from bigviz.data.formats.delimited.text import CsvText, Work, has_mixed_line_ends, one_line_end, without_comments
from bigviz.data.formats.delimited.tokenizer import SAMPLE_ROWS, CsvFault, SharedEngine, Tokenizer

__all__ = ["CsvTable", "read_table"]

_SPREAD: Final = 16
_SPREAD_BYTES: Final = 1 << 20
_REMEDIES: Final = {
    "long": "long lines",
    "quote": "no quotes",
    "ends": "line ends",
    "dialect": "line ends",
    "columns": "comments",
    "comments": "comments",
}


@dataclass(frozen=True)
class CsvTable:
    """`rows` is an estimate if the table is a sample; `assumed` says how the text was understood, a sentence each.

    More rows of the same text are cut as the `dialect` says; `parsers` say how columns of times in other notations than
    ISO's are read, None for other columns."""

    table: pa.Table
    rows: int
    assumed: tuple[str, ...]
    dialect: Dialect
    parsers: tuple[Expression | None, ...]


@dataclass
class _Attempt:
    """How the text is read; each remedy changes one thing, once."""

    text: CsvText
    shared: SharedEngine | None
    quote: str = '"'
    quoting: bool = True
    comment: str = ""
    long_lines: bool = False
    mended: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)


def read_table(
    text: CsvText, options: CsvOptions, work: Work, sample: bool = False, shared: SharedEngine | None = None
) -> CsvTable:
    """The whole text as a table, or what its first rows say of it.

    Text that breaks the rules is read too if it can only mean one thing, and `assumed` says so. Raises `Unreadable`
    with the line that does not fit, `TooLarge` or `Cancelled`.
    """
    with ExitStack() as copies:
        attempt = _Attempt(text, shared)
        while True:
            try:
                return _read(attempt, options, work, sample)
            except CsvFault as fault:
                copy = _mended(attempt, fault, work)
                if copy is None:
                    raise refusal(fault, attempt.text, attempt.quote, work.path) from fault
                attempt.text = copies.enter_context(copy)


def _read(attempt: _Attempt, options: CsvOptions, work: Work, sample: bool) -> CsvTable:
    with closing(Tokenizer(attempt.text, attempt.long_lines, attempt.shared)) as tokenizer:
        dialect = dialect_of(tokenizer, attempt.text, options, attempt.quoting, attempt.comment)
        attempt.quote = dialect.quote
        rows = RowReader(tokenizer, dialect, attempt.text.size, work)
        columns = rows.sample()
        sampled = columns[0].rows == SAMPLE_ROWS
        if sampled and not sample:
            columns, sampled = rows.all(columns), False
        elif not sampled:
            work.advance("reading", 1.0, columns[0].rows)
    table = pa.table([column.finish() for column in columns], names=[column.name for column in columns])
    count = _estimated_rows(attempt.text, table) if sampled else table.num_rows
    assumed = [*attempt.notes, *assumptions(attempt.text, dialect, columns, sampled)]
    parsers = tuple(rows.parser(at) if column.parsed else None for at, column in enumerate(columns))
    return CsvTable(table, count, tuple(assumed), dialect, parsers)


def _mended(attempt: _Attempt, fault: CsvFault, work: Work) -> AbstractContextManager[CsvText] | None:
    """Change the attempt so that this fault cannot come again; the text to go on with, None if nothing is left to
    change."""
    remedy = _REMEDIES.get(fault.kind, "")
    if remedy == "no quotes" and "line ends" not in attempt.mended and has_mixed_line_ends(attempt.text):
        remedy = "line ends"  # under which quotes do not pair up either
    if fault.kind == "columns" and "#" in fault.line and ("comments" in attempt.mended or fault.line[0] != "#"):
        remedy = "ends of lines"
    if not remedy or remedy in attempt.mended or (fault.kind == "columns" and "#" not in fault.line):
        return None
    attempt.mended.add(remedy)
    if remedy == "line ends":
        attempt.notes.append("its lines end in different ways, each of which was taken for an end")
        return one_line_end(attempt.text, '"', work)
    if remedy == "comments":
        attempt.notes.append("lines that begin with # were left out as comments")
        return without_comments(attempt.text, "#", attempt.quote, work)
    if remedy == "ends of lines":
        attempt.comment = "#"
    elif remedy == "no quotes":
        attempt.quoting = False
        attempt.notes.append("quotes do not pair up, so they were taken for letters")
    else:
        attempt.long_lines = True
    return _same(attempt.text)


@contextmanager
def _same(text: CsvText) -> Iterator[CsvText]:
    yield text


def _estimated_rows(text: CsvText, sample: pa.Table) -> int:
    """Rows by the line ends in blocks spread over the text, and by the line ends within the cells of the sample."""
    step = max(_SPREAD_BYTES, text.size // _SPREAD)
    blocks = [os.pread(text.descriptor, _SPREAD_BYTES, at) for at in range(0, text.size, step)]
    ends = sum(max(block.count(b"\n"), block.count(b"\r")) for block in blocks)
    within = sum(
        pc.sum(pc.count_substring(column, "\n")).as_py() or 0 for column in sample.columns if pt.is_string(column.type)
    )
    lines = ends / max(1, sum(map(len, blocks))) * text.size
    rows: float = max(sample.num_rows, lines / (1 + within / sample.num_rows))
    return int(rows)
