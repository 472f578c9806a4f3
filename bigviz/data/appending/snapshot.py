"""An append log at one version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b

import pyarrow as pa

from bigviz.data.appending.batches import Batches
from bigviz.data.columns.magnitudes import Magnitudes
from bigviz.data.patches.corrections import Corrections

__all__ = ["Head", "Slice", "Snapshot", "digest_of"]


@dataclass(frozen=True)
class Slice:
    """The first `count` batches of a file, which end at byte `end`. The numbers of its rows are [first, stop)."""

    batches: Batches
    count: int
    end: int
    first: int
    stop: int


@dataclass(frozen=True)
class Head:
    """How far a log goes, for those who do not read it: see `Snapshot`."""

    version: int
    rows: int
    upload_rows: int
    nbytes: int
    sealed: bool
    since: int


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

    @property
    def head(self) -> Head:
        """How far it goes."""
        return Head(self.version, self.rows, self.upload_rows, self.nbytes, self.sealed, self.since)


def digest_of(log: bytes, version: int, total: int) -> str:
    """What tells the content of a log at a version from any other; `total` is the sum of all heads of its records."""
    return blake2b(log + version.to_bytes(8, "little") + total.to_bytes(8, "little")).hexdigest()[:32]
