"""CSV files as people, loggers and offices write them: generators of shapes, each with what it means."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

__all__ = ["REFUSED", "SHAPES", "Shape", "rows_of"]

ROWS = 40

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Shape:
    """`data` are the bytes, `names` and `rows` what they mean. `duckdb` is False where DuckDB reads something else."""

    data: bytes
    names: tuple[str, ...]
    rows: tuple[Row, ...]
    duckdb: bool = True


def rows_of(seed: int, count: int = ROWS) -> list[Row]:
    """Rows of an integer, a float and a word, the same for the same seed."""
    random = np.random.default_rng(seed)
    words = ["left", "right", "Köln", "a b", "x-y"]
    return [
        (int(random.integers(-1000, 1000)), float(np.round(random.normal(), 3)) + 0.5, words[random.integers(5)])
        for _ in range(count)
    ]


def _cell(value: Any, decimal: str = ".") -> str:
    if value is None:
        return ""
    return repr(value).replace(".", decimal) if isinstance(value, float) else str(value)


def _text(
    rows: list[Row],
    names: tuple[str, ...] | None = ("i", "f", "s"),
    mark: str = ",",
    end: str = "\n",
    decimal: str = ".",
    quote: str = "",
    last: bool = True,
) -> str:
    lines = [] if names is None else [mark.join(names)]
    for row in rows:
        cells = [_cell(value, decimal) for value in row]
        lines.append(mark.join(f"{quote}{cell}{quote}" for cell in cells))
    return end.join(lines) + (end if last else "")


def _shape(text: str, names: tuple[str, ...], rows: list[Row], encoding: str = "utf-8", duckdb: bool = True) -> Shape:
    return Shape(text.encode(encoding), names, tuple(rows), duckdb)


def _separated(mark: str, end: str = "\n", quote: str = "", last: bool = True) -> Shape:
    rows = rows_of(1)
    return _shape(_text(rows, mark=mark, end=end, quote=quote, last=last), ("i", "f", "s"), rows)


def _ints(seed: int, columns: int = 2) -> list[Row]:
    return [tuple(row) for row in np.random.default_rng(seed).integers(-99, 99, (ROWS, columns)).tolist()]


def _wrapped(before: str, after: str = "", duckdb: bool = True, names: tuple[str, ...] = ("x", "y")) -> Shape:
    rows = _ints(2)
    return _shape(before + _text(rows, names) + after, names, rows, duckdb=duckdb)


def _column(cells: list[str], values: list[Any], duckdb: bool = True) -> Shape:
    """A column of cells next to a counter."""
    text = "n,v\n" + "".join(f"{at},{cell}\n" for at, cell in enumerate(cells))
    return _shape(text, ("n", "v"), list(enumerate(values)), duckdb=duckdb)


def _late(first: str, last: str, values: tuple[Any, Any], duckdb: bool = True, count: int = 30_000) -> Shape:
    return _column([first] * count + [last], [values[0]] * count + [values[1]], duckdb)


def _commented() -> str:
    lines = _text(_ints(2), ("x", "y")).splitlines(keepends=True)
    return "".join([*lines[:10], "# the sensor was moved, and turned\n", *lines[10:]])


_DAY = datetime.date(2024, 5, 31)
_NOON = datetime.datetime(2024, 5, 31, 12, 0)
_UTC = datetime.UTC
_NAMELESS = ("f0", "f1")
_X_Y = ("x", "y")

_MAKERS: dict[str, Callable[[], Shape]] = {
    # separators, quotes and line ends
    "commas": lambda: _separated(","),
    "semicolons": lambda: _separated(";"),
    "tabs": lambda: _separated("\t"),
    "bars": lambda: _separated("|"),
    "commas, all quoted": lambda: _separated(",", quote='"'),
    "semicolons, all quoted": lambda: _separated(";", quote='"'),
    "single quotes": lambda: _separated(",", quote="'"),
    "CRLF": lambda: _separated(",", end="\r\n"),
    "CR": lambda: _separated(",", end="\r"),
    "no final line end": lambda: _separated(",", last=False),
    "CRLF without a final one": lambda: _separated(";", end="\r\n", last=False),
    "line ends mixed": lambda: _shape(
        "x,y\r\n1,2\n3,4\r\n5,6\n", _X_Y, [(1, 2), (3, 4), (5, 6)], duckdb=False
    ),
    "line ends mixed with quoted ones": lambda: _shape(
        'x,s\r\n1,"a\r\nb"\n3,"c\nd"\r\n', ("x", "s"), [(1, "a\r\nb"), (3, "c\nd")], duckdb=False
    ),
    "CRLF within cells": lambda: _column(['"a\r\nb"'] * ROWS, ["a\r\nb"] * ROWS),
    "CRLF within cells of lines that end in CRLF": lambda: _shape(
        'x,s\r\n1,"a\r\nb"\r\n2,"c\nd"\r\n3,"e\rf"\r\n', ("x", "s"), [(1, "a\r\nb"), (2, "c\nd"), (3, "e\rf")]
    ),
    "quotes doubled": lambda: _column(['"say ""a, b"""'] * ROWS, ['say "a, b"'] * ROWS),
    "quotes escaped": lambda: _column(['"say \\"a\\""'] * ROWS, ['say "a"'] * ROWS),
    "separators in quoted cells": lambda: _column(['"a, b; c\td|e"'] * ROWS, ["a, b; c\td|e"] * ROWS),
    "separators in quoted names": lambda: _shape(
        '"lon, deg";"lat, deg";v\n1;2;3\n4;5;6\n', ("lon, deg", "lat, deg", "v"), [(1, 2, 3), (4, 5, 6)]
    ),
    "quotes that begin late": lambda: _late("a", '"b\nc, ""d"""', ("a", 'b\nc, "d"'), duckdb=False),
    "quotes as inches": lambda: _column(['5"', '7"', "9"], ['5"', '7"', "9"]),
    "spaces after separators": lambda: _shape("x, y\n1, 2\n3, 4\n", _X_Y, [(1, 2), (3, 4)]),
    # encodings
    "a byte order mark": lambda: _wrapped("\ufeff"),
    "a byte order mark without names": lambda: _shape("\ufeff1,2\n3,4\n", _NAMELESS, [(1, 2), (3, 4)]),
    "UTF-16 with a mark": lambda: _shape(
        "\ufeff" + _text(rows_of(3)), ("i", "f", "s"), rows_of(3), "utf-16-le", duckdb=False
    ),
    "UTF-16, big end first": lambda: _shape(
        "\ufeff" + _text(rows_of(3)), ("i", "f", "s"), rows_of(3), "utf-16-be", duckdb=False
    ),
    "letters of four bytes": lambda: _column(["𝄞", "é", "漢"], ["𝄞", "é", "漢"]),
    # lines that are no rows
    "comments at the top": lambda: _wrapped("# logger 7\n# 2024\n"),
    "comments and cells with #": lambda: _shape("# top\nx,c\n1,#fff\n2,a#b\n", ("x", "c"), [(1, "#fff"), (2, "a#b")]),
    "a comment between rows": lambda: _shape(_commented(), _X_Y, _ints(2), duckdb=False),
    "comments after spaces": lambda: _wrapped("", "  # the end\n", duckdb=False),
    "comments after cells": lambda: _shape(
        "x;y\n1;2 # good\n3;4#5;6\n7;8\n", _X_Y, [(1, 2), (3, 4), (7, 8)], duckdb=False
    ),
    "a title of two cells": lambda: _shape(
        "Vendor\tA\nStart\t5\nx\ty\tz\n1\t2\t3\n4\t5\t6\n", ("x", "y", "z"), [(1, 2, 3), (4, 5, 6)]
    ),
    "a title over few rows": lambda: _wrapped("a\n\nb\n\nc\n\n", duckdb=False),
    "a title of one cell": lambda: _wrapped("Station 7\n"),
    "three lines of a title": lambda: _wrapped("Station 7\nserial 12\n\n"),
    "blank lines": lambda: _shape("x,y\n\n1,2\n\n\n3,4\n\n", _X_Y, [(1, 2), (3, 4)]),
    "blank lines at the top": lambda: _wrapped("\n\n"),
    "a comma at the end of rows": lambda: _shape("x,y\n1,2,\n3,4,\n", _X_Y, [(1, 2), (3, 4)]),
    "a comma at the end of all lines": lambda: _shape(
        "x,y,\n1,2,\n3,4,\n", ("x", "y", "f2"), [(1, 2, None), (3, 4, None)]
    ),
    # names
    "no names, numbers": lambda: _shape(_text(_ints(4), None), _NAMELESS, _ints(4)),
    "no names, stamps": lambda: _shape(
        "2024-05-31,2\n2024-06-01,4\n", _NAMELESS, [(_DAY, 2), (datetime.date(2024, 6, 1), 4)]
    ),
    "no names, an empty cell": lambda: _shape(",2\n3,4\n5,6\n", _NAMELESS, [(None, 2), (3, 4), (5, 6)]),
    "no names, words and numbers": lambda: _shape("left,1\nright,2\n", _NAMELESS, [("left", 1), ("right", 2)]),
    "years as names": lambda: _shape("2019,2020\n1.5,2\n4,5\n", _NAMELESS, [(2019.0, 2020), (1.5, 2), (4.0, 5)]),
    "names twice": lambda: _shape("x,x,y\n1,2,3\n4,5,6\n", ("x", "x_1", "y"), [(1, 2, 3), (4, 5, 6)]),
    "names that differ in capitals": lambda: _shape("x,X\n1,2\n3,4\n", ("x", "X"), [(1, 2), (3, 4)]),
    "a name that is empty": lambda: _shape(",x\n0,1.5\n1,2.5\n", ("f0", "x"), [(0, 1.5), (1, 2.5)]),
    "names that are SQL": lambda: _shape(
        "\"a\"\"; DROP TABLE t; --\",'%s',{0}\n1,2,3\n", ('a"; DROP TABLE t; --', "'%s'", "{0}"), [(1, 2, 3)]
    ),
    "names with line ends": lambda: _shape(
        '"x\r\n(m)",y\n1,2\n3,4\n', ("x\r\n(m)", "y"), [(1, 2), (3, 4)], duckdb=False
    ),
    "only names": lambda: _shape("x,y\n", _X_Y, []),
    "words alone": lambda: _shape("a,b\nc,d\ne,f\n", ("a", "b"), [("c", "d"), ("e", "f")]),
    "one column of numbers": lambda: _shape("x\n1\n2\n", ("x",), [(1,), (2,)]),
    "one column of words": lambda: _shape("s\nhello\nworld\n", ("s",), [("hello",), ("world",)]),
    "one column without a name": lambda: _shape("1\n2\n", ("f0",), [(1,), (2,)]),
    # cells
    "a cell of 3 MB": lambda: _column(['"' + "z" * 3_000_000 + '"', "b"], ["z" * 3_000_000, "b"]),
    "a cell of 9 MB": lambda: _column(["z" * 9_000_000, "b"], ["z" * 9_000_000, "b"]),
    "empty cells": lambda: _column(["1", "", "3"], [1, None, 3]),
    "empty cells of text": lambda: _column(["a", "", '""'], ["a", None, None]),
    "NA and a dash": lambda: _column(["NA", "1.5", "-", "2"], [None, 1.5, None, 2.0], duckdb=False),
    "NA among words": lambda: _column(["NA", "DE", "-"], ["NA", "DE", "-"]),
    "spaces around numbers": lambda: _column([" 1", "2 "], [1, 2]),
    "decimal commas": lambda: _shape("x;y\n1,5;2,5\n10,25;4,75\n", _X_Y, [(1.5, 2.5), (10.25, 4.75)], duckdb=False),
    "commas that may group thousands": lambda: _shape(
        "x;y\n1,234;2\n10,250;3\n", _X_Y, [("1,234", 2), ("10,250", 3)], duckdb=False
    ),
    "decimal commas of three digits": lambda: _shape(
        "x;y\n1,234;2\n0,250;3\n", _X_Y, [(1.234, 2), (0.25, 3)], duckdb=False
    ),
    "decimal commas without names": lambda: _shape("1,5;2\n2,5;3\n", _NAMELESS, [(1.5, 2), (2.5, 3)], duckdb=False),
    "beyond int64": lambda: _column(["18446744073709551615", "5"], [2**64 - 1, 5]),
    "beyond uint64": lambda: _column(["1" + "0" * 25, "5"], [Decimal(10**25), Decimal(5)]),
    "beyond 38 digits": lambda: _column(["9" * 45, "5"], [float("9" * 45), 5.0], duckdb=False),
    "zeros in front": lambda: _column(["007", "010"], [7, 10], duckdb=False),
    "exponents": lambda: _column(["1e3", "-2.5E-2"], [1000.0, -0.025]),
    "truth": lambda: _column(["true", "FALSE", ""], [True, False, None]),
    "dates": lambda: _column(["2024-05-31", ""], [_DAY, None]),
    "days first": lambda: _column(["31/05/2024", "30/05/2024"], [_DAY, datetime.date(2024, 5, 30)]),
    "days first, one missing": lambda: _column(["31/05/2024", "NA"], [_DAY, None], duckdb=False),
    "stamps": lambda: _column(["2024-05-31T12:00", "2024-05-31 12:00:00.0"], [_NOON, _NOON]),
    "stamps with slashes": lambda: _column(["2024/05/31 12:00"] * 2, [_NOON] * 2),
    "stamps in UTC": lambda: _column(["2024-05-31T12:00:00Z"] * 2, [_NOON.replace(tzinfo=_UTC)] * 2),
    "stamps with offsets": lambda: _column(["2024-05-31T14:00:00+02:00"] * 2, [_NOON.replace(tzinfo=_UTC)] * 2),
    "times of day": lambda: _column(["12:00:01", "13:30:00"], [datetime.time(12, 0, 1), datetime.time(13, 30)]),
    # what the first rows do not tell; DuckDB looks at 20,480 and rounds or cuts what comes later to their type
    "a fraction, late": lambda: _late("1", "1.5", (1.0, 1.5), duckdb=False),
    "an exponent, late": lambda: _late("1", "1e3", (1.0, 1000.0), duckdb=False),
    "a word, late": lambda: _late("1", "a", ("1", "a"), duckdb=False),
    "a large number, late": lambda: _late("1", str(2**64 - 1), (1, 2**64 - 1), duckdb=False),
    "a stamp, late": lambda: _late(
        "2024-05-31", "2024-05-31 12:00:00", (datetime.datetime(2024, 5, 31), _NOON), duckdb=False
    ),
    "a number after empty cells": lambda: _late("", "7", (None, 7), duckdb=False),
    "a zone, late": lambda: _late(
        "2024-05-31 12:00:00", "2024-05-31 12:00:00Z", ("2024-05-31 12:00:00", "2024-05-31 12:00:00Z"), duckdb=False
    ),
}  # fmt: skip

SHAPES = tuple(_MAKERS)


def shape(name: str) -> Shape:
    """The shape of that name."""
    return _MAKERS[name]()


REFUSED: dict[str, tuple[bytes, str]] = {
    "empty": (b"", r"empty \(0 bytes\)"),
    "a short row": (b"x,y\n1,2\n3\n", r"line 3: Expected 2 columns, got 1: '3'\. Fix that line"),
    "a long row": (b"x,y\n1,2\n3,4,5\n", r"line 3: Expected 2 columns, got 3: '3,4,5'"),
    "a short row, late": (b"x,y\n" + b"1,2\n" * 30_000 + b"5\n", r"line 30,002: Expected 2 columns, got 1"),
    "a short row after cells of lines": (b'x,y\n1,"a\nb\nc"\n2,3\n4\n', r"line 6: Expected 2 columns, got 1"),
    "a short row after CRLF in cells": (b'x,y\r\n1,"a\r\nb\r\nc"\r\n2,3\r\n4\r\n', r"line 6: Expected 2"),
    "a total at the end": (b"x,y\n" + b"1,2\n" * 50 + b"Total: 50\n", r"line 52: .*'Total: 50'"),
    "latin-1": ("x,s\n1,Köln\n".encode("latin-1"), r"not in UTF-8 from line 2 on.*iconv"),
    "latin-1, late": (b"x,s\n" + b"1,a\n" * 30_000 + "2,Köln\n".encode("latin-1"), r"not in UTF-8 from line 30,002 on"),
    "NUL": (b"x,y\n1,\0\n", "Line 2 of .* holds a NUL byte.*write that line again"),
    "UTF-16 without a mark": (
        "x,y\n1,2\n".encode("utf-16-be"),
        "Line 1 of .* NUL.*write UTF-16 with a byte order mark",
    ),
}
