"""Tables in partitions, each of which may be in another process's memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import pyarrow as pa

from bigviz.common.cancel import Cancel
from bigviz.common.progress import Progress, RowMeter
from bigviz.data.appending.growth import Growth
from bigviz.data.columns.arrow_arrays import admit_schema, aligned, grouped
from bigviz.data.columns.column import Unusable
from bigviz.data.formats.file_part import admitted
from bigviz.data.formats.stable_file import StableFile
from bigviz.data.limits import require_rows
from bigviz.data.sources.source import Sink

__all__ = ["HeldPartition", "Partition", "PartitionsSource", "Span", "spans_of"]

Span = tuple[int, int]
"""Rows of a partition: from the first number to the second, exclusive."""

_PIECE: Final = 1 << 20
_BLOCK: Final = 64  # rows that are read together where some of them are wanted
_HEAD: Final = 1 << 16  # and where only one row is


class Partition(Protocol):
    """Neighbouring rows of a table, in the table's types."""

    @property
    def rows(self) -> int: ...

    def columns(self, indices: Sequence[int], spans: Sequence[Span], cancel: Cancel) -> pa.Table:
        """Some columns of the rows of all `spans`, one after the other. Raises Unreadable and Cancelled."""
        ...

    def direct(self, index: int) -> pa.ChunkedArray | None:
        """A column that is in this process's memory, else None."""
        ...


@dataclass(frozen=True)
class HeldPartition:
    """One in this process's memory."""

    table: pa.Table

    @property
    def rows(self) -> int:
        return int(self.table.num_rows)

    def columns(self, indices: Sequence[int], spans: Sequence[Span], cancel: Cancel) -> pa.Table:
        return spans_of(self.table, indices, spans)

    def direct(self, index: int) -> pa.ChunkedArray | None:
        return self.table.column(index)


def spans_of(table: pa.Table, indices: Sequence[int], spans: Sequence[Span]) -> pa.Table:
    """Some columns of the rows of all spans."""
    chosen = table.select(list(indices))
    return pa.concat_tables([chosen.slice(first, stop - first) for first, stop in spans])


class PartitionsSource:
    """See `Source`: the rows of `partitions`, none of which is empty, one after the other under one schema."""

    def __init__(
        self,
        partitions: Sequence[Partition],
        schema: pa.Schema,
        unusable: Mapping[int, Unusable],
        fingerprint: str,
        notes: Sequence[str] = (),
    ) -> None:
        self.partitions = tuple(partitions)
        self.schema: pa.Schema = admit_schema(schema)
        self.unusable = unusable
        self.starts = np.cumsum([0, *(each.rows for each in self.partitions)], dtype=np.int64).tolist()
        self.num_rows: int = self.starts[-1]
        require_rows(self.num_rows, "The table")
        self.fingerprint = fingerprint
        self.files: tuple[StableFile, ...] = ()
        self.notes = tuple(notes)
        self.assumed: tuple[str, ...] = ()
        self.estimated_rows: int | None = None
        self.growth: Growth | None = None
        self.offset = 0

    def slice(self, first: int, stop: int) -> PartitionsSource:
        """The partitions `first` to `stop` (exclusive) as a source of their own, whose row 0 is row `offset` here."""
        name = hashlib.sha256(f"{self.fingerprint} {first} {stop}".encode()).hexdigest()
        found = PartitionsSource(self.partitions[first:stop], self.schema, self.unusable, name)
        found.offset = self.starts[first]
        return found

    def check(self) -> None:
        """Never raises: partitions do not change."""

    def read(
        self, index: int, sink: Sink, progress: Progress, cancel: Cancel, wanted: np.ndarray | None = None
    ) -> None:
        meter = RowMeter(f"reading {self.schema.names[index]}", self.num_rows, progress)
        for start, partition in zip(self.starts, self.partitions, strict=False):
            spans = _pieces(partition.rows) if wanted is None else _around(wanted - start, partition.rows)
            for group in [[each] for each in spans] if wanted is None else [spans] if spans else []:
                cancel.check()
                table = partition.columns([index], group, cancel)
                at = 0
                for first, stop in group:
                    column = table.column(0).slice(at, stop - first)
                    at += stop - first
                    for chunk in self._checked(column, index):
                        sink(start + first, chunk)
                        first += len(chunk)
                    meter.add(len(column))

    def chunks(self) -> list[tuple[int, int]]:
        return [(start, partition.rows) for start, partition in zip(self.starts, self.partitions, strict=False)]

    def stream(self, number: int, indices: Sequence[int], cancel: Cancel) -> Iterator[list[pa.Array]]:
        yield from self.rows(self.starts[number], self.starts[number + 1], indices, cancel)

    def rows(self, start: int, stop: int, indices: Sequence[int], cancel: Cancel) -> Iterator[list[pa.Array]]:
        for begun, partition in zip(self.starts, self.partitions, strict=False):
            low, high = max(start - begun, 0), min(stop - begun, partition.rows)
            for first in range(low, high, _PIECE):
                table = partition.columns(indices, [(first, min(first + _PIECE, high))], cancel)
                columns = [self._checked(each, at) for each, at in zip(table.columns, indices, strict=True)]
                yield from aligned(columns, cancel)

    def statistics(self, start: int, stop: int, index: int) -> None:
        """Always None: nothing is known before the rows are looked at."""

    def direct(self, index: int) -> pa.ChunkedArray | None:
        found = [partition.direct(index) for partition in self.partitions]
        if any(each is None for each in found):
            return None
        chunks = [chunk for each in found if each is not None for chunk in each.chunks]
        return pa.chunked_array(chunks, self.schema.field(index).type)

    def _checked(self, column: pa.ChunkedArray, index: int) -> Iterator[pa.Array]:
        name = self.schema.names[index]
        return grouped(admitted(column.chunks, f"Column {name!r} of the table", in_memory=True))


def _pieces(rows: int) -> list[Span]:
    return [(first, min(first + _PIECE, rows)) for first in range(0, rows, _PIECE)]


def _around(wanted: np.ndarray, rows: int) -> list[Span]:
    """Blocks of a partition that hold wanted rows, sorted, of which others may be beside it."""
    inside = wanted[np.searchsorted(wanted, 0) : np.searchsorted(wanted, rows)]
    if not len(inside):
        return []
    size = _HEAD if len(wanted) == 1 else _BLOCK
    blocks = np.unique(inside // size)
    breaks = np.flatnonzero(np.diff(blocks) > 1)
    firsts, lasts = blocks[[0, *(breaks + 1)]], blocks[[*breaks, len(blocks) - 1]]
    return [(int(first) * size, min(int(last + 1) * size, rows)) for first, last in zip(firsts, lasts, strict=True)]
