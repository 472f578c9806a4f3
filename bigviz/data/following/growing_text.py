"""A growing text: its whole lines are rows, of types that were found once; a line without its end waits."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

import pyarrow as pa

from bigviz.common.cancel import Cancel
from bigviz.common.errors import BadInput
from bigviz.data.columns.column import Unusable
from bigviz.data.following.growing_file import GrowingFile, GrowingInput
from bigviz.data.following.merged_chunks import MergedChunks
from bigviz.data.following.source import FollowedSource
from bigviz.data.formats.delimited.text import PACKED, UTF16
from bigviz.data.formats.delimited.whole_lines import Lines
from bigviz.data.formats.file_part import Piece
from bigviz.data.limits import require_memory, require_rows

__all__ = ["AT_ONCE", "GrowingText", "Reader", "require_plain"]

AT_ONCE: Final = 64 << 20
"""Bytes that one look takes after the first."""

_LONGEST: Final = 1 << 23  # bytes of a line, as elsewhere
_PIECE: Final = 1 << 20


class Reader(Protocol):
    """Reads lines whose columns have their types."""

    schema: pa.Schema
    lines: Lines

    def read(self, text: bytes, line: int) -> tuple[pa.Table, list[str]]:
        """The rows of whole lines, of which the first is line `line` of its file; and what did not fit, a sentence
        each, at most a few."""


class GrowingText(ABC):
    """One file of text in UTF-8. The first look takes all whole lines. All rows are in memory, as those of other texts
    are."""

    def __init__(self, path: str) -> None:
        """Raises what `StableFile.at` does."""
        self._input = GrowingInput(path)
        self._reader: Reader | None = None
        self._chunks = MergedChunks()
        self._assumed: tuple[str, ...] = ()
        self._line = 1  # the number of the next line
        self._told: list[str] = []
        self._skipped = False  # whether the last look has left out a line because it did not end
        self.more = False
        self.seen: Mapping[str, Any] | None = None

    @abstractmethod
    def why_nothing(self) -> str:
        """See `Growing`."""

    @abstractmethod
    def _first(self, descriptor: int, size: int, cancel: Cancel) -> int:
        """Read what is whole, and say how lines are read from then on: where that ends, 0 where there is no row yet."""

    @property
    def opened_as(self) -> Sequence[int]:
        """See `Growing`."""
        return self._input.opened_as

    def look(self, cancel: Cancel) -> FollowedSource | None:
        """See `Growing`."""
        self.seen = None
        with self._input.open() as descriptor:
            size = self._input.size(descriptor, self.more)
            return None if size is None else self._read(descriptor, size, cancel)

    def replay(self, seen: Mapping[str, Any], opened_as: Sequence[int], cancel: Cancel) -> FollowedSource | None:
        """See `Growing`."""
        with self._input.open_for(seen["size"], opened_as) as descriptor:
            return self._read(descriptor, seen["size"], cancel)

    def _read(self, descriptor: int, size: int, cancel: Cancel) -> FollowedSource | None:
        """Read what is new in the first `size` bytes."""
        before, start, is_first = self._chunks.num_rows, self._input.end, self._reader is None
        end = self._first(descriptor, size, cancel) if is_first else self._next(descriptor, start, size)
        file = self._input.take(descriptor, end)
        if end > start:  # what was skipped depends on how much was there, and so do the types
            self.seen = {"size": size} if is_first or self._skipped else {"start": start, "size": end}
        if self._reader is None or self._chunks.num_rows == before:
            return None
        part = _TablePart(file, self._chunks.table(self._reader.schema))
        return FollowedSource([part], {}, self._input.path, assumed=self._assumed)

    def take_told(self) -> list[str]:
        """See `Growing`."""
        told, self._told = self._told, []
        return told

    def _next(self, descriptor: int, start: int, size: int) -> int:
        """Read the whole lines after the first `start` bytes, which were read: where they end."""
        assert self._reader is not None
        text = os.pread(descriptor, min(size - start, AT_ONCE), start)
        whole = self._reader.lines.end(text)
        too_long = self._skipped = not whole and len(text) >= _LONGEST
        if too_long:
            whole = text.find(b"\n") + 1 or len(text)
            self._told.append(f"{self._input.name}: {_endless(self._line)}")
        elif whole:
            require_memory(2 * whole, f"What was written to {self._input.path}")
            table, told = self._reader.read(text[:whole], self._line)
            self._told += [f"{self._input.name}: {each}" for each in told]
            require_rows(self._chunks.num_rows + table.num_rows, self._input.path)
            self._chunks.add(table)
        self._line += text.count(b"\n", 0, whole)
        self.more = whole > 0 and (too_long or start + len(text) < size)
        return start + whole


class _TablePart:
    """The rows at one version, in memory."""

    def __init__(self, file: GrowingFile, table: pa.Table) -> None:
        self.file = file
        self.table = table
        self.schema: pa.Schema = table.schema
        self.unusable: dict[int, Unusable] = {}
        self.num_rows: int = table.num_rows
        self.digest = f"{file.inode} {file.size}".encode()
        self.pieces = tuple(Piece(at, min(_PIECE, self.num_rows - at)) for at in range(0, self.num_rows, _PIECE))

    def direct(self, index: int) -> pa.ChunkedArray:
        """The column."""
        return self.table.column(index)

    def arrays(self, index: int, piece: Piece) -> Iterator[pa.Array]:
        """See `Part`."""
        yield from self.table.column(index).slice(piece.start, piece.count).chunks


def _endless(line: int) -> str:
    most = f"{_LONGEST >> 20} MiB"
    return f"Line {line:,}, or a quoted cell that begins in it, does not end within {most}: it is left out."


def require_plain(descriptor: int, path: str) -> None:
    """Raise BadInput for text that is packed or in UTF-16."""
    head = os.pread(descriptor, 4, 0)
    packed = next((name for magic, name in PACKED.items() if head.startswith(magic)), None)
    how = f"is packed with {packed}" if packed else "is UTF-16" if head.startswith(tuple(UTF16)) else None
    if how is not None:
        raise BadInput(f"{path} {how}, and only plain text in UTF-8 is followed: serve it without --follow.", "follow")
