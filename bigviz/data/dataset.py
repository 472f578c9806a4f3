"""A dataset: a named table whose columns are loaded when they are first used."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from bigviz.data.cancel import NEVER, Cancel
from bigviz.data.categories import Categories
from bigviz.data.column import Column, ColumnInfo
from bigviz.data.errors import NotFound, Unplottable
from bigviz.data.kinds import describe
from bigviz.data.names import listing, nearest
from bigviz.data.numbers import Numbers
from bigviz.data.progress import Progress, no_progress
from bigviz.data.source import Source

__all__ = ["Dataset"]


class Dataset:
    """Rows under a name. Safe to use from any number of threads."""

    def __init__(self, name: str, source: Source) -> None:
        self.name = name
        self.version = 1
        self._source = source
        self._infos = [describe(field) for field in source.schema]
        self._columns: dict[int, Column] = {}
        self._locks = [threading.Lock() for _ in self._infos]

    def __repr__(self) -> str:
        return f"<Dataset {self.name!r}: {self.num_rows:,} rows, {len(self._infos)} columns>"

    @property
    def schema(self) -> pa.Schema:
        return self._source.schema

    @property
    def num_rows(self) -> int:
        return self._source.num_rows

    @property
    def fingerprint(self) -> str:
        return self._source.fingerprint

    @property
    def notes(self) -> tuple[str, ...]:
        return self._source.notes

    def columns(self) -> list[ColumnInfo]:
        """All columns in the table's order, those that cannot be plotted included."""
        return list(self._infos)

    def info(self, name: str) -> ColumnInfo:
        """The plottable column of that name. Raises `NotFound` (with the nearest name) or `Unplottable` (with those that are)."""
        return self._infos[self._index(name)]

    def column(self, name: str, progress: Progress = no_progress, cancel: Cancel = NEVER) -> Column:
        """All rows of one column; read once and kept."""
        index = self._index(name)
        with self._locks[index]:
            column = self._columns.get(index)
            if column is None:
                column = self._columns[index] = self._load(index, progress, cancel)
            return column

    def take(self, rows: np.ndarray, names: Sequence[str]) -> pa.Table:
        """The true values of the columns at `rows`, in the given order of both."""
        indices = [self._position(name) for name in names]
        return self._source.take(np.asarray(rows, np.int64), indices, NEVER)

    def check(self) -> None:
        """Raise `Unreadable` if the source changed or vanished since it was opened."""
        self._source.check()

    def arrow(self, names: Sequence[str]) -> pa.Table:
        """Whole columns in their own types."""
        return self.take(np.arange(self.num_rows, dtype=np.int64), names)

    def _load(self, index: int, progress: Progress, cancel: Cancel) -> Column:
        info = self._infos[index]
        builder = (Categories if info.kind == "category" else Numbers)(info, self.num_rows)
        self._source.read(index, builder.add, progress, cancel)
        return builder.finish()

    def _position(self, name: str) -> int:
        index: int = self.schema.get_field_index(name)
        if index >= 0:
            return index
        names = self.schema.names
        guess = nearest(name, names)
        hint = f"Did you mean {guess!r}?" if guess is not None else f"It has {listing(names)}."
        raise NotFound(f"{self.name!r} has no column {name!r}. {hint}", got=name)

    def _index(self, name: str) -> int:
        index = self._position(name)
        info = self._infos[index]
        if not info.plottable:
            usable = [each.name for each in self._infos if each.plottable]
            raise Unplottable(
                f"Column {name!r} of {self.name!r} holds {info.type}, which has no place on an axis. "
                f"These have: {listing(usable) or 'none'}.",
                got=name,
            )
        return index
