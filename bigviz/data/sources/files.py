"""One table out of one or many files."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property

import numpy as np
import pyarrow as pa

from bigviz.data.appending.growth import Growth
from bigviz.data.columns.column import Unusable
from bigviz.data.formats.file_part import Part
from bigviz.data.formats.merged_schema import merge_schemas
from bigviz.data.formats.parquet import ParquetPart
from bigviz.data.limits import require_rows
from bigviz.data.paths import short_names
from bigviz.data.sources.tasks import Task, TaskSource
from bigviz.data.statistics.values import NOTHING, Statistics, merged, of_scalar
from bigviz.data.table_formats.by_field_id import ColumnsById

__all__ = ["FilesSource"]


class FilesSource(TaskSource):
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
        version: str = "",
    ) -> None:
        """`version` is what a table's own log calls it."""
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
        self.fingerprint = self._fingerprint(version)
        self.growth: Growth | None = None

    def check(self) -> None:
        for part in self.parts:
            part.file.check()

    def direct(self, index: int) -> pa.ChunkedArray | None:
        if len(self.parts) != 1 or index >= len(self.parts[0].schema):
            return None
        return self.parts[0].direct(index)

    def statistics(self, start: int, stop: int, index: int) -> Statistics | None:
        return merged(self._statistics(task, index) for task in self.tasks_within(start, stop))

    def _statistics(self, task: Task, index: int) -> Statistics | None:
        field, own = self.schema.field(index), self.own(task, index)
        if own is None:
            values = self.constants.get(field.name)
            return NOTHING if values is None else of_scalar(values[task.number])
        if not isinstance(task.part, ParquetPart | ColumnsById) or task.part.schema.field(own).type != field.type:
            return None
        return task.part.statistics(own, task.piece)

    @cached_property
    def tasks(self) -> list[Task]:
        return [
            Task(number, part, piece, int(self.starts[number]) + piece.start, 0, piece.count)
            for number, part in enumerate(self.parts)
            for piece in part.pieces
        ]

    def own(self, task: Task, index: int) -> int | None:
        if len(self.parts) == 1:
            return index if index < len(task.part.schema) else None
        own: int = task.part.schema.get_field_index(self.schema.names[index])
        return own if own >= 0 else None

    def _fingerprint(self, version: str) -> str:
        digest = hashlib.sha256(self.schema.to_string().encode() + version.encode())
        for part in self.parts:
            digest.update("".join(f"{each}\0" for each in part.file.identity).encode(errors="surrogateescape"))
            digest.update(part.digest)
        return digest.hexdigest()


def _one_schema(parts: Sequence[Part]) -> tuple[pa.Schema, dict[int, Unusable], list[str]]:
    """The schema of all parts, the columns that have no type in it, and sentences on those whose values change."""
    if len(parts) == 1:
        return parts[0].schema, dict(parts[0].unusable), []
    names = short_names([part.file.path for part in parts])
    return merge_schemas([(part.schema, part.unusable, name) for part, name in zip(parts, names, strict=True)])
