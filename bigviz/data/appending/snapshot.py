"""An append log at one version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from bigviz.data.appending.batches import Batches
from bigviz.data.columns.magnitudes import Magnitudes
from bigviz.data.patches.corrections import Corrections

__all__ = ["Slice", "Snapshot"]


@dataclass(frozen=True)
class Slice:
    """The first `count` batches of a file, which end at byte `end`. The numbers of its rows are [first, stop)."""

    batches: Batches
    count: int
    end: int
    first: int
    stop: int


@dataclass(frozen=True)
class Snapshot:
    """A log at one version: it does not change when more is appended.

    Rows have numbers, which never change: those of the upload are before `upload_rows`, the next one to come will be
    `next_row`, and what is before `first_row` was rolled over. `files` have the rows that were appended, the oldest
    first; `nbytes` are those of the files. `digest` tells the content from any other, and `lineage`
    is the same for all versions of a log. All that came after version `since` is in the files,
    and `gone` has the numbers of what was appended before, by column.
    """

    version: int
    upload_rows: int
    next_row: int
    first_row: int
    schema: pa.Schema
    files: tuple[Slice, ...]
    nbytes: int
    sealed: bool
    digest: str
    corrections: Corrections
    lineage: str
    since: int
    gone: Mapping[str, Magnitudes] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """How many rows are there, those of the upload included."""
        return self.next_row - self.first_row
