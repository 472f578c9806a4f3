"""A dataset's rows at one version of its append log: those of the file that was uploaded, then those of the log."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from itertools import accumulate, pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Final, overload

import numpy as np
import pyarrow as pa

from bigviz.common.cancel import Cancel
from bigviz.data.appending.batches import Batches
from bigviz.data.appending.bulk import column_arrays, in_type
from bigviz.data.appending.growth import Growth
from bigviz.data.appending.snapshot import Slice, Snapshot
from bigviz.data.arrow_errors import reading
from bigviz.data.columns.arrow_arrays import admit_schema
from bigviz.data.columns.column import Unusable
from bigviz.data.columns.magnitudes import Magnitudes
from bigviz.data.columns.points import coordinates
from bigviz.data.formats.file_part import Part, Piece, damaged
from bigviz.data.formats.geometry import PointsPart, geometries
from bigviz.data.formats.stable_file import StableFile
from bigviz.data.gone.measured import measured
from bigviz.data.limits import require_rows
from bigviz.data.patches.corrections import Corrections, Run
from bigviz.data.sources.files import FilesSource
from bigviz.data.sources.tasks import Task, TaskSource

__all__ = ["AppendedSource", "LogTable"]

_FEW: Final = 4_096  # rows of which each is read from its own batch


class _LogPart:
    """The rows of one file of a log, in the dataset's own types. A piece is a range of its batches."""

    num_rows = 0
    pieces: Sequence[Piece] = ()

    def __init__(self, batches: Batches, plain: pa.Schema, schema: pa.Schema) -> None:
        """`plain` is the schema of the batches, `schema` the same with the dataset's dictionaries."""
        self.file = StableFile(str(batches.path), 0, 0, 0, 0, 0)
        self.schema = schema
        self.unusable: dict[int, Unusable] = {}
        self.digest = b""
        self._batches = batches
        self._plain = plain

    def direct(self, index: int) -> None:
        """Always None: nothing is kept here."""

    def arrays(self, index: int, piece: Piece) -> Iterator[pa.Array]:
        """See `Part`."""
        batches, type_ = self._batches, self.schema.field(index).type
        first, last = piece.groups[0], piece.groups[1] - 1
        try:
            for array in column_arrays(batches, first, last + 1, self._plain, index):
                yield from [array] if array.type == type_ else in_type(array, type_)
        except (pa.ArrowException, ValueError, OSError) as error:
            low, high = (batches.at[batches.block(each)] for each in (first, last))
            what = f"a batch at bytes {low:,} to {high:,} cannot be read"
            raise damaged(self.file.path, what) from error


class LogTable:
    """What all versions of a dataset that is appended to have in common: the file under the log, and the schema."""

    def __init__(self, base: Part | None, schema: pa.Schema, plain: pa.Schema, what: str) -> None:
        """`schema` is that of the uploaded file, metadata included; `plain` that of the log."""
        self.base = base
        self._plain = plain
        self._geometries = geometries(schema)
        self._own = admit_schema(schema)
        sample = self.part(Batches(Path("/log")))
        self.whole = FilesSource([sample] if base is None else [base, sample], {}, what)
        self.starts = [] if base is None else [piece.start for piece in base.pieces]
        self.gone: dict[str, Magnitudes] = {}  # of the uploaded file, once all of its rows are
        self._points = sample.points if isinstance(sample, PointsPart) else {}

    def corrections(self, found: Corrections) -> Corrections:
        """With those of the coordinates of geometries that were corrected."""
        columns = dict(found.columns)
        for name, (source, axis) in self._points.items():
            if source in columns:
                columns[name] = tuple(Run(run.rows, coordinates(run.values, axis)) for run in columns[source])
        return Corrections(columns, found.told)

    def part(self, batches: Batches) -> Part:
        """The part of a file of the log."""
        part = _LogPart(batches, self._plain, self._own)
        return PointsPart(part, self._geometries) if self._geometries else part


class AppendedSource(TaskSource):
    """The rows of an uploaded file, and of the log after it, that are there at one version. Making one costs nothing
    for what was there before. No index of it is kept on the disk: it would be one of this version alone."""

    estimated_rows = None
    files: tuple[StableFile, ...] = ()
    constants: Mapping[str, Sequence[pa.Scalar]] = MappingProxyType({})

    def __init__(self, table: LogTable, snapshot: Snapshot, what: str) -> None:
        whole = table.whole
        require_rows(snapshot.rows, what)
        self.schema, self.unusable, self.notes, self.assumed = whole.schema, whole.unusable, whole.notes, whole.assumed
        self.num_rows = snapshot.rows
        self.first_row = snapshot.first_row
        self.fingerprint = f"{whole.fingerprint[:32]}{snapshot.digest}"
        self._table = table
        self._snapshot = snapshot
        self._corrections = table.corrections(snapshot.corrections)
        self.growth: Growth | None = Growth(
            snapshot.lineage, snapshot.first_row, snapshot.corrections.told, _Starts(snapshot),
            partial(_gone, table, snapshot),
        )  # fmt: skip

    def check(self) -> None:
        if self._table.base is not None:
            self._table.base.file.check()

    def direct(self, index: int) -> None:
        """Always None: rows of the log are read from its files."""

    @cached_property
    def tasks(self) -> list[Task]:
        return list(self.tasks_within(0, self.num_rows))

    def tasks_within(self, start: int, stop: int) -> Iterator[Task]:
        base, files = self._table.base, self._snapshot.files
        if base is not None:
            at = max(0, bisect_right(self._table.starts, start + self.first_row) - 1)
            for piece in base.pieces[at:]:
                task = Task(0, base, piece, piece.start - self.first_row, 0, piece.count)
                if task.start >= stop:
                    return
                if task.stop > start:
                    yield task.within(start, stop)
        at = max(0, bisect_right(files, start + self.first_row, key=lambda each: each.first) - 1)
        for file in files[at:]:
            first, last = max(start + self.first_row, file.first), min(stop + self.first_row, file.stop)
            if first < last:
                yield from self._pieces(file, first, last)

    def tasks_of(self, wanted: np.ndarray) -> Sequence[Task]:
        if len(wanted) > _FEW:
            return super().tasks_of(wanted)
        found: list[Task] = []
        for row in wanted.tolist():
            if not found or row >= found[-1].stop:
                found += self._around(row)
        return found

    def own(self, task: Task, index: int) -> int | None:
        own: int = task.part.schema.get_field_index(self.schema.names[index])
        return own if own >= 0 else None

    def _around(self, row: int) -> Iterator[Task]:
        """What is read for one row: its batch, or its piece of the uploaded file."""
        for task in self.tasks_within(row, row + 1):
            yield Task(task.number, task.part, task.piece, task.start - task.skip, 0, task.piece.count)

    def _pieces(self, file: Slice, first: int, last: int) -> Iterator[Task]:
        """The rows of numbers [first, last) of a file, which has them, in pieces of whole batches."""
        batches, part = file.batches, self._table.part(file.batches)
        begin, end = batches.find(first, file.count), batches.find(last - 1, file.count) + 1
        cuts = batches.cuts
        inner = cuts[bisect_right(cuts, begin) : bisect_left(cuts, end)]
        for start, stop in pairwise([begin, *inner, end]):
            count = batches.stop(stop - 1) - batches.first[start]
            task = Task(0, part, Piece(0, count, (start, stop)), batches.first[start] - self.first_row, 0, count)
            yield task.within(first - self.first_row, last - self.first_row)

    def _arrays(self, task: Task, index: int, *cancels: Cancel) -> Iterator[pa.Array]:
        field, first = self.schema.field(index), task.start + self.first_row
        for array in super()._arrays(task, index, *cancels):
            corrected = self._corrections.applied(field.name, first, array)
            first += len(array)
            if corrected is array or corrected.type == field.type:
                yield corrected
            else:
                with reading(f"Column {field.name!r}", in_memory=True):
                    found = in_type(corrected, field.type)
                yield from found


def _gone(table: LogTable, snapshot: Snapshot, name: str, cancel: Cancel) -> Magnitudes:
    """The numbers of a column in the rows that were rolled over: what is known of those that left the disk, and those
    that can be read still, which a start or a later roll does not change."""
    found, first, upload = snapshot.gone.get(name, Magnitudes()), snapshot.first_row, snapshot.upload_rows
    if upload and table.base is not None:
        known = table.gone.get(name)
        if known is None or first < upload:
            rolled = replace(snapshot, files=(), first_row=0, next_row=min(first, upload))
            known = measured(AppendedSource(table, rolled, name), name, cancel)
        if first >= upload:
            table.gone[name] = known
        found = found.merged(known)
    start = snapshot.files[0].first
    if start < first:
        rolled = replace(snapshot, first_row=start, next_row=first)
        found = found.merged(measured(AppendedSource(table, rolled, name), name, cancel))
    return found


class _Starts(Sequence[int]):
    """The first row of each append, which are not copied: a log may have millions."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._files = snapshot.files

    @cached_property
    def _ends(self) -> list[int]:
        return list(accumulate(each.count for each in self._files))

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
        return each.batches.first[at - (self._ends[file] - each.count)]
