"""Values that patches have put in the place of others, over the rows of a dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa

from bigviz.data.appending.growth import Correction
from bigviz.data.columns.arrow_arrays import from_numpy, take_rows
from bigviz.data.ipc_stream import ipc_stream

__all__ = ["ROW", "Corrections", "Patch", "Run", "take_array"]

ROW: Final = "_row"
"""The column of a patch that holds numbers of rows."""

_TOLD_ALONE: Final = 64  # of the last patches; the rows of those before are told together


@dataclass(frozen=True)
class Patch:
    """New values of some columns, by name and as plain types, at rows: ascending int64 numbers, each once."""

    rows: np.ndarray
    columns: Mapping[str, pa.Array]

    @property
    def nbytes(self) -> int:
        """Bytes in memory of the runs that it makes."""
        return self.rows.nbytes * len(self.columns) + sum(int(each.nbytes) for each in self.columns.values())

    @classmethod
    def read(cls, payload: pa.Buffer | bytes) -> Patch:
        """A patch as it is written in a log."""
        with pa.ipc.open_stream(payload) as stream:
            table = stream.read_all().combine_chunks()
        rows = np.asarray(table.column(ROW))
        return cls(rows, {name: _array(table.column(name)) for name in table.column_names if name != ROW})

    def write(self) -> bytes:
        """An Arrow IPC stream."""
        names, arrays = [ROW, *self.columns], [from_numpy(self.rows, pa.int64()), *self.columns.values()]
        return ipc_stream(pa.RecordBatch.from_arrays(arrays, names=names))


@dataclass(frozen=True)
class Run:
    """New values of one column at rows, ascending and each once."""

    rows: np.ndarray
    values: pa.Array

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return self.rows.nbytes + int(self.values.nbytes)

    def over(self, older: Run, first_row: int) -> Run:
        """Both as one: where both have a row, this one's value. Rows before `first_row` are left out."""
        at = np.searchsorted(self.rows, older.rows)
        at[at == len(self.rows)] = 0
        old = np.flatnonzero((self.rows[at] != older.rows) & (older.rows >= first_row))
        new = np.flatnonzero(self.rows >= first_row)
        rows = np.concatenate([older.rows[old], self.rows[new]])
        order = np.argsort(rows, kind="stable")
        places = np.concatenate([old, len(older.rows) + new])[order]
        values = take_rows(pa.chunked_array([older.values, self.values]), places)
        return Run(rows[order], _array(values))


@dataclass(frozen=True)
class Corrections:
    """All that patches have changed up to a version. `columns`: newer runs are later, and shorter, so there are few.
    `told`: which rows, by version."""

    columns: Mapping[str, tuple[Run, ...]] = field(default_factory=dict)
    told: tuple[Correction, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.columns)

    @property
    def nbytes(self) -> int:
        """Bytes in memory, those of what newer values hide included until runs are joined."""
        return sum(run.nbytes for runs in self.columns.values() for run in runs)

    def joined(self, first_row: int) -> Corrections:
        """The same as one run a column, without rows before `first_row`."""
        columns = {name: (_joined(runs, first_row),) for name, runs in self.columns.items()}
        columns = {name: runs for name, runs in columns.items() if len(runs[0].rows)}
        told = [Correction(each.version, each.rows[each.rows >= first_row]) for each in self.told]
        return Corrections(columns, tuple(each for each in told if len(each.rows)))

    def patched(self, version: int, patch: Patch, first_row: int) -> Corrections:
        """With a patch that made a version. Of rows before `first_row` little is kept."""
        columns = dict(self.columns)
        for name, values in patch.columns.items():
            runs = [*columns.get(name, ()), Run(patch.rows, values)]
            while len(runs) > 1 and len(runs[-2].rows) <= 2 * len(runs[-1].rows):
                newer = runs.pop()
                runs[-1] = newer.over(runs[-1], first_row)
            columns[name] = tuple(runs)
        return Corrections(columns, _told((*self.told, Correction(version, patch.rows)), first_row))

    def applied(self, name: str, first: int, array: pa.Array) -> pa.Array:
        """The values of a column at the rows from number `first` on, those that were changed in the place of others.

        The array is of a plain type, or one of dictionaries, of which the values are returned.
        """
        found: list[pa.Array] = []
        places: np.ndarray | None = None
        count = len(array)
        for run in self.columns.get(name, ()):
            start, stop = np.searchsorted(run.rows, (first, first + len(array))).tolist()
            if start == stop:
                continue
            if places is None:
                places = np.arange(len(array), dtype=np.int64)
                array = array.dictionary_decode() if pa.types.is_dictionary(array.type) else array
            places[run.rows[start:stop] - first] = np.arange(count, count + stop - start)
            found.append(run.values.slice(start, stop - start).cast(array.type))
            count += stop - start
        return array if places is None else _array(take_rows(pa.chunked_array([array, *found]), places))


def _told(all_: tuple[Correction, ...], first_row: int) -> tuple[Correction, ...]:
    """The corrections, of which the older ones are joined with their neighbours, so that there are few."""
    if len(all_) <= _TOLD_ALONE:
        return all_
    old, last = list(all_[:-_TOLD_ALONE]), all_[-_TOLD_ALONE:]
    while len(old) > 1 and len(old[-2].rows) <= 2 * len(old[-1].rows):
        newer, older = old.pop(), old.pop()
        rows = np.union1d(older.rows, newer.rows)
        old.append(Correction(newer.version, rows[rows >= first_row]))
    return (*old, *last)


def _joined(runs: Sequence[Run], first_row: int) -> Run:
    joined = Run(runs[-1].rows[:0], runs[-1].values[:0])
    for run in runs:
        joined = run.over(joined, first_row)
    return joined


def take_array(array: pa.Array, places: np.ndarray) -> pa.Array:
    """The values at places."""
    return _array(take_rows(pa.chunked_array([array]), places))


def _array(values: pa.ChunkedArray) -> pa.Array:
    return values.chunk(0) if values.num_chunks == 1 else pa.concat_arrays(values.chunks or [pa.nulls(0, values.type)])
