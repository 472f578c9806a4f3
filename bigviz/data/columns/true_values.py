"""From axis numbers back to the values of the table, so that a loaded column need not be kept twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from bigviz.data.columns.arrow_arrays import from_bools, from_numpy, take_rows
from bigviz.data.columns.column import Column
from bigviz.data.columns.kinds import nanoseconds_per_unit, storage_type

__all__ = ["Kept", "Labels", "Loaded", "Numeric", "Restore", "dress", "restored"]

Restore = Callable[[np.ndarray], pa.Array]
"""Called with row numbers; gives the true values at these rows, in their order and in the column's own type."""


class Loaded(NamedTuple):
    """A column in memory, and the way back to its true values."""

    column: Column
    restore: Restore


@dataclass(frozen=True)
class Numeric:
    """Numbers and times, whose axis numbers hold every value but two kinds: a null among floats, and stamps out of
    range.

    `nulls` are packed bits, set where a float is null (NaN is a value); `strays` the sorted rows of stamps that int64
    nanoseconds cannot hold, and their stored integers.
    """

    column: Column
    nulls: np.ndarray | None = None
    strays: tuple[np.ndarray, np.ndarray] | None = None

    def __call__(self, rows: np.ndarray) -> pa.Array:
        type_ = storage_type(self.column.info.type)
        values = self.column.values[rows]
        valid = None if self.column.valid is None else self.column.valid[rows]
        if self.nulls is not None:
            valid = (self.nulls[rows >> 3] >> (rows & 7).astype(np.uint8)) & 1 == 0
        if pt.is_null(type_):
            return dress(pa.nulls(len(rows)), self.column.info.type)
        if pt.is_boolean(type_):
            return dress(from_bools(values, valid), self.column.info.type)
        if pt.is_temporal(type_):
            values, valid = self._stamps(type_, rows, values, valid)
        elif pt.is_float16(type_):
            values = values.astype(np.float16)
        return dress(from_numpy(values, type_, valid), self.column.info.type)

    def _stamps(
        self, type_: pa.DataType, rows: np.ndarray, values: np.ndarray, valid: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray | None]:
        raw = values // nanoseconds_per_unit(type_)
        if self.strays is not None and valid is not None:
            far, stored = self.strays
            at = np.minimum(np.searchsorted(far, rows), len(far) - 1)
            hit = far[at] == rows
            raw[hit] = stored[at[hit]]
            valid = valid | hit
        return raw.astype(np.int32 if type_.bit_width == 32 else np.int64), valid


@dataclass(frozen=True)
class Labels:
    """Categories: `labels` are the sorted labels in the type of the column's values."""

    column: Column
    labels: pa.Array

    def __call__(self, rows: np.ndarray) -> pa.Array:
        valid = None if self.column.valid is None else self.column.valid[rows]
        codes = from_numpy(self.column.values[rows], pa.int32(), valid)
        return dress(self.labels.take(codes), self.column.info.type)


@dataclass(frozen=True)
class Kept:
    """Values that float64 cannot hold (decimals): the Arrow arrays themselves."""

    values: pa.ChunkedArray

    def __call__(self, rows: np.ndarray) -> pa.Array:
        return take_rows(self.values, rows).combine_chunks()


def dress(array: pa.Array, type_: pa.DataType) -> pa.Array:
    """The array in the column's own type: extension, run-end encoding, dictionary and view types put on again."""
    if array.type == type_:
        return array
    if isinstance(type_, pa.BaseExtensionType):
        return pa.ExtensionArray.from_storage(type_, dress(array, type_.storage_type))
    if pt.is_run_end_encoded(type_):
        return _in_runs(dress(array, type_.value_type), type_.run_end_type)
    if pt.is_dictionary(type_):
        encoded = array.dictionary_encode()  # before its labels have their own type, which pyarrow may not encode
        codes, labels = encoded.indices.cast(type_.index_type), dress(encoded.dictionary, type_.value_type)
        return pa.DictionaryArray.from_arrays(codes, labels, ordered=type_.ordered)
    return array.cast(type_)


def _in_runs(array: pa.Array, ends: pa.DataType) -> pa.Array:
    try:
        return pc.run_end_encode(array, ends)
    except pa.ArrowNotImplementedError:  # of dictionaries and of view types
        rows = np.arange(1, len(array) + 1, dtype=str(ends))
        return pa.RunEndEncodedArray.from_arrays(from_numpy(rows, ends), array)


def restored(column: Column) -> pa.Array | None:
    """The true values of a column of which nothing but its axis numbers is known; None where they do not say all.

    A decimal is not its float64; NaN among floats may have been null, and a stamp that is not valid one out of range;
    labels of categories other than text have lost their type.
    """
    type_ = storage_type(column.info.type)
    rows = np.arange(len(column))
    if column.categories is not None:
        text = type_.value_type if pt.is_dictionary(type_) else type_
        if not (pt.is_string(text) or pt.is_large_string(text)):
            return None
        return Labels(column, pa.array(column.categories, text))(rows)
    if pt.is_decimal(type_) or pt.is_null(type_) or pt.is_dictionary(type_):
        return None
    if column.values.dtype.kind == "f" and np.isnan(column.values).any():
        return None
    if pt.is_temporal(type_) and column.valid is not None and not column.valid.all():
        return None
    return Numeric(column)(rows)
