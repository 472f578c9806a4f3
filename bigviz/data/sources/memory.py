"""Tables that are in memory already."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa

from bigviz.common.cancel import Cancel
from bigviz.common.progress import Progress, RowMeter
from bigviz.data.appending.growth import Growth
from bigviz.data.arrow_errors import reading
from bigviz.data.columns.arrow_arrays import admit_schema, aligned, grouped
from bigviz.data.columns.column import Unusable
from bigviz.data.formats.file_part import admitted
from bigviz.data.formats.stable_file import StableFile
from bigviz.data.limits import require_rows
from bigviz.data.sources.source import Sink

__all__ = ["MemorySource"]

_PIECE = 1 << 20


class MemorySource:
    """A `pyarrow.Table`. Its memory is shared, not copied, and must not be written to while the dataset lives."""

    def __init__(self, table: pa.Table, unusable: Mapping[int, Unusable] | None = None) -> None:
        require_rows(table.num_rows, "The table")
        with reading("The table", in_memory=True):
            self.schema: pa.Schema = admit_schema(table.schema)
        self.table = table
        self.unusable = {**_invalid(table), **(unusable or {})}
        self.num_rows: int = table.num_rows
        self.fingerprint = secrets.token_hex(16)
        self.files: tuple[StableFile, ...] = ()
        self.notes: tuple[str, ...] = ()
        self.assumed: tuple[str, ...] = ()
        self.estimated_rows: int | None = None
        self.growth: Growth | None = None

    def check(self) -> None:
        """Never raises: nobody can take the memory away."""

    def read(
        self, index: int, sink: Sink, progress: Progress, cancel: Cancel, wanted: np.ndarray | None = None
    ) -> None:
        name = self.schema.names[index]
        meter = RowMeter(f"reading {name}", self.num_rows, progress)
        start = 0
        for chunk in grouped(
            admitted(self.table.column(index).chunks, f"Column {name!r} of the table", in_memory=True)
        ):
            cancel.check()
            sink(start, chunk)
            start += len(chunk)
            meter.add(len(chunk))

    def chunks(self) -> list[tuple[int, int]]:
        return [(start, min(_PIECE, self.num_rows - start)) for start in range(0, self.num_rows, _PIECE)]

    def stream(self, number: int, indices: Sequence[int], cancel: Cancel) -> Iterator[list[pa.Array]]:
        yield from self.rows(number * _PIECE, (number + 1) * _PIECE, indices, cancel)

    def rows(self, start: int, stop: int, indices: Sequence[int], cancel: Cancel) -> Iterator[list[pa.Array]]:
        pieces = [self.table.column(index).slice(start, stop - start).chunks for index in indices]
        names = [f"Column {self.schema.names[index]!r} of the table" for index in indices]
        columns = [grouped(admitted(each, name, in_memory=True)) for each, name in zip(pieces, names, strict=True)]
        yield from aligned(columns, cancel)

    def statistics(self, start: int, stop: int, index: int) -> None:
        """Always None: nothing is known before the rows are looked at."""

    def direct(self, index: int) -> pa.ChunkedArray:
        return self.table.column(index)


def _invalid(table: pa.Table) -> dict[int, Unusable]:
    """The columns whose buffers do not fit their type, by position, and why; values are checked when they are read."""
    found: dict[int, Unusable] = {}
    for at, column in enumerate(table.columns):
        try:
            column.validate()
        except (ValueError, LookupError, pa.ArrowException) as error:
            found[at] = Unusable(f"does not hold what its type says: {error}")
    return found
