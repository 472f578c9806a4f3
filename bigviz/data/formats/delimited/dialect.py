"""How a delimited text is written: what cuts its cells, what quotes them, whether its first line holds names."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bigviz.common.did_you_mean import listing
from bigviz.common.errors import BadInput
from bigviz.data.formats.delimited.text import CsvText, first_line_end
from bigviz.data.formats.delimited.tokenizer import COMMENTS, CsvFault, Sniffed, Tokenizer
from bigviz.data.formats.delimited.typed_column import NULL_WORDS

__all__ = ["CsvOptions", "Dialect", "dialect_of", "names_of"]

_MARKS: Final = {",": 4, "\t": 3, ";": 2, "|": 1}
_WORDS: Final = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars", " ": "spaces"}
_GIVEN: Final = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "bar": "|", "pipe": "|", "space": " "}
_MOST_LETTERS: Final = 60
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_COMMAS: Final = re.compile(r"(?<![\d,.])\d+(?:,\d+)+(?![\d,])")
_THOUSANDS: Final = re.compile(r"[1-9]\d{0,2}(,\d{3})+")
_NUMERIC: Final = frozenset({"BIGINT", "HUGEINT", "DOUBLE"})


@dataclass(frozen=True)
class CsvOptions:
    """What the caller says about a CSV file; None where bigviz finds out."""

    header: bool | None = None
    delimiter: str | None = None

    def __post_init__(self) -> None:
        if self.header is not None and not isinstance(self.header, bool):
            raise BadInput(f"header is True, False or None, got {self.header!r}.", "header", self.header)
        if self.delimiter is None:
            return
        mark = _GIVEN.get(self.delimiter, self.delimiter) if isinstance(self.delimiter, str) else ""
        if len(mark) != 1 or not mark.isascii() or mark in '"\r\n\0':
            raise BadInput(
                "delimiter is one ASCII character that is no quote and no line end, such as ; or tab, "
                f"got {self.delimiter!r}.",
                "delimiter",
                self.delimiter,
            )
        object.__setattr__(self, "delimiter", mark)

    @property
    def given(self) -> bool:
        """Whether anything is said."""
        return self.header is not None or self.delimiter is not None


@dataclass(frozen=True)
class Dialect:
    """`skip` lines are left out at the top, of which `comments` are comments.

    `guesses` are DuckDB's names of the columns' types in a sample, with the notations of dates and stamps it found.
    """

    delimiter: str
    quote: str
    escape: str
    comment: str
    skip: int
    comments: int
    header: bool
    decimal: str
    guesses: tuple[str, ...]
    date_format: str | None
    stamp_format: str | None
    line_end: dict[str, object]

    @property
    def reading(self) -> dict[str, object]:
        """The options for `Tokenizer.cells`."""
        return {
            "delim": self.delimiter,
            "quote": self.quote,
            "escape": self.escape,
            "comment": self.comment,
            "skip": self.skip,
            "header": self.header,
            **self.line_end,
        }

    def in_words(self, names: Sequence[str]) -> str:
        """One clause: how cells are cut, and what was taken for names."""
        cells = f"cells are separated by {_WORDS.get(self.delimiter, repr(self.delimiter))}"
        if len(names) == 1:
            cells = "it is one column"
        if self.quote not in ("", '"'):
            cells += f", quoted with {self.quote}"
        if self.decimal == ",":
            cells += ", with decimal commas"
        if self.header:
            short = [name if len(name) <= _MOST_LETTERS else f"{name[:_MOST_LETTERS]}…" for name in names]
            return f"{cells}; line {self.skip + 1} holds the names {listing(short)}"
        line = "the first line" if not self.skip else f"line {self.skip + 1}"
        return f"{cells}; no line of names, {line} is a row"


def dialect_of(tokenizer: Tokenizer, text: CsvText, options: CsvOptions, quoting: bool, comment: str = "") -> Dialect:
    """The dialect: what `options` say, else what DuckDB finds, mended where it would lose a row or a separator.

    Without `quoting` quotes are letters like others. What follows a `comment` in a line is left out. Raises `CsvFault`
    where a line is too long or is not UTF-8, and where comments stand between the rows.
    """
    given: dict[str, object] = {"nullstr": list(NULL_WORDS), **_line_end(text)}
    if comment:
        given["comment"] = comment
    found, decimal = _sniffed(tokenizer, text, options, given)
    quote = (found.quote or '"') if quoting else ""
    skip, comments = found.skip, 0
    if found.comment and not comment:  # as an option it would cut cells that hold the letter as well
        comments = _comments_at_top(text, found.comment)
        if _only_at_top(text, found.comment, comments):
            skip = comments
        elif len(found.types) > 1:
            raise CsvFault(COMMENTS)
        else:
            comment = found.comment
    elif skip:
        comments = min(skip, _comments_at_top(text, "#"))
    return Dialect(
        delimiter=found.delimiter,
        quote=quote,
        escape=found.escape or quote if quoting else "",
        comment=comment,
        skip=skip,
        comments=comments,
        header=found.header,
        decimal=decimal,
        guesses=found.types,
        date_format=found.date_format,
        stamp_format=found.stamp_format,
        line_end=_line_end(text),
    )


def _sniffed(tokenizer: Tokenizer, text: CsvText, options: CsvOptions, given: dict[str, object]) -> tuple[Sniffed, str]:
    """What the sniffer finds, and the decimal mark.

    DuckDB takes a comma for a separator where it is a decimal mark, skips lines to make the others fit, and sees one
    column where a line is too short. So other separators are asked for as well, and the best answer is taken.
    """
    if options.header is not None:
        given = {**given, "header": options.header}
    marks = list(_MARKS) if options.delimiter is None else [options.delimiter]
    answers = [] if options.delimiter else _ask(tokenizer, given)
    head = text.head().decode(errors="replace")
    if not answers or answers[0][0].skip or len(answers[0][0].types) == 1 or ";" in head:
        for mark in marks:
            if mark in head:
                answers += _ask(tokenizer, {**given, "delim": mark}) + _ask(tokenizer, {**given, "delim": mark}, ",")
        if options.delimiter is None and answers and len(answers[0][0].types) == 1:
            spaced = _ask(tokenizer, {**given, "delim": " "})
            answers += [each for each in spaced if not each[0].skip and _NUMERIC.issuperset(each[0].types)]
    elif answers[0][0].delimiter != ",":
        answers += _ask(tokenizer, {**given, "delim": answers[0][0].delimiter}, ",")
    answers = [each for each in answers if _may_skip(each[0], head)]
    if not _has_decimal_commas(head):
        answers = [(found, decimal) for found, decimal in answers if decimal == "."]
    by_line = _by_first_line(head, options)
    if not answers or (len(by_line.types) > 1 and all(len(each.types) == 1 for each, _ in answers)):
        return by_line, "."
    return min(answers, key=lambda answer: _badness(answer[0], head))


def _line_end(text: CsvText) -> dict[str, object]:
    """The option for the first line end outside of quotes, which DuckDB also takes from within them."""
    end = first_line_end(text)
    return {} if end is None else {"new_line": end.replace("\r", "\\r").replace("\n", "\\n")}


def _ask(tokenizer: Tokenizer, options: dict[str, object], decimal: str = ".") -> list[tuple[Sniffed, str]]:
    if decimal == "," and options.get("delim") == ",":
        return []
    try:
        return [(tokenizer.sniff({**options, "decimal_separator": decimal}), decimal)]
    except CsvFault as fault:
        if fault.kind in ("dialect", "columns", "quote", "other"):
            return []
        raise


def _has_decimal_commas(head: str) -> bool:
    """Whether some comma between digits can be nothing else: 1,234 may be a thousand, but 0,5 and 1,23 may not."""
    return any(not _THOUSANDS.fullmatch(number) for number in _COMMAS.findall(head))


def _badness(found: Sniffed, head: str) -> tuple[bool, int, float]:
    """Lower is better: several columns, no line left out but comments, few columns of text."""
    left_out = [line for line in _lines(head)[: found.skip] if line.strip() and not line.lstrip().startswith("#")]
    return len(found.types) == 1, len(left_out), found.types.count("VARCHAR") / len(found.types)


def _may_skip(found: Sniffed, head: str) -> bool:
    """Whether the lines that are left out at the top can be a title: some row is left, and more lines of several cells
    than are left out (as many will do under a line of names). Else a row that is too long would make a table of its
    own."""
    lines = _lines(head)
    left = sum(bool(line.strip()) for line in lines[found.skip :])
    skipped = sum(found.delimiter in line for line in lines[: found.skip])
    return found.skip == 0 or (left > found.header and skipped < left + found.header)


def _by_first_line(head: str, options: CsvOptions) -> Sniffed:
    """The dialect that the first line alone suggests: lines that differ from it are reported when they are read."""
    line = next((line for line in _lines(head) if line), "")
    mark = options.delimiter or max(_MARKS, key=lambda each: (line.count(each), _MARKS[each]))
    cells = next(csv.reader([line], delimiter=mark), [""])
    header = not all(_NUMBER.fullmatch(cell.strip()) for cell in cells) if options.header is None else options.header
    return Sniffed(mark, '"', '"', "", 0, header, ("VARCHAR",) * max(1, len(cells)), None, None)


def _comments_at_top(text: CsvText, comment: str) -> int:
    """How many lines at the top are comments."""
    lines = _lines(text.head().decode(errors="replace"))
    return next((at for at, line in enumerate(lines) if not line.lstrip().startswith(comment)), len(lines))


def _only_at_top(text: CsvText, comment: str, count: int) -> bool:
    lines = _lines(text.head().decode(errors="replace"))
    return not any(line.lstrip().startswith(comment) for line in lines[count:])


def _lines(head: str) -> list[str]:
    """As `str.splitlines`, which also cuts at letters that are no line ends in a file."""
    return re.split(r"\r\n|\r|\n", head)


def names_of(cells: Sequence[str | None]) -> list[str]:
    """The cells of the line of names, unique: trimmed, f0, f1, ... where they are empty, x_1 for a second x."""
    names: dict[str, int] = {}
    for at, cell in enumerate(cells):
        name = free = (cell or "").strip() or f"f{at}"
        while free in names:
            names[name] += 1
            free = f"{name}_{names[name]}"
        names[free] = 0
    return list(names)
