"""One CSV file of a dataset, read whole: its types are known only at the end."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator, Sequence

import pyarrow as pa

from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.errors import BadInput
from bigviz.common.memory import available_memory
from bigviz.common.progress import Progress, no_progress
from bigviz.data.arrow_errors import reading
from bigviz.data.columns.arrow_arrays import admit_schema
from bigviz.data.columns.column import Unusable
from bigviz.data.formats.delimited.dialect import CsvOptions
from bigviz.data.formats.delimited.table import read_table
from bigviz.data.formats.delimited.text import Work, csv_text
from bigviz.data.formats.delimited.tokenizer import SharedEngine
from bigviz.data.formats.file_part import Piece
from bigviz.data.formats.stable_file import StableFile
from bigviz.data.limits import require_rows

__all__ = ["CsvPart", "CsvSteps", "assumed_of", "require_csv"]

_PIECE = 1 << 20
_MOST_TOLD = 5


class CsvPart:
    """One CSV file in UTF-8 (or UTF-16 with a byte order mark), perhaps packed with gzip, zstd or bzip2.

    What separates and quotes its cells, whether its first line holds names, and its types are found out; `assumed` says
    how, as clauses without the file's name. Empty cells are null, in columns of text too. With `sample` only the first
    rows are read, if there are many: `missing_rows` is about how many more there are, else 0.
    """

    def __init__(
        self,
        file: StableFile,
        options: CsvOptions = CsvOptions(),  # noqa: B008
        progress: Progress = no_progress,
        cancel: Cancel = NEVER,
        sample: bool = False,
        shared: SharedEngine | None = None,
    ) -> None:
        self.file = file
        work = Work(file.path, available_memory() // 2, progress, cancel)
        held = None if shared is None else shared.texts[file]
        with reading(file.path, "CSV"), csv_text(file, work, held) as text:
            read = read_table(text, options, work, sample, shared)
            self.schema: pa.Schema = admit_schema(read.table.schema)
        self.table = read.table
        self.assumed = read.assumed
        self.unusable: dict[int, Unusable] = {}
        self.missing_rows = read.rows - read.table.num_rows
        self.num_rows: int = self.table.num_rows
        require_rows(self.num_rows, file.path)
        self.digest = hashlib.sha256(b"".join(file.ends(1 << 16))).digest()
        self.pieces = tuple(
            Piece(start, min(_PIECE, self.num_rows - start)) for start in range(0, self.num_rows, _PIECE)
        )

    def direct(self, index: int) -> pa.ChunkedArray:
        return self.table.column(index)

    def arrays(self, index: int, piece: Piece) -> Iterator[pa.Array]:
        self.file.check()
        yield from self.table.column(index).slice(piece.start, piece.count).chunks


class CsvSteps:
    """Reports to one `Progress` how far a table of `count` CSV files is read, by several threads at a time.

    A single file is reported by its name; several by the table's, as the share of them that is read.
    """

    def __init__(self, table: str, count: int, progress: Progress) -> None:
        self._table = table
        self._count = count
        self._progress = progress
        self._done: dict[str, tuple[float, int]] = {}
        self._lock = threading.Lock()

    def of(self, file: StableFile) -> Progress:
        """The progress of one of the files: called as `told(verb, done, rows)`."""

        def told(verb: str, done: float, rows: int) -> None:
            with self._lock:
                if self._count == 1:
                    self._progress(f"{verb} {os.path.basename(file.path)}", done, rows)
                elif verb == "reading":
                    self._done[file.path] = done, rows
                    share = sum(each for each, _ in self._done.values()) / self._count
                    self._progress(f"reading {self._table}", share, sum(each for _, each in self._done.values()))

        return told


def require_csv(options: CsvOptions, what: str) -> None:
    """Raise `BadInput` if options of CSV files are given for `what`, which is not one."""
    if options.given:
        field = "delimiter" if options.header is None else "header"
        got = getattr(options, field)
        raise BadInput(f"{field} is for CSV files only, not for {what}: leave it out.", field, got)


def assumed_of(parts: Sequence[CsvPart]) -> tuple[str, ...]:
    """One sentence for each group of files that were understood alike; it names the first of them."""
    ways: dict[tuple[str, ...], list[str]] = {}
    for part in parts:
        ways.setdefault(part.assumed, []).append(part.file.path)
    sentences = []
    for clauses, paths in list(ways.items())[:_MOST_TOLD]:
        more = f" and {len(paths) - 1:,} more files were" if len(paths) > 1 else " was"
        sentences.append(f"{paths[0]}{more} read as CSV: {'; '.join(clauses)}.")
    if len(ways) > _MOST_TOLD:
        sentences.append(f"{len(ways) - _MOST_TOLD:,} more kinds of CSV files were read in other ways.")
    return tuple(sentences)
