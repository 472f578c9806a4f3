"""Reading a table that is cut into pieces, each of one part: column by column, piece by piece, or a range of rows."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from bigviz.common.cancel import Cancel
from bigviz.common.errors import Cancelled
from bigviz.common.progress import Progress, RowMeter
from bigviz.common.threads.waits import in_context, interruptible
from bigviz.common.workers import usable_cores
from bigviz.data.arrow_errors import reading
from bigviz.data.columns.arrow_arrays import aligned, grouped
from bigviz.data.columns.merged_type import as_type
from bigviz.data.formats.file_part import Part, Piece, admitted
from bigviz.data.sources.source import Sink
from bigviz.data.statistics.values import Statistics

__all__ = ["Task", "TaskSource", "threads"]

_CONSTANT = 1 << 20


def threads() -> int:
    """How many threads read at a time: one for each core that this process may use, at most eight."""
    return min(8, usable_cores())


@dataclass(frozen=True)
class Task:
    """`count` rows of a piece of a part, from its row `skip` on: they are the table's from row `start` on. `number` is
    the part's."""

    number: int
    part: Part
    piece: Piece
    start: int
    skip: int
    count: int

    @property
    def stop(self) -> int:
        """The table's row after the last one."""
        return self.start + self.count

    def within(self, start: int, stop: int) -> Task:
        """The same for those of its rows that lie in [start, stop), which has some of them."""
        first = max(start, self.start)
        rows = min(stop, self.stop) - first
        return Task(self.number, self.part, self.piece, first, self.skip + first - self.start, rows)


class TaskSource:
    """What of a `Source` follows from its tasks. A subclass has `schema`, and says what the tasks are."""

    schema: pa.Schema
    constants: Mapping[str, Sequence[pa.Scalar]]

    @cached_property
    def tasks(self) -> list[Task]:
        """All of them, in row order: every row is in one."""
        raise NotImplementedError

    @cached_property
    def _starts(self) -> list[int]:
        return [task.start for task in self.tasks]

    def tasks_within(self, start: int, stop: int) -> Iterator[Task]:
        """What has to be read for the rows of [start, stop), in row order."""
        at = max(0, bisect_right(self._starts, start) - 1)
        while at < len(self.tasks) and self.tasks[at].start < stop:
            if self.tasks[at].stop > start:
                yield self.tasks[at].within(start, stop)
            at += 1

    def tasks_of(self, wanted: np.ndarray) -> Sequence[Task]:
        """What has to be read for some rows, sorted ones."""
        return [task for task in self.tasks if _any_within(wanted, task.start, task.stop)]

    def own(self, task: Task, index: int) -> int | None:
        """The position of the table's column in the part of a task; None if the part does not have it."""
        raise NotImplementedError

    def read(
        self, index: int, sink: Sink, progress: Progress, cancel: Cancel, wanted: np.ndarray | None = None
    ) -> None:
        tasks = self.tasks if wanted is None else self.tasks_of(wanted)
        meter = RowMeter(f"reading {self.schema.names[index]}", sum(task.count for task in tasks), progress)
        stop = Cancel()

        def run(task: Task) -> None:
            start = task.start
            try:
                stop.check()
                for array in self._arrays(task, index, cancel, stop):
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
        return [(task.start, task.count) for task in self.tasks]

    def stream(self, number: int, indices: Sequence[int], cancel: Cancel) -> Iterator[list[pa.Array]]:
        task = self.tasks[number]
        yield from aligned([self._arrays(task, index, cancel) for index in indices], cancel)

    def rows(self, start: int, stop: int, indices: Sequence[int], cancel: Cancel) -> Iterator[list[pa.Array]]:
        for task in self.tasks_within(start, stop):
            yield from aligned([self._arrays(task, index, cancel) for index in indices], cancel)

    def statistics(self, start: int, stop: int, index: int) -> Statistics | None:
        """None: of rows that may be corrected later nothing is known before they are read."""
        return None

    def _arrays(self, task: Task, index: int, *cancels: Cancel) -> Iterator[pa.Array]:
        """The column's values in the rows of a task, checked and in the table's type (or that type's dictionary). Where
        another machine has them, the wait for them ends when one of the flags is up."""
        field = self.schema.field(index)
        own = self.own(task, index)
        if own is None:
            values = self.constants.get(field.name)
            scalar = pa.scalar(None, field.type) if values is None else values[task.number]
            for start in range(0, task.count, _CONSTANT):
                yield pa.repeat(scalar, min(_CONSTANT, task.count - start))
            return
        what = f"Column {field.name!r} of {task.part.file.path}"
        arrays: Iterable[pa.Array] = task.part.arrays(own, task.piece)
        if task.part.file.host:
            for cancel in cancels:
                arrays = interruptible(arrays, cancel)
        if task.count < task.piece.count:
            arrays = _cut(arrays, task.skip, task.count)
        for array in grouped(admitted(arrays, what)):
            if array.type == field.type or _dictionary_of(array.type, field.type):
                yield array
            else:
                with reading(what, in_memory=True):
                    merged = as_type(array, field.type)
                yield merged


def _cut(arrays: Iterable[pa.Array], skip: int, count: int) -> Iterator[pa.Array]:
    """`count` rows after the first `skip`."""
    for array in arrays:
        piece = array.slice(skip, count)
        skip = max(0, skip - len(array))
        count -= len(piece)
        if len(piece):
            yield piece
        if not count:
            return


def _run_all(run: Callable[[Task], None], tasks: Sequence[Task], stop: Cancel) -> None:
    """Run the tasks on a few threads; once all have ended, the first error is raised that is not the
    cancelling of the others."""
    workers = min(threads(), len(tasks))
    if workers <= 1:
        for task in tasks:
            run(task)
        return
    pool = ThreadPoolExecutor(workers, thread_name_prefix="bigviz-read")
    try:
        futures = [pool.submit(in_context(run), task) for task in tasks]
        errors = [error for error in (future.exception() for future in futures) if error is not None]
    except BaseException:
        stop.cancel()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    if errors:
        raise next((error for error in errors if not isinstance(error, Cancelled)), errors[0])


def _any_within(rows: np.ndarray, start: int, stop: int) -> bool:
    """True if any of the sorted `rows` lies in [start, stop)."""
    at = int(np.searchsorted(rows, start))
    return at < len(rows) and int(rows[at]) < stop


def _dictionary_of(type_: pa.DataType, values: pa.DataType) -> bool:
    return bool(pa.types.is_dictionary(type_) and type_.value_type == values)
