"""What a dataset asks of the thing its rows come from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np
import pyarrow as pa

from bigviz.common.cancel import Cancel
from bigviz.common.progress import Progress
from bigviz.data.appending.growth import Growth
from bigviz.data.columns.column import Unusable
from bigviz.data.formats.stable_file import StableFile
from bigviz.data.statistics.values import Statistics

__all__ = ["Sink", "Source"]

Sink = Callable[[int, pa.Array], None]
"""Called as `sink(start, array)`: the column's rows from `start` on. May be called from several threads at a time, in
any order, each row at most once. The array is validated; text may come dictionary-encoded."""


class Source(Protocol):
    """Rows under one schema, readable a column at a time. Columns are named by their position, since names may
    repeat."""

    @property
    def schema(self) -> pa.Schema: ...

    @property
    def unusable(self) -> Mapping[int, Unusable]:
        """Columns that cannot be plotted although their type could be, or that cannot be read, by position in order,
        and why. Those that are not readable are never read."""
        ...

    @property
    def num_rows(self) -> int: ...

    @property
    def fingerprint(self) -> str:
        """Hex; the same for the same content, different once the content may differ."""
        ...

    @property
    def files(self) -> tuple[StableFile, ...]:
        """The files it is read from, in row order; none for a table in memory."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for the person who opened it, such as a wrong file extension."""
        ...

    @property
    def assumed(self) -> tuple[str, ...]:
        """Sentences on how text was understood, where nothing in the file says so: CSV's separators, names, types."""
        ...

    @property
    def estimated_rows(self) -> int | None:
        """How many rows there may be if only some of them were read; None if `num_rows` is all there are."""
        ...

    @property
    def growth(self) -> Growth | None:
        """What tells this version from others; None for what cannot be appended to."""
        ...

    def check(self) -> None:
        """Raise `Unreadable` if the source changed or vanished since it was opened."""
        ...

    def read(
        self, index: int, sink: Sink, progress: Progress, cancel: Cancel, wanted: np.ndarray | None = None
    ) -> None:
        """Pass all rows of column `index` to `sink`; raises `Unreadable`, `TooLarge`, `Cancelled`, or what `sink`
        raises.

        With `wanted` (sorted int64 row numbers) rows far from all of them may be left out.
        """
        ...

    def chunks(self) -> list[tuple[int, int]]:
        """(first row, rows) of the pieces that can be read by themselves, in row order; every row is in one."""
        ...

    def stream(self, number: int, indices: Sequence[int], cancel: Cancel) -> Iterator[list[pa.Array]]:
        """The rows of piece `number`, in order, as validated arrays of equal length, one for each column.

        Nothing is kept. Memory: some 2^20 rows of the columns, or what the file packs together if that is more.
        """
        ...

    def rows(self, start: int, stop: int, indices: Sequence[int], cancel: Cancel) -> Iterator[list[pa.Array]]:
        """The rows of [start, stop), which has some of them, in order, as `stream` gives those of a piece. Of what
        lies around them little is read: the rest of a batch, or of a piece of a file."""
        ...

    def statistics(self, start: int, stop: int, index: int) -> Statistics | None:
        """Bounds of a column's values in the rows of [start, stop), found without reading them; None where none are
        known."""
        ...

    def direct(self, index: int) -> pa.ChunkedArray | None:
        """The column if it is in memory anyway, else None. Not validated."""
        ...
