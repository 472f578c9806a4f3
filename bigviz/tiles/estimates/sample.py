"""Rows of a few pieces, spread over a table: what is read of it before everything is.

A table is read in units. Where it has many pieces (row groups, batches), a unit is a piece, or its first 2^20 rows, and
units come in an order in which any first few lie all over the table. Where it has few large ones, units are their first
rows, one after the other. Of a unit at most 2^18 rows are kept, one of each short stretch, so that more units fit.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.reductions.jackknife import GROUPS
from bigviz.common.byte_cache import ByteCache
from bigviz.common.cancel import Cancel
from bigviz.data.columns.column import Column
from bigviz.data.columns.concat import joined
from bigviz.data.dataset import Dataset
from bigviz.tiles.estimates.open_streams import Streams

__all__ = ["Sample", "Unit"]

Array = npt.NDArray[Any]
_UNIT: Final = 1 << 20  # rows that are read of a unit at most
_KEPT: Final = 1 << 18  # and kept of it
_SMALL: Final = 1 << 24  # of a table of fewer rows, which is exact within a second, a quarter of that
_FIRST: Final = GROUPS
_MOST: Final = 64  # units: 16 million rows, beyond which the exact answer comes sooner than a better estimate
_CACHE: Final = 64 << 20


@dataclass(frozen=True)
class Unit:
    """Some rows of one stretch of a table: their numbers (int64, ascending) and columns of the same length; a category
    has the labels that these rows have, at least. `keep` says which rows a filter keeps (None: all)."""

    rows: npt.NDArray[np.int64]
    columns: dict[str, Column]
    keep: npt.NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class _Part:
    """A cached column of a unit."""

    rows: npt.NDArray[np.int64]
    column: Column

    @property
    def nbytes(self) -> int:
        valid = self.column.valid
        return int(self.rows.nbytes + self.column.values.nbytes + (0 if valid is None else valid.nbytes))


class Sample:
    """The units of one dataset, by number. Safe to use from any number of threads.

    `start` is True where the units are the first rows of the table's pieces, which are too few to choose from.
    """

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        self._chunks = [chunk for chunk in enumerate(dataset.chunks()) if chunk[1][1]]
        few = len(self._chunks) < _FIRST
        self.start = few and any(count > _UNIT for _, (_, count) in self._chunks)
        self._order = _scattered(len(self._chunks))
        self._kept = _KEPT >> 2 if dataset.num_rows < _SMALL else _KEPT
        self._streams = Streams(dataset)
        self._parts: ByteCache[_Part] = ByteCache(_CACHE)

    @property
    def units(self) -> int:
        """How many units there are to take at most."""
        if self.start:
            return min(_MOST, sum(-(-count // _UNIT) for _, (_, count) in self._chunks))
        return min(_MOST, len(self._chunks))

    def sizes(self) -> list[int]:
        """Numbers of units to have taken, one after the other: each twice the one before; only the last may be no more
        than half as many again. Fewer would change little in what is seen."""
        sizes = [min(_FIRST, self.units)]
        while 0 < 3 * sizes[-1] <= 2 * self.units:
            sizes.append(min(2 * sizes[-1], self.units))
        return sizes

    def unit(self, number: int, names: Sequence[str], cancel: Cancel) -> Unit | None:
        """Unit `number` with these columns; None where its piece turned out to be shorter. Raises what reading does."""
        parts = {name: self._parts.get((number, name)) for name in names}
        missing = tuple(name for name, part in parts.items() if part is None)
        if missing:
            rows, columns = self._read(number, missing, cancel)
            held = [part for part in parts.values() if part is not None]
            if any(not np.array_equal(part.rows, rows) for part in held):  # batches of these columns end elsewhere
                missing = tuple(parts)
                rows, columns = self._read(number, missing, cancel)
            if not len(rows):
                return None
            for name, column in zip(missing, columns, strict=True):
                part = parts[name] = _Part(rows, column)
                self._parts.put((number, name), part)
        found = {name: part for name, part in parts.items() if part is not None}
        return Unit(next(iter(found.values())).rows, {name: part.column for name, part in found.items()})

    def _read(self, number: int, names: tuple[str, ...], cancel: Cancel) -> tuple[npt.NDArray[np.int64], list[Column]]:
        if self.start:
            first, columns = self._next(number, names, cancel)
        else:
            first, columns = self._piece(self._order[number], names, cancel)
        rows = len(columns[0]) if columns else 0
        picked = _thinned(rows, self._kept, number)
        return picked + first, [_taken(column, picked, rows) for column in columns]

    def _piece(self, place: int, names: tuple[str, ...], cancel: Cancel) -> tuple[int, list[Column]]:
        """The first 2^20 rows of a piece."""
        number, (first, _) = self._chunks[place]
        batches: list[list[Column]] = []
        rows = 0
        for _, columns in self.dataset.read(number, names, cancel, own_labels=True):
            batches.append(columns)
            rows += len(columns[0])
            if rows >= _UNIT:
                break
        # Where batches end depends on the columns that are read: a unit has the same rows whatever they are.
        return first, [_head(joined(parts)) for parts in zip(*batches, strict=True)]

    def _next(self, number: int, names: tuple[str, ...], cancel: Cancel) -> tuple[int, list[Column]]:
        """A batch of a piece that is read from its start: the pieces take turns."""
        turn, at = divmod(number, len(self._chunks))
        return self._streams.batch(self._chunks[at][0], turn, names, cancel) or (0, [])

    def close(self, names: Collection[str] | None = None) -> None:
        """Close the files that it has open (for these columns); what is read after that opens them again."""
        self._streams.close(names)


def _head(column: Column) -> Column:
    values, valid = column.values[:_UNIT], None if column.valid is None else column.valid[:_UNIT]
    return Column(column.info, values, valid, column.categories)


def _taken(column: Column, picked: npt.NDArray[np.int64], rows: int) -> Column:
    if len(picked) == rows:
        return column
    valid = None if column.valid is None else column.valid[picked]
    return Column(column.info, column.values[picked], valid, column.categories)


def _thinned(rows: int, kept: int, seed: int) -> npt.NDArray[np.int64]:
    """At most `kept` of so many rows, ascending: one of each stretch, at random, so that no period is met in step."""
    step = -(-rows // kept)
    if step <= 1:
        return np.arange(rows, dtype=np.int64)
    starts = np.arange(0, rows - step + 1, step, dtype=np.int64)
    return starts + np.random.default_rng(seed).integers(0, step, len(starts))


def _scattered(count: int) -> list[int]:
    """0 .. count - 1, the two ends first, then each far from those before it."""
    order = sorted(range(count), key=lambda k: k * 0.6180339887498949 % 1)
    return list(dict.fromkeys([0, count - 1, *order])) if count else []
