"""The rows of two axes, piece by piece: columns in memory, or a dataset that is read for the purpose."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.axis import Axis
from bigviz.aggregate.dyadic_cells import Root
from bigviz.aggregate.spaces import Space
from bigviz.common.cancel import Cancel
from bigviz.common.workers import slices
from bigviz.data.columns.column import Column
from bigviz.data.dataset import Dataset
from bigviz.tiles.grid.row_filter import RowFilter, hidden

__all__ = ["Batch", "InMemory", "Pairs", "Streamed"]

Array = npt.NDArray[Any]
Numbers = tuple[Array, npt.NDArray[np.bool_] | None]


class Batch(NamedTuple):
    """At most 2^20 rows from row `first` on: axis-space numbers, as `Axis.slice` gives them.

    `columns` are the columns that were read: x, y, and those that came along (none from memory).
    """

    first: int
    x: Numbers
    y: Numbers
    columns: Sequence[Column] = ()

    @property
    def rows(self) -> int:
        """How many rows."""
        return len(self.x[0])


class Pairs(Protocol):
    """The rows of two axes. Several threads may read at a time."""

    @property
    def rows(self) -> int: ...

    @property
    def pieces(self) -> list[tuple[int, int]]:
        """(first row, rows) of what is read by itself, in row order."""
        ...

    @property
    def fixed_roots(self) -> tuple[Root | None, Root | None]:
        """The roots that do not depend on the numbers."""
        ...

    def read(self, piece: int, cancel: Cancel) -> Iterator[Batch]:
        """The rows of a piece, in order."""
        ...


@dataclass(frozen=True)
class InMemory:
    """Two axes over columns of equal length."""

    x: Axis
    y: Axis

    @property
    def rows(self) -> int:
        return len(self.x)

    @property
    def pieces(self) -> list[tuple[int, int]]:
        return [(start, stop - start) for start, stop in slices(len(self.x))]

    @property
    def fixed_roots(self) -> tuple[Root | None, Root | None]:
        return self.x.fixed_root, self.y.fixed_root

    def read(self, piece: int, cancel: Cancel) -> Iterator[Batch]:
        start, count = self.pieces[piece]
        yield Batch(start, self.x.slice(start, start + count), self.y.slice(start, start + count))


class Streamed:
    """Two columns of a dataset in their axes' spaces, and other columns along with them; nothing is kept. Rows that a
    filter leaves out are hidden: their x is no number."""

    def __init__(
        self,
        dataset: Dataset,
        names: tuple[str, str],
        spaces: tuple[Space, Space],
        others: Sequence[str] = (),
        keep: RowFilter | None = None,
    ) -> None:
        self.dataset, self.names, self.spaces, self.others = dataset, names, spaces, tuple(others)
        self.keep = keep
        self.rows = dataset.num_rows
        self.pieces = dataset.chunks()

    @property
    def fixed_roots(self) -> tuple[Root | None, Root | None]:
        return self.spaces[0].root, self.spaces[1].root

    def read(self, piece: int, cancel: Cancel) -> Iterator[Batch]:
        names = (*self.names, *self.others)
        each = tuple(dict.fromkeys(names))  # a column may be an axis and a value
        start, count = self.pieces[piece]
        keep = None if self.keep is None else self.keep.masks(start, start + count, cancel)
        for first, read in self.dataset.read(piece, each, cancel):
            by_name = dict(zip(each, read, strict=True))
            columns = [by_name[name] for name in names]
            rows = len(columns[0])
            across = columns[0] if keep is None else hidden(columns[0], keep(rows))
            x, y = Axis(across, self.spaces[0]), Axis(columns[1], self.spaces[1])
            yield Batch(first + self.dataset.first_row, x.slice(0, rows), y.slice(0, rows), columns)

    def along(self, others: Sequence[str]) -> Streamed:
        """All rows with other columns along."""
        return Streamed(self.dataset, self.names, self.spaces, others)
