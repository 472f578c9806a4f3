"""Arrow arrays as cells that say all about their values, which axis numbers do not."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.types as pt

from bigviz.data.columns.arrow_arrays import fixed_view, from_numpy, plain, valid_mask
from bigviz.data.columns.categories import label_texts, own_codes
from bigviz.data.columns.column import ColumnInfo
from bigviz.data.columns.kinds import describe, has_labels, nanoseconds_per_unit
from bigviz.data.columns.numbers import Numbers
from bigviz.data.filters.cells import Cells, everywhere

__all__ = ["cells_of_array"]


def cells_of_array(info: ColumnInfo, array: pa.Array) -> Cells:
    """An array of a column: null among floats, times in their own steps, decimals themselves. Labels that are no text
    come as the numbers and times that they are."""
    array = plain(array)
    if pt.is_dictionary(array.type) and not has_labels(plain(array.dictionary).type):
        return _of_labels(info, array)
    if has_labels(array.type):
        codes, labels = own_codes(array)
        return Cells(codes, None if not (codes < 0).any() else codes >= 0, tuple(label_texts(labels)))
    valid = valid_mask(array)
    if pt.is_temporal(array.type):
        stored = fixed_view(array, np.dtype(np.int32 if array.type.bit_width == 32 else np.int64))
        return Cells(stored, valid, None, nanoseconds_per_unit(array.type))
    if pt.is_integer(array.type) or pt.is_float32(array.type) or pt.is_float64(array.type):
        return Cells(fixed_view(array, _dtype(array.type)), valid)
    numbers = Numbers(describe(pa.field(info.name, array.type)), len(array))
    numbers.add(0, array)
    return Cells(numbers.values, valid, None, 1, _comparable(array))


def _of_labels(info: ColumnInfo, array: pa.DictionaryArray) -> Cells:
    labels = cells_of_array(info, array.dictionary)
    codes: npt.NDArray[Any] = fixed_view(array.indices, np.dtype(str(array.type.index_type)))
    valid = valid_mask(array.indices)
    if valid is not None:
        codes = np.where(valid, codes, 0)
    if not len(labels.values):
        return Cells(np.zeros(len(codes), labels.values.dtype), np.zeros(len(codes), np.bool_), None, labels.step)
    exact = None if labels.exact is None else labels.exact.take(from_numpy(codes.astype(np.int64), pa.int64()))
    known = None if labels.valid is None else labels.valid[codes]
    return Cells(labels.values[codes], everywhere(valid, known), None, labels.step, exact)


def _comparable(array: pa.Array) -> pa.Array | None:
    """Decimals in a type that pyarrow compares and takes rows of; None where there is none, and of other arrays."""
    type_ = array.type
    if not pt.is_decimal(type_) or type_.scale < 0:
        return None
    return array.cast(pa.decimal128(type_.precision, type_.scale)) if type_.bit_width < 128 else array


def _dtype(type_: pa.DataType) -> np.dtype[np.generic]:
    return np.dtype("float64" if pt.is_float64(type_) else "float32" if pt.is_float32(type_) else str(type_))
