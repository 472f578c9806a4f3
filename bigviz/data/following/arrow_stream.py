"""A growing Arrow IPC stream: its whole batches are rows, one that is being written waits."""

from __future__ import annotations

import os
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

import pyarrow as pa
import pyarrow.ipc as ipc

from bigviz.common.cancel import Cancel
from bigviz.common.disk.positioned_reader import PositionedReader
from bigviz.data.arrow_errors import reading
from bigviz.data.columns.arrow_arrays import admit_schema
from bigviz.data.columns.column import Unusable
from bigviz.data.following.growing_file import GrowingFile, GrowingInput
from bigviz.data.following.ipc_messages import BATCH, DICTIONARY, END, SCHEMA, Message, messages
from bigviz.data.following.outdated import Outdated
from bigviz.data.following.source import FollowedSource
from bigviz.data.formats.file_part import Part, Piece, counted, damaged, guarded
from bigviz.data.formats.geometry import PointsPart, geometries
from bigviz.data.sources.tasks import Task

__all__ = ["ArrowStream"]

_AT_ONCE: Final = 20_000  # messages that one look takes
_PIECE_ROWS: Final = 1 << 18
_PIECE_BYTES: Final = 64 << 20
_STREAM: Final = "an Arrow IPC stream"
_Range = tuple[int, int]


class ArrowStream:
    """One file that is a stream. Its end-of-stream marker ends it. Nothing is read beyond damage, which is told."""

    def __init__(self, path: str) -> None:
        """Raises what `StableFile.at` does."""
        self._input = GrowingInput(path)
        self._schema: pa.Schema | None = None
        self._batches = _Batches()
        self._told: list[str] = []
        self.more = False
        self.seen: Mapping[str, Any] | None = None
        self._ended = False
        self._damage = ""
        self._at = 0  # how far messages were taken
        self._given = -1  # batches of the last version

    @property
    def opened_as(self) -> Sequence[int]:
        """See `Growing`."""
        return self._input.opened_as

    def look(self, cancel: Cancel) -> FollowedSource | None:
        """See `Growing`."""
        self.seen = None
        with self._input.open() as descriptor:
            size = self._input.size(descriptor, self.more)
            return None if size is None or self._ended else self._read(descriptor, size, cancel, _AT_ONCE)

    def replay(self, seen: Mapping[str, Any], opened_as: Sequence[int], cancel: Cancel) -> FollowedSource | None:
        """See `Growing`."""
        with self._input.open_for(seen["size"], opened_as) as descriptor:
            return self._read(descriptor, seen["size"], cancel, seen["size"])

    def _read(self, descriptor: int, size: int, cancel: Cancel, most: int) -> FollowedSource | None:
        """Read what is new in the first `size` bytes, up to about so many messages."""
        start = self._input.end
        self._take(descriptor, size, cancel, most)
        file = self._input.take(descriptor, self._at)
        if self._at > start:
            self.seen = {"start": start, "size": self._at}
        if self._schema is None or len(self._batches) == self._given:
            return None
        self._given = len(self._batches)
        part: Part = _StreamPart(file, self._schema, self._batches)
        shaped = geometries(self._schema)
        source = FollowedSource([PointsPart(part, shaped) if shaped else part], {}, self._input.path)
        source.narrowed = self._batches.narrowed
        return source

    def take_told(self) -> list[str]:
        """See `Growing`."""
        told, self._told = self._told, []
        return told

    def why_nothing(self) -> str:
        """See `Growing`."""
        return self._told[0] if self._told else "its schema is not written yet"

    def _take(self, descriptor: int, size: int, cancel: Cancel, most: int) -> None:
        """Take the messages that are whole. What was taken before an error, or before this is cancelled, stays so."""
        self.more = False
        try:
            for number, message in enumerate(messages(partial(_bytes, descriptor), self._at, size)):
                cancel.check()
                self._add(descriptor, message)
                self._at = message.stop
                if self._ended:
                    break
                if number >= most:
                    self.more = True
                    break
        except ValueError as error:
            if os.fstat(descriptor).st_size < size:
                raise Outdated(f"{self._input.name} was cut short") from error
            self._tell_of_damage(str(error))

    def _tell_of_damage(self, clause: str) -> None:
        if clause != self._damage:
            self._damage = clause
            self._told.append(f"{self._input.name} is damaged: {clause}. Only what comes before is shown.")

    def _add(self, descriptor: int, message: Message) -> None:
        if message.kind == END:
            self._ended = True
        elif self._schema is None:
            if message.kind != SCHEMA:
                raise ValueError("it does not begin with a schema")
            raw = _bytes(descriptor, message.at, message.stop - message.at)
            with reading(self._input.path, _STREAM):
                self._schema = ipc.read_schema(pa.py_buffer(raw))
                admit_schema(self._schema)
            self._batches.schema = (message.at, message.stop)
        elif message.kind == DICTIONARY:
            self._batches.define(message)
        elif message.kind == BATCH:
            self._batches.add(message)
        else:
            raise ValueError(f"there is another schema at byte {message.at:,}")


def _bytes(descriptor: int, at: int, size: int) -> bytes:
    found = os.pread(descriptor, size, at)
    if len(found) < size:
        raise ValueError("the file ends before its message")
    return found


class _Batches:
    """Where the batches of a stream are, for its parts of all versions: it is only ever added to.

    `dictionaries` are what has to be read before a batch: they are shared by batches until one is replaced.
    """

    def __init__(self) -> None:
        self.schema: _Range = (0, 0)
        self.at = array("q")
        self.stop = array("q")
        self.row = array("q", [0])  # the first row of each, and of the next
        self.dictionaries: list[tuple[_Range, ...]] = []
        self.cuts = array("q", [0])  # the batches with which pieces begin
        self._defined: dict[int, tuple[_Range, ...]] = {}
        self._before: tuple[_Range, ...] = ()

    def __len__(self) -> int:
        return len(self.at)

    def define(self, message: Message) -> None:
        """Another dictionary, or more of one."""
        known = self._defined.get(message.number, ()) if message.adds else ()
        self._defined[message.number] = (*known, (message.at, message.stop))
        self._before = tuple(each for ranges in self._defined.values() for each in ranges)

    def add(self, message: Message) -> None:
        """Another batch."""
        first = self.cuts[-1]
        rows = self.row[-1] - self.row[first]
        size = message.at - (self.at[first] if first < len(self) else message.at)
        if rows and (rows + message.rows > _PIECE_ROWS or size > _PIECE_BYTES):
            self.cuts.append(len(self))
        self.at.append(message.at)
        self.stop.append(message.stop)
        self.dictionaries.append(self._before)
        self.row.append(self.row[-1] + message.rows)

    def pieces(self, count: int) -> tuple[Piece, ...]:
        """The first `count` batches as pieces that are read by themselves."""
        cuts = [cut for cut in self.cuts if cut < count]
        if not cuts:
            return ()
        ends = [*cuts[1:], count]
        return tuple(
            Piece(self.row[start], self.row[stop] - self.row[start], (start, stop))
            for start, stop in zip(cuts, ends, strict=True)
        )

    def narrowed(self, task: Task) -> Task:
        """The same rows, of the batches that hold them alone."""
        first = task.piece.start + task.skip
        start = bisect_right(self.row, first, *task.piece.groups) - 1
        stop = bisect_left(self.row, first + task.count, start + 1, task.piece.groups[1])
        piece = Piece(self.row[start], self.row[stop] - self.row[start], (start, stop))
        return Task(task.number, task.part, piece, task.start, first - self.row[start], task.count)


class _StreamPart:
    """The rows of the batches that are there at one version. Buffers of other columns are skipped."""

    def __init__(self, file: GrowingFile, schema: pa.Schema, batches: _Batches) -> None:
        self.file = file
        self.schema = admit_schema(schema)
        self.unusable: dict[int, Unusable] = {}
        self._batches = batches
        self.num_rows = batches.row[-1]
        self.digest = f"{len(batches)} batches of {file.inode}".encode()
        self.pieces: Sequence[Piece] = batches.pieces(len(batches))

    def direct(self, index: int) -> None:
        """Always None: nothing is kept here."""

    def arrays(self, index: int, piece: Piece) -> Iterator[pa.Array]:
        """See `Part`."""
        lies = damaged(self.file.path, f"its batches do not hold the {piece.count:,} rows that they declare")
        yield from counted(guarded(self._read(index, *piece.groups), self.file.path, _STREAM), piece.count, lies)

    def _read(self, index: int, start: int, stop: int) -> Iterator[pa.Array]:
        batches = self._batches
        before = [batches.schema, *batches.dictionaries[start]]
        options = ipc.IpcReadOptions(included_fields=[index], use_threads=False)
        with self.file.descriptor() as descriptor:
            spliced = _Spliced(descriptor, [*before, (batches.at[start], batches.stop[stop - 1])])
            for batch in ipc.open_stream(pa.PythonFile(spliced, mode="r"), options=options):
                yield batch.column(0)


class _Spliced(PositionedReader):
    """Some ranges of a file as one file."""

    def __init__(self, descriptor: int, ranges: Sequence[_Range]) -> None:
        super().__init__(sum(stop - start for start, stop in ranges))
        self._descriptor = descriptor
        self._ranges = ranges

    def read(self, size: int = -1) -> bytes:
        left = self._size - self._at if size < 0 else min(size, self._size - self._at)
        pieces = []
        first = 0
        for start, stop in self._ranges:
            last = first + stop - start
            if self._at < last and left > 0:
                data = os.pread(self._descriptor, min(left, last - self._at), start + self._at - first)
                pieces.append(data)
                self._at += len(data)
                left -= len(data)
            first = last
        return b"".join(pieces)
