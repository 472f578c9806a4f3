"""Arrow arrays to axis numbers: the one place where types, units, nulls and out-of-range values are decided."""

from __future__ import annotations

import threading

import numpy as np
import pyarrow as pa
import pyarrow.types as pt

from bigviz.data.arrow_errors import reading
from bigviz.data.columns.arrow_arrays import admit, bits, fixed_view, plain, valid_mask
from bigviz.data.columns.column import Column, ColumnInfo
from bigviz.data.columns.decimals import decimals
from bigviz.data.columns.kinds import nanoseconds_per_unit, storage_type
from bigviz.data.columns.true_values import Kept, Loaded, Numeric, Restore

__all__ = ["Numbers", "axis_dtype", "viewed", "without_copy"]


def axis_dtype(type_: pa.DataType) -> np.dtype:
    """The dtype of a plottable column's axis numbers."""
    type_ = storage_type(type_)
    if pt.is_boolean(type_):
        return np.dtype(np.uint8)
    if pt.is_integer(type_):
        return np.dtype(str(type_))
    if pt.is_float16(type_) or pt.is_float32(type_) or pt.is_null(type_):
        return np.dtype(np.float32)
    if pt.is_float64(type_) or pt.is_decimal(type_):
        return np.dtype(np.float64)
    if pt.is_temporal(type_):
        return np.dtype(np.int64)
    return np.dtype(np.int32)


def without_copy(info: ColumnInfo, values: pa.ChunkedArray) -> Column | None:
    """The column over Arrow's own memory, if it is stored as its axis numbers: one chunk, no null, nothing to
    convert."""
    if not _is_axis_numbers(info.type) or values.num_chunks != 1 or values.null_count:
        return None
    with reading(f"Column {info.name!r}", in_memory=True):
        admit(values.chunk(0))
    return viewed(info, values.chunk(0))


def viewed(info: ColumnInfo, array: pa.Array) -> Column | None:
    """A validated array as a column over its own memory, if it is stored as axis numbers without a null."""
    if not _is_axis_numbers(info.type) or array.type != info.type or array.null_count:
        return None
    numbers = fixed_view(array, axis_dtype(info.type))
    return Column(info, numbers, None, None) if numbers.flags.aligned else None


def _is_axis_numbers(type_: pa.DataType) -> bool:
    if pt.is_temporal(type_) and not pt.is_date(type_) and not pt.is_interval(type_):
        return bool(type_.unit == "ns")
    return bool(pt.is_integer(type_) or pt.is_float32(type_) or pt.is_float64(type_))


class Numbers:
    """Collects the rows of a column that is not a category. `add` may be called from several threads, on rows of its
    own."""

    def __init__(self, info: ColumnInfo, num_rows: int) -> None:
        self.info = info
        self.type = storage_type(info.type)
        self.values = np.empty(num_rows, axis_dtype(info.type))
        self.valid: np.ndarray | None = None
        self._strays: list[tuple[np.ndarray, np.ndarray]] = []
        self._kept: list[tuple[int, pa.Array]] = []
        self._lock = threading.Lock()

    def add(self, start: int, array: pa.Array) -> None:
        """Convert `array` into the rows from `start` on."""
        rows = slice(start, start + len(array))
        if pt.is_decimal(self.type):
            with self._lock:
                self._kept.append((start, array))
        array = plain(array)
        out = self.values[rows]
        valid = valid_mask(array)
        if pt.is_temporal(self.type):
            valid = self._times(start, array, out, valid)
        elif pt.is_decimal(self.type):
            decimals(array, out)
        elif pt.is_boolean(self.type):
            out[:] = bits(array.buffers()[1], array.offset, len(array)) if len(array) else 0
        elif pt.is_float16(self.type):
            out[:] = fixed_view(array, np.dtype(np.float16))
        elif not pt.is_null(self.type):
            out[:] = fixed_view(array, out.dtype)
        if valid is not None:
            out[~valid] = np.nan if self.info.kind == "float" else 0
            self._all_valid()[rows] = valid

    def finish(self) -> Loaded:
        """The column. Nothing may be added afterwards."""
        if self.info.kind == "float":
            column = Column(self.info, self.values, None, None)
            nulls = None if self.valid is None else np.packbits(~self.valid, bitorder="little")
            return Loaded(column, Numeric(column, nulls))
        column = Column(self.info, self.values, self.valid, None)
        restore: Restore
        if pt.is_decimal(self.type):
            chunks = [array for _, array in sorted(self._kept, key=lambda item: item[0]) if len(array)]
            restore = Kept(pa.chunked_array(chunks, self.info.type))
        else:
            restore = Numeric(column, strays=self._all_strays())
        return Loaded(column, restore)

    def _all_valid(self) -> np.ndarray:
        with self._lock:
            if self.valid is None:
                self.valid = np.ones(len(self.values), np.bool_)
            return self.valid

    def _times(self, start: int, array: pa.Array, out: np.ndarray, valid: np.ndarray | None) -> np.ndarray | None:
        """Write nanoseconds into `out`; what int64 nanoseconds cannot hold is not valid, and noted."""
        raw = fixed_view(array, np.dtype(np.int32 if self.type.bit_width == 32 else np.int64))
        step = nanoseconds_per_unit(self.type)
        np.multiply(raw, step, out=out, dtype=np.int64)
        low, high = -(2**63 // step), (2**63 - 1) // step
        if step == 1 or len(raw) == 0 or (low <= raw.min() and raw.max() <= high):
            return valid
        inside = (raw >= low) & (raw <= high)
        far = ~inside if valid is None else ~inside & valid
        at = np.flatnonzero(far)
        with self._lock:
            self._strays.append((at + start, raw[at].astype(np.int64)))
        return inside if valid is None else inside & valid

    def _all_strays(self) -> tuple[np.ndarray, np.ndarray] | None:
        if not any(len(rows) for rows, _ in self._strays):
            return None
        rows = np.concatenate([rows for rows, _ in self._strays])
        stored = np.concatenate([stored for _, stored in self._strays])
        order = np.argsort(rows)
        return rows[order], stored[order]
