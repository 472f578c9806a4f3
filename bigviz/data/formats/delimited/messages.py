"""What is said of a delimited text: how it was understood, or why it was not."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

import pyarrow.types as pt

from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import BigvizError, TooLarge, Unreadable
from bigviz.data.formats.delimited.dialect import Dialect
from bigviz.data.formats.delimited.text import CsvText, physical_line
from bigviz.data.formats.delimited.tokenizer import CsvFault
from bigviz.data.formats.delimited.typed_column import TypedColumn

__all__ = ["assumptions", "not_utf8", "refusal"]

_MOST_TOLD = 3
_MOST_ECHOED = 60


def assumptions(text: CsvText, dialect: Dialect, columns: Sequence[TypedColumn], sampled: bool) -> Iterator[str]:
    """How the text was understood, one clause each: what was unpacked, how cells are cut, what was skipped, types."""
    if text.origin is not None and not text.origin.startswith("a copy"):
        yield f"it was {'decoded from UTF-16' if text.origin == 'UTF-16' else f'unpacked with {text.origin}'}"
    yield dialect.in_words([column.name for column in columns])
    if dialect.comments:
        yield f"{_lines(dialect.comments)} at the top {'is a comment' if dialect.comments == 1 else 'are comments'}"
    if dialect.comment:
        yield f"what follows {dialect.comment} is a comment"
    skipped = [line for line in text.head().splitlines()[dialect.comments : dialect.skip] if line.strip()]
    if skipped:
        first = echoed(skipped[0].decode(errors="replace"), _MOST_ECHOED)
        one = len(skipped) == 1
        yield (
            f"{_lines(len(skipped))} at the top {'does' if one else 'do'} not fit the others and "
            f"{'was' if one else 'were'} skipped: {first}"
        )
    if sampled:
        yield f"types are those of the first {columns[0].rows:,} rows"
    odd = [column for column in columns if column.first_text is not None and pt.is_string(column.type)]
    for column in odd[:_MOST_TOLD]:
        assert column.first_text is not None
        row, cell = column.first_text
        yield f"{echoed(column.name)} is text, since row {row + 1:,} holds {echoed(cell, _MOST_ECHOED)}"
    if len(odd) > _MOST_TOLD:
        yield f"{len(odd) - _MOST_TOLD:,} more columns are text for such a cell"


def refusal(fault: CsvFault, text: CsvText, quote: str, path: str) -> BigvizError:
    """The error for a text that cannot be read: what was found, on which line, and what to do."""
    line = None if fault.record is None else _line(fault, text, quote)
    place = "" if line is None else f"line {line:,}: "
    what = f"{place}{_found(fault)}"
    if fault.kind == "encoding":
        return not_utf8(path, line)
    if fault.kind == "memory":
        return TooLarge(f"{path} cannot be read as CSV: its lines need more memory than there is.", got=path)
    return Unreadable(f"{path} cannot be read as CSV: {what}. {_advice(fault)}", field="source", got=path)


def not_utf8(path: str, line: int | None = None) -> Unreadable:
    """The error for text in another encoding."""
    place = "" if line is None else f" from line {line:,} on"
    return Unreadable(
        f"{path} is not in UTF-8{place}. Convert it, for instance with: iconv -f LATIN1 -t UTF-8 < old.csv > new.csv",
        field="source",
        got=path,
    )


def _found(fault: CsvFault) -> str:
    if fault.kind == "columns":
        return f"Expected {fault.expected:,} columns, got {fault.found:,}: {echoed(fault.line, _MOST_ECHOED)}"
    if fault.kind == "quote":
        return f"a quoted cell does not end: {echoed(fault.line, _MOST_ECHOED)}"
    if fault.kind == "long":
        return "it is longer than 256 MB"
    return fault.reason


def _advice(fault: CsvFault) -> str:
    if fault.kind == "columns":
        return "Fix that line, or give the separator (--delimiter, delimiter=) if this one is wrong."
    if fault.kind == "quote":
        return 'Double the quotes within it ("") or close it.'
    if fault.kind == "long":
        return "Check that its lines end, or give the separator and quotes it is written with."
    return "Check it with a text editor, or write it again."


def _line(fault: CsvFault, text: CsvText, quote: str) -> int | None:
    """The line of the file on which the record begins; None if what is there is not what was refused."""
    assert fault.record is not None
    line, at = physical_line(text, quote, fault.record)
    if fault.kind == "columns" and fault.line:
        start = os.pread(text.descriptor, 4 * len(fault.line) + 4, at).decode(errors="replace")
        return line if start.removeprefix("\ufeff").lstrip("\r\n").startswith(fault.line[:20]) else None
    return line


def _lines(count: int) -> str:
    return "1 line" if count == 1 else f"{count:,} lines"
