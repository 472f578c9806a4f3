"""A dataset's rows at one version of its append log: those of the file that was uploaded, then those of the log."""

from __future__ import annotations

import mmap
import os
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Final, overload

import pyarrow as pa
from xxhash import xxh64_intdigest

from bigviz.common.errors import Unreadable
from bigviz.data.appending.growth import Growth
from bigviz.data.appending.log import Slice, Snapshot
from bigviz.data.columns.arrow_arrays import admit_schema
from bigviz.data.columns.column import Unusable
from bigviz.data.formats.file_part import Part, Piece, damaged
from bigviz.data.formats.geometry import PointsPart, geometries
from bigviz.data.formats.stable_file import StableFile
from bigviz.data.sources.files import FilesSource

__all__ = ["AppendedSource"]

_PIECE_ROWS: Final = 1 << 20
_PIECE_BYTES: Final = 256 << 20


@dataclass(frozen=True)
class _GrowingFile(StableFile):
    """The beginning of a file that is only ever written to at its end: `size` is that of the beginning."""

    @classmethod
    def of(cls, piece: Slice) -> _GrowingFile:
        found = StableFile.at(str(piece.path))
        return cls(found.path, found.device, found.inode, piece.end, 0, 0)

    def _compare(self, status: os.stat_result) -> None:
        if (status.st_dev, status.st_ino) != (self.device, self.inode) or status.st_size < self.size:
            raise self._changed()


class _LogPart:
    """The rows of one file of a log, in the dataset's own types."""

    def __init__(self, piece: Slice, plain: pa.Schema, schema: pa.Schema) -> None:
        """`plain` is the schema of the batches, `schema` the same with the dataset's dictionaries."""
        self.file: StableFile = _GrowingFile.of(piece)
        self.geometries = geometries(schema)
        self.schema = admit_schema(schema)
        self.unusable: dict[int, Unusable] = {}
        self.digest = b""
        self._plain = plain
        self._batches = piece.batches
        self._compared = piece.compared
        self._first = piece.batches[0].first if piece.count else 0
        last = piece.batches[piece.count - 1] if piece.count else None
        self.num_rows = last.first + last.rows - self._first if last else 0
        self.pieces = tuple(self._pieces(piece.count))

    def direct(self, index: int) -> None:
        """Always None: nothing is kept here."""

    def arrays(self, index: int, piece: Piece) -> Iterator[pa.Array]:
        start, stop = piece.groups
        type_ = self.schema.field(index).type
        with self.file.descriptor() as descriptor:
            mapped = pa.py_buffer(mmap.mmap(descriptor, self.file.size, prot=mmap.PROT_READ))
            for number in range(start, stop):
                payload = self._payload(mapped, number)
                try:
                    array = pa.ipc.read_record_batch(payload, self._plain).column(index)
                    yield array if array.type == type_ else array.cast(type_)
                except (pa.ArrowException, ValueError, OSError) as error:
                    at = self._batches[number].at
                    raise damaged(self.file.path, f"the batch at byte {at:,} cannot be read") from error

    def _payload(self, mapped: pa.Buffer, number: int) -> pa.Buffer:
        """A batch as it was written. The file is mapped, since only bigviz writes it and never cuts off what is read;
        a batch is compared with its sum when it is read for the first time."""
        batch = self._batches[number]
        payload = mapped.slice(batch.at, batch.size)
        if number not in self._compared:
            if xxh64_intdigest(payload) != batch.total:
                raise Unreadable(
                    f"{self.file.path} is damaged: the batch at byte {batch.at:,} is not what was written. Put a "
                    "backup in its place.",
                    got=self.file.path,
                )
            self._compared.add(number)
        return payload

    def _pieces(self, count: int) -> Iterator[Piece]:
        cuts = [0]
        rows = size = 0
        for number in range(count):
            batch = self._batches[number]
            if rows and (rows + batch.rows > _PIECE_ROWS or size + batch.size > _PIECE_BYTES):
                cuts.append(number)
                rows = size = 0
            rows, size = rows + batch.rows, size + batch.size
        for start, stop in pairwise([*cuts, count] if count else []):
            first, last = self._batches[start], self._batches[stop - 1]
            yield Piece(first.first - self._first, last.first + last.rows - first.first, (start, stop))


class AppendedSource(FilesSource):
    """The parts of an uploaded file, and of the log after it. No index of it is kept on the disk: it would be one of
    this version alone."""

    def __init__(self, base: Sequence[Part], schema: pa.Schema, snapshot: Snapshot, what: str) -> None:
        """`schema` is that of the uploaded file, metadata included."""
        logs = [_LogPart(each, snapshot.schema, schema) for each in snapshot.files if each.count]
        parts: list[Part] = [PointsPart(each, each.geometries) if each.geometries else each for each in logs]
        super().__init__([*base, *parts], {}, what)
        self.files = ()
        self.fingerprint = f"{self.fingerprint[:32]}{snapshot.digest}"
        self.growth = Growth(snapshot.files[0].path.parent.name, appends=_Starts(snapshot))


class _Starts(Sequence[int]):
    """The first row of each append, which are not copied: a log may have millions."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._files = [each for each in snapshot.files if each.count]
        self._ends = list(accumulate(each.count for each in self._files))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    @overload
    def __getitem__(self, at: int) -> int: ...

    @overload
    def __getitem__(self, at: slice) -> list[int]: ...

    def __getitem__(self, at: int | slice) -> int | list[int]:
        if isinstance(at, slice):
            return [self[k] for k in range(*at.indices(len(self)))]
        if not 0 <= at < len(self):
            raise IndexError(at)
        file = bisect_right(self._ends, at)
        each = self._files[file]
        return each.batches[at - (self._ends[file] - each.count)].first
