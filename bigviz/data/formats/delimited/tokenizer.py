"""DuckDB as the reader of one CSV file: it finds the dialect and cuts the text into cells; bigviz types them.

The connection can open that one file and nothing else. Names of files and columns never become SQL: the file is a
descriptor, columns are numbered, everything else is a parameter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, cast

import pyarrow as pa

from bigviz.common.workers import usable_cores
from bigviz.data.formats.delimited.text import CsvText
from bigviz.data.formats.stable_file import StableFile

if TYPE_CHECKING:
    import duckdb

__all__ = ["COMMENTS", "SAMPLE_ROWS", "CsvFault", "SharedEngine", "Sniffed", "Tokenizer"]

SAMPLE_ROWS: Final = 20_480
_BATCH: Final = 1 << 16
_LINE, _LONG_LINE = 1 << 23, 1 << 28
"""Bytes of a line: first the few that lines have, then the most that is read at all."""

_THREADS: Final = 4
_MEMORY: Final = 1 << 29

_TYPES: Final = (
    *("NULL", "BOOLEAN", "BIGINT", "HUGEINT", "DOUBLE"),
    *("TIME", "DATE", "TIMESTAMP", "TIMESTAMPTZ", "VARCHAR"),
)
_NUMBER: Final = re.compile(r"Line: (\d+)")
_COLUMNS: Final = re.compile(r"Expected Number of Columns: (\d+) Found: (\d+)")
COMMENTS: Final = "comments between the rows"
_KINDS: Final = (
    (COMMENTS, "comments"),
    ("Expected Number of Columns", "columns"),
    ("unterminated quote", "quote"),
    ("invalid state", "ends"),
    ("not utf-8", "encoding"),
    ("Invalid unicode", "encoding"),
    ("Maximum line size", "long"),
    ("automatically detect", "dialect"),
    ("Out of Memory", "memory"),
    ("failed to allocate", "memory"),
)


class CsvFault(Exception):
    """What DuckDB refused: its `kind`, the record it was in (from 1 on, None if unknown) and its text.

    Kinds: comments (between rows), columns, quote, ends (of lines), encoding, long (a line), dialect, memory, other.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.kind = next((kind for words, kind in _KINDS if words in message), "other")
        number = _NUMBER.search(message)
        self.record = int(number[1]) if number else None
        columns = _COLUMNS.search(message)
        self.expected, self.found = (int(columns[1]), int(columns[2])) if columns else (0, 0)
        lines = message.splitlines()
        original = next((line for line in lines if line.startswith("Original Line: ")), "")
        self.line = original.removeprefix("Original Line: ").strip()
        self.reason = lines[0].split("Error: ", 1)[-1].rstrip(".") if lines else "no reason"


@dataclass(frozen=True)
class Sniffed:
    """What DuckDB's sniffer found; "" for no quote, escape or comment. `types` are its names of types."""

    delimiter: str
    quote: str
    escape: str
    comment: str
    skip: int
    header: bool
    types: tuple[str, ...]
    date_format: str | None
    stamp_format: str | None


class SharedEngine:
    """A DuckDB for files that are read one after the other, in one thread: one for each file would take 30 ms to make.

    The files are held open until it is closed, and it can open these and no others.
    """

    def __init__(self, files: Sequence[StableFile]) -> None:
        self._held = ExitStack()
        self.texts = {file: CsvText(self._held.enter_context(file.descriptor()), file.size) for file in files}
        self.connection = _connection([text.path for text in self.texts.values()], _MEMORY)
        self._held.callback(self.connection.close)

    def close(self) -> None:
        """Raises `Unreadable` if one of the files is not what it was when it was opened."""
        self._held.close()


class Tokenizer:
    """One CSV text, open in a DuckDB of its own, or in one that may open it. Not for several threads at a time."""

    def __init__(self, text: CsvText, long_lines: bool = False, shared: SharedEngine | None = None) -> None:
        self._path = text.path
        self._sizes = {"max_line_size": _LONG_LINE, "buffer_size": 2 * _LONG_LINE}
        if not long_lines:
            self._sizes = {"max_line_size": _LINE, "buffer_size": 4 * _LINE}
        self._own = shared is None or long_lines or text not in shared.texts.values()
        if shared is not None and not self._own:
            self._connection = shared.connection
        else:
            self._connection = _connection([text.path], _MEMORY + (8 * _LONG_LINE if long_lines else 0))

    def close(self) -> None:
        """End whatever runs."""
        if self._own:
            self._connection.interrupt()
            self._connection.close()

    def sniff(self, options: Mapping[str, object]) -> Sniffed:
        """The dialect, where `options` do not fix it. Raises `CsvFault`."""
        given = {**self._sizes, "sample_size": SAMPLE_ROWS, "auto_type_candidates": list(_TYPES), **options}
        with _faults():
            found = self._run("SELECT * FROM sniff_csv", given)
            row = dict(zip(found.columns, found.fetchall()[0], strict=True))
        quote, escape, comment = (_mark(row[name]) for name in ("Quote", "Escape", "Comment"))
        return Sniffed(
            row["Delimiter"],
            quote,
            escape,
            comment,
            int(row["SkipRows"]),
            bool(row["HasHeader"]),
            tuple(str(column["type"]) for column in row["Columns"]),
            row["DateFormat"],
            row["TimestampFormat"],
        )

    def cells(
        self,
        options: Mapping[str, object],
        columns: int,
        chosen: Sequence[tuple[str, Sequence[object]]],
        limit: int | None = None,
    ) -> Iterator[pa.RecordBatch]:
        """Rows as text, null where a cell is empty: the `chosen` expressions over the columns c0, c1, ..., each with
        its parameters.

        Rows come in the file's order, about 2^16 at a time. Raises `CsvFault` where the text does not fit the options.
        """
        types = {f"c{at}": "VARCHAR" for at in range(columns)}
        given = {**self._sizes, "auto_detect": False, "columns": types, **options}
        ending = "" if limit is None else f" LIMIT {limit:d}"
        expressions = ", ".join(f"{expression} AS e{at}" for at, (expression, _) in enumerate(chosen))
        if [expression for expression, _ in chosen] == list(types):
            expressions = "*"  # 10,000 of them take a second to parse
        values = [value for _, values in chosen for value in values]
        with _faults():
            reader = self._run(f"SELECT {expressions} FROM read_csv", given, ending, values).to_arrow_reader(_BATCH)
        while True:
            with _faults():
                batch = next(reader, None)
            if batch is None:
                return
            yield batch

    def _run(self, select: str, options: Mapping[str, object], ending: str = "", values: Sequence[object] = ()) -> Any:
        words = "".join(f", {name}=?" for name in options)
        return self._connection.sql(f"{select}(?{words}){ending}", params=[*values, self._path, *options.values()])


def _mark(found: str | None) -> str:
    return "" if found in ("(empty)", "\0", None) else str(found)


def _connection(paths: Sequence[str], memory: int) -> duckdb.DuckDBPyConnection:
    """A database in memory that may open these paths and nothing else: no other file, no network, no extension."""
    engine: Any = import_module("duckdb")  # 0.1 s and 40 MB that nothing but a CSV file needs
    connection = engine.connect(
        ":memory:",
        config={
            "threads": str(min(_THREADS, usable_cores())),
            "memory_limit": f"{memory >> 20}MiB",
            "temp_directory": "",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allow_community_extensions": "false",
            "allow_persistent_secrets": "false",
            "enable_external_file_cache": "false",
            "preserve_insertion_order": "true",
        },
    )
    for setting in (
        "SET TimeZone='UTC'",
        "SET enable_progress_bar=false",
        f"SET allowed_paths={list(paths)!r}",  # of the form /dev/fd/N
        "SET enable_external_access=false",
        "SET lock_configuration=true",
    ):
        connection.execute(setting)
    return cast("duckdb.DuckDBPyConnection", connection)


@contextmanager
def _faults() -> Iterator[None]:
    """Turn DuckDB's errors into `CsvFault`; pyarrow wraps those that come with a batch."""
    errors = (import_module("duckdb").Error, pa.ArrowException, OSError)
    try:
        yield
    except errors as error:
        raise CsvFault(str(error)) from error
