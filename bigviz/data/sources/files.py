"""One table out of one or many files."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from bigviz.common.cancel import Cancel
from bigviz.common.errors import Cancelled
from bigviz.common.progress import Progress, RowMeter
from bigviz.common.workers import usable_cores
from bigviz.data.appending.growth import Growth
from bigviz.data.arrow_errors import reading
from bigviz.data.columns.arrow_arrays import aligned, grouped
from bigviz.data.columns.column import Unusable
from bigviz.data.columns.merged_type import as_type
from bigviz.data.formats.file_part import Part, Piece, admitted
from bigviz.data.formats.merged_schema import merge_schemas
from bigviz.data.limits import require_rows
from bigviz.data.paths import short_names
from bigviz.data.sources.source import Sink

__all__ = ["FilesSource", "threads"]

_CONSTANT = 1 << 20


def threads() -> int:
    """How many threads read at a time: one for each core that this process may use, at most eight."""
    return min(8, usable_cores())


@dataclass(frozen=True)
class _Task:
    """A piece of a part, and where the part's rows begin in the table."""

    number: int
    part: Part
    piece: Piece
    start: int


class FilesSource:
    """Parts under one schema, one after the other, with the columns that the names of their directories hold.

    A column that a part lacks is null there. Types that differ are merged as `columns/merged_type.py` says; a column
    whose types have none in common is `unusable`, and the others are read as usual.
    """

    def __init__(
        self,
        parts: Sequence[Part],
        constants: dict[str, list[pa.Scalar]],
        what: str,
        notes: Sequence[str] = (),
        assumed: Sequence[str] = (),
        missing_rows: int = 0,
    ) -> None:
        self.parts = tuple(parts)
        self.files = tuple(part.file for part in self.parts)
        self.what = what
        own, self.unusable, merge_notes = _one_schema(self.parts)
        self.notes = (*notes, *merge_notes)
        # A key that is a column of the files as well is taken from the files, which know its type.
        self.constants = {name: values for name, values in constants.items() if own.get_field_index(name) < 0}
        self.schema: pa.Schema = pa.schema(
            [*own, *(pa.field(name, values[0].type) for name, values in self.constants.items())]
        )
        self.starts = np.concatenate([[0], np.cumsum([part.num_rows for part in self.parts], dtype=np.int64)])
        self.num_rows = int(self.starts[-1])
        require_rows(self.num_rows, what)
        self.assumed = tuple(assumed)
        self.estimated_rows = self.num_rows + missing_rows if missing_rows else None
        self.fingerprint = self._fingerprint()
        self.growth: Growth | None = None
        self._all = [
            _Task(number, part, piece, int(self.starts[number]))
            for number, part in enumerate(self.parts)
            for piece in part.pieces
        ]
        self._chunks = [(task.start + task.piece.start, task.piece.count) for task in self._all]

    def check(self) -> None:
        for part in self.parts:
            part.file.check()

    def direct(self, index: int) -> pa.ChunkedArray | None:
        if len(self.parts) != 1 or index >= len(self.parts[0].schema):
            return None
        return self.parts[0].direct(index)

    def read(
        self, index: int, sink: Sink, progress: Progress, cancel: Cancel, wanted: np.ndarray | None = None
    ) -> None:
        tasks = self._tasks(wanted)
        meter = RowMeter(f"reading {self.schema.names[index]}", sum(task.piece.count for task in tasks), progress)
        stop = Cancel()

        def run(task: _Task) -> None:
            start = task.start + task.piece.start
            try:
                stop.check()
                for array in self._arrays(task, index):
                    cancel.check()
                    stop.check()
                    sink(start, array)
                    start += len(array)
                    meter.add(len(array))
            except BaseException:
                stop.cancel()
                raise

        _run_all(run, tasks, stop)

    def chunks(self) -> list[tuple[int, int]]:
        return self._chunks

    def stream(self, number: int, indices: Sequence[int], cancel: Cancel) -> Iterator[list[pa.Array]]:
        task = self._all[number]
        yield from aligned([self._arrays(task, index) for index in indices], cancel)

    def _tasks(self, wanted: np.ndarray | None) -> list[_Task]:
        if wanted is None:
            return self._all
        starts = [task.start + task.piece.start for task in self._all]
        return [
            task
            for task, start in zip(self._all, starts, strict=True)
            if _any_within(wanted, start, start + task.piece.count)
        ]

    def _arrays(self, task: _Task, index: int) -> Iterator[pa.Array]:
        """The column's values in one piece, checked and in the table's type (or that type's dictionary)."""
        field = self.schema.field(index)
        own = self._own(task.part, index)
        if own is None:
            values = self.constants.get(field.name)
            scalar = pa.scalar(None, field.type) if values is None else values[task.number]
            for start in range(0, task.piece.count, _CONSTANT):
                yield pa.repeat(scalar, min(_CONSTANT, task.piece.count - start))
            return
        what = f"Column {field.name!r} of {task.part.file.path}"
        for array in grouped(admitted(task.part.arrays(own, task.piece), what)):
            if array.type == field.type or _dictionary_of(array.type, field.type):
                yield array
            else:
                with reading(what, in_memory=True):
                    merged = as_type(array, field.type)
                yield merged

    def _own(self, part: Part, index: int) -> int | None:
        """The position of the table's column in the part; None if the part does not have it."""
        if len(self.parts) == 1:
            return index if index < len(part.schema) else None
        own: int = part.schema.get_field_index(self.schema.names[index])
        return own if own >= 0 else None

    def _fingerprint(self) -> str:
        digest = hashlib.sha256(self.schema.to_string().encode())
        for part in self.parts:
            file = part.file
            digest.update(
                f"{os.path.realpath(file.path)}\0{file.size}\0{file.mtime_ns}\0{file.ctime_ns}\0".encode(
                    errors="surrogateescape"
                )
            )
            digest.update(part.digest)
        return digest.hexdigest()


def _run_all(run: Callable[[_Task], None], tasks: Sequence[_Task], stop: Cancel) -> None:
    """Run the tasks on a few threads; once all have ended, the first error is raised that is not the
    cancelling of the others."""
    workers = min(threads(), len(tasks))
    if workers <= 1:
        for task in tasks:
            run(task)
        return
    pool = ThreadPoolExecutor(workers, thread_name_prefix="bigviz-read")
    try:
        futures = [pool.submit(run, task) for task in tasks]
        errors = [error for error in (future.exception() for future in futures) if error is not None]
    except BaseException:
        stop.cancel()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    if errors:
        raise next((error for error in errors if not isinstance(error, Cancelled)), errors[0])


def _one_schema(parts: Sequence[Part]) -> tuple[pa.Schema, dict[int, Unusable], list[str]]:
    """The schema of all parts, the columns that have no type in it, and sentences on those whose values change."""
    if len(parts) == 1:
        return parts[0].schema, dict(parts[0].unusable), []
    names = short_names([part.file.path for part in parts])
    return merge_schemas([(part.schema, part.unusable, name) for part, name in zip(parts, names, strict=True)])


def _any_within(rows: np.ndarray, start: int, stop: int) -> bool:
    """True if any of the sorted `rows` lies in [start, stop)."""
    at = int(np.searchsorted(rows, start))
    return at < len(rows) and int(rows[at]) < stop


def _dictionary_of(type_: pa.DataType, values: pa.DataType) -> bool:
    return bool(pa.types.is_dictionary(type_) and type_.value_type == values)
