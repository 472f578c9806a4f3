"""Arrow arrays into axis numbers: the one place where types, units, nulls and out-of-range values are decided."""

from __future__ import annotations

import threading

import numpy as np
import pyarrow as pa
import pyarrow.types as pt

from bigviz.data.column import Column, ColumnInfo
from bigviz.data.decimals import decimals
from bigviz.data.kinds import storage_type

__all__ = ["Numbers", "axis_dtype", "plain"]

_DAY = 86_400_000_000_000
_UNIT = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}


def plain(array: pa.Array) -> pa.Array:
    """The array without extension types and run-end encoding; the same array when it has neither."""
    while True:
        if isinstance(array, pa.ExtensionArray):
            array = array.storage
        elif isinstance(array, pa.RunEndEncodedArray):
            array = pa.compute.run_end_decode(array)
        else:
            return array


def axis_dtype(type_: pa.DataType) -> np.dtype:
    """The dtype of a plottable column's axis numbers."""
    type_ = storage_type(type_)
    if pt.is_boolean(type_):
        return np.dtype(np.uint8)
    if pt.is_float16(type_) or pt.is_null(type_):
        return np.dtype(np.float32)
    if pt.is_integer(type_) or pt.is_floating(type_):
        return np.dtype(type_.to_pandas_dtype())
    if pt.is_decimal(type_):
        return np.dtype(np.float64)
    if pt.is_temporal(type_):
        return np.dtype(np.int64)
    return np.dtype(np.int32)


def nanoseconds_per_unit(type_: pa.DataType) -> int:
    """How many nanoseconds one step of a time type's stored integer is."""
    if pt.is_date32(type_):
        return _DAY
    return 1_000_000 if pt.is_date64(type_) else _UNIT[type_.unit]


def fixed_view(array: pa.Array, dtype: np.dtype) -> np.ndarray:
    """The stored values of an array of fixed width, without a copy; whatever lies under nulls included."""
    data = array.buffers()[1]
    if len(array) == 0 or data is None:
        return np.zeros(len(array), dtype)
    return np.frombuffer(data, dtype, count=len(array), offset=array.offset * dtype.itemsize)


def valid_mask(array: pa.Array) -> np.ndarray | None:
    """True where the row is not null; None if no row is."""
    if array.null_count == 0:
        return None
    bits = pa.BooleanArray.from_buffers(pa.bool_(), len(array), [None, array.buffers()[0]], 0, array.offset)
    mask: np.ndarray = bits.to_numpy(zero_copy_only=False)
    return mask


class Numbers:
    """Collects the rows of a column that is not a category. `add` may be called from several threads, on rows of its own."""

    def __init__(self, info: ColumnInfo, num_rows: int) -> None:
        self.info = info
        self.type = storage_type(info.type)
        self.values = np.empty(num_rows, axis_dtype(info.type))
        self.valid: np.ndarray | None = None
        self._lock = threading.Lock()

    def add(self, start: int, array: pa.Array) -> None:
        """Convert `array` into the rows from `start` on."""
        array = plain(array)
        out = self.values[start : start + len(array)]
        if pt.is_null(self.type):
            out.fill(np.nan)
            return
        valid = valid_mask(array)
        if pt.is_temporal(self.type):
            valid = _times(array, self.type, out, valid)
        elif pt.is_decimal(self.type):
            decimals(array, out)
        elif pt.is_boolean(self.type):
            out[:] = array.cast(pa.uint8())
        elif pt.is_float16(self.type):
            out[:] = fixed_view(array, np.dtype(np.float16))
        else:
            out[:] = fixed_view(array, out.dtype)
        if valid is None:
            return
        out[~valid] = np.nan if self.info.kind == "float" else 0
        if self.info.kind != "float":
            self._all_valid()[start : start + len(array)] = valid

    def _all_valid(self) -> np.ndarray:
        with self._lock:
            if self.valid is None:
                self.valid = np.ones(len(self.values), np.bool_)
            return self.valid

    def finish(self) -> Column:
        self.values.flags.writeable = False
        return Column(self.info, self.values, self.valid, None)


def _times(array: pa.Array, type_: pa.DataType, out: np.ndarray, valid: np.ndarray | None) -> np.ndarray | None:
    """Write nanoseconds into `out`; the mask grows by what int64 nanoseconds cannot hold."""
    raw = fixed_view(array, np.dtype(np.int32 if type_.bit_width == 32 else np.int64))
    step = nanoseconds_per_unit(type_)
    if step == 1:
        out[:] = raw
        return valid
    low, high = -(2**63 // step), (2**63 - 1) // step
    np.multiply(raw, step, out=out, dtype=np.int64)
    if len(raw) == 0 or (low <= raw.min() and raw.max() <= high):
        return valid
    inside = (raw >= low) & (raw <= high)
    return inside if valid is None else inside & valid
