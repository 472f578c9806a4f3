"""Neighbouring pieces of a table of files as a table of their own."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import pyarrow as pa

from bigviz.data.appending.growth import Growth
from bigviz.data.columns.column import Unusable
from bigviz.data.sources.files import FilesSource
from bigviz.data.sources.tasks import Task, TaskSource
from bigviz.data.statistics.values import Statistics

__all__ = ["SliceSource"]


class SliceSource(TaskSource):
    """The rows of the pieces `first` to `stop` (exclusive) of `whole`, under its schema. Its row 0 is row `offset`."""

    def __init__(self, whole: FilesSource, first: int, stop: int) -> None:
        self.whole = whole
        self._pieces = whole.tasks[first:stop]
        self.offset = self._pieces[0].start if self._pieces else 0
        self.num_rows = sum(task.count for task in self._pieces)
        self.schema: pa.Schema = whole.schema
        self.constants: Mapping[str, Sequence[pa.Scalar]] = whole.constants
        self.unusable: Mapping[int, Unusable] = whole.unusable
        self.files = tuple(dict.fromkeys(task.part.file for task in self._pieces))
        self.notes: tuple[str, ...] = ()
        self.assumed: tuple[str, ...] = ()
        self.estimated_rows: int | None = None
        self.growth: Growth | None = None
        self.fingerprint = hashlib.sha256(f"{whole.fingerprint} {first} {stop}".encode()).hexdigest()

    @cached_property
    def tasks(self) -> list[Task]:
        return [replace(task, start=task.start - self.offset) for task in self._pieces]

    def own(self, task: Task, index: int) -> int | None:
        return self.whole.own(task, index)

    def check(self) -> None:
        for file in self.files:
            file.check()

    def direct(self, index: int) -> pa.ChunkedArray | None:
        """None: what a file has in memory is of all its rows."""
        return None

    def statistics(self, start: int, stop: int, index: int) -> Statistics | None:
        return self.whole.statistics(start + self.offset, stop + self.offset, index)
