"""The rows of followed files at one version: parts that later versions share, and add to."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa

from bigviz.data.formats.file_part import Part
from bigviz.data.limits import require_rows
from bigviz.data.sources.files import FilesSource
from bigviz.data.sources.tasks import Task

__all__ = ["FollowedSource"]


class FollowedSource(FilesSource):
    """Files as one table. No index of it is kept on the disk: it would be one of this version alone.

    `narrowed` makes of a task for some rows of a piece one for a smaller piece, where its part can read that.
    """

    def __init__(
        self,
        parts: Sequence[Part],
        constants: dict[str, list[pa.Scalar]],
        what: str,
        notes: Sequence[str] = (),
        assumed: Sequence[str] = (),
    ) -> None:
        super().__init__(parts, constants, what, notes, assumed)
        self.files = ()
        self.own_notes = self.notes
        self.narrowed: Callable[[Task], Task] = _as_it_is

    def grown(self, parts: Sequence[Part], constants: Mapping[str, Sequence[pa.Scalar]]) -> FollowedSource:
        """The same table with more parts of the same schema at its end, and what the names of their directories
        hold: costs what these parts do, and not what all do. Raises TooLarge."""
        after = copy.copy(self)
        first, number = self.num_rows, len(self.parts)
        ends = first + np.cumsum([part.num_rows for part in parts], dtype=np.int64)
        after.parts = (*self.parts, *parts)
        after.constants = {name: [*values, *constants[name]] for name, values in self.constants.items()}
        after.starts = np.concatenate([self.starts, ends])
        after.num_rows = int(ends[-1])
        require_rows(after.num_rows, self.what)
        digest = hashlib.sha256(self.fingerprint.encode())
        for part in parts:
            digest.update(f"{part.file.path}\0{part.file.ctime_ns}\0".encode(errors="surrogateescape") + part.digest)
        after.fingerprint = digest.hexdigest()
        tasks = [
            Task(number + at, part, piece, int(after.starts[number + at]) + piece.start, 0, piece.count)
            for at, part in enumerate(parts)
            for piece in part.pieces
        ]
        after.__dict__.pop("_starts", None)  # of the tasks before
        after.tasks = [*self.tasks, *tasks]
        return after

    def tasks_within(self, start: int, stop: int) -> Iterator[Task]:
        return map(self.narrowed, super().tasks_within(start, stop))


def _as_it_is(task: Task) -> Task:
    return task
