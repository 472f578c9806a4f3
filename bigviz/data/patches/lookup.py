"""Patches as they come, by numbers of rows or by keys, and the rows of a dataset that are meant."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import Conflict
from bigviz.data.appending.refusals import NoSuchRow
from bigviz.data.columns.arrow_arrays import fixed_view, valid_mask
from bigviz.data.dataset import Dataset
from bigviz.data.patches.corrections import ROW, Patch, take_array

__all__ = ["KeyLookup", "KeyedPatch", "can_be_keys", "patch_of"]


def can_be_keys(type_: pa.DataType) -> bool:
    """Whether values of a plain type are told apart: lists and structs are not."""
    none = pa.nulls(0, type_)
    try:
        pc.count_distinct(none)
        pc.index_in(none, value_set=none)
    except pa.ArrowNotImplementedError:
        return False
    return True


class KeyLookup:
    """Where the values of a column are that a patch names rows by. `look` goes through the column, a million rows at a
    time; for a later version only through what was appended since, unless rows were patched meanwhile."""

    def __init__(self, column: str, keys: pa.Array) -> None:
        """Raises NoSuchRow where a key comes twice."""
        self._column = column
        self._keys = keys
        if pc.count_distinct(keys).as_py() < len(keys):
            raise NoSuchRow(f"Column {echoed(column)} names a row twice: give each of them once.", column)
        self._seen: Dataset | None = None
        self._rows = np.full(len(keys), -1, np.int64)

    def look(self, dataset: Dataset) -> np.ndarray:
        """The number of each key's row in a version of the dataset, int64.

        Raises Conflict for a key that several rows have, NoSuchRow for one that none has.
        """
        seen = self._seen
        start = dataset.first_row
        if seen is None or seen.corrections is not dataset.corrections:
            self._rows[:] = -1
        else:
            start = max(start, seen.first_row + seen.num_rows)
            self._rows[self._rows < dataset.first_row] = -1
        for first, array in dataset.values(self._column, start, dataset.first_row + dataset.num_rows):
            self._find(first, array)
        self._seen = dataset
        if len(self._rows) and self._rows.min() < 0:
            missing = self._keys[int(self._rows.argmin())].as_py()
            raise NoSuchRow(
                f"No row has {echoed(missing)} in column {echoed(self._column)}: leave it out, or append it first.",
                self._column,
            )
        return self._rows

    def _find(self, first: int, array: pa.Array) -> None:
        if pa.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        places = pc.index_in(array.cast(self._keys.type), value_set=self._keys)
        valid = valid_mask(places)
        at = np.arange(len(places)) if valid is None else np.flatnonzero(valid)
        keys = fixed_view(places, np.dtype(np.int32))[at]
        if len(np.unique(keys)) < len(keys) or (self._rows[keys] >= 0).any():
            self._seen = None
            raise Conflict(
                f"Several rows have the same key in column {echoed(self._column)}: name them by _row.",
                self._column,
            )
        self._rows[keys] = first + at


class KeyedPatch:
    """New values at the rows that have certain keys. The rows are known once it was looked for them."""

    def __init__(self, payload: bytes) -> None:
        """A stream of one batch: the keys, then the columns. Raises NoSuchRow where a key comes twice."""
        with pa.ipc.open_stream(payload) as stream:
            batch = stream.read_next_batch()
        self._lookup = KeyLookup(batch.schema.names[0], batch.column(0))
        self._columns = dict(zip(batch.schema.names[1:], batch.columns[1:], strict=True))

    def at(self, dataset: Dataset) -> Patch:
        """The patch of a version of the dataset, or of a later one than before. Raises what `KeyLookup.look` does."""
        return patch_at(self._lookup.look(dataset), self._columns)


def patch_of(payload: bytes) -> Patch:
    """The patch of a stream of one batch: `_row`, then the columns. Raises NoSuchRow where a row comes twice."""
    with pa.ipc.open_stream(payload) as stream:
        batch = stream.read_next_batch()
    rows = fixed_view(batch.column(0), np.dtype(np.int64))
    if len(np.unique(rows)) < len(rows):
        raise NoSuchRow(f"Column {ROW} names a row twice: give each of them once.", ROW)
    return patch_at(rows, dict(zip(batch.schema.names[1:], batch.columns[1:], strict=True)))


def patch_at(rows: np.ndarray, columns: Mapping[str, pa.Array]) -> Patch:
    """New values at numbers of rows in any order, each once."""
    order = np.argsort(rows, kind="stable")
    values = {name: take_array(array, order) for name, array in columns.items()}
    return Patch(rows[order].astype(np.int64), values)
