"""Labels into ordinals: codes by sorted label."""

from __future__ import annotations

import threading

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from bigviz.data.column import Column, ColumnInfo
from bigviz.data.errors import Unplottable
from bigviz.data.numbers import fixed_view, plain, valid_mask

__all__ = ["MOST_CATEGORIES", "Categories"]

MOST_CATEGORIES = 1 << 20


class Categories:
    """Collects the rows of a category column. `add` may be called from several threads, on rows of its own.

    Each array keeps codes into its own labels until `finish` sorts the union of all labels and renames the codes in place, so
    the memory is one int32 a row and the labels. Only labels that some row has are kept.
    """

    def __init__(self, info: ColumnInfo, num_rows: int) -> None:
        self.info = info
        self.values = np.empty(num_rows, np.int32)
        self.valid: np.ndarray | None = None
        self.parts: list[tuple[int, int, pa.Array]] = []
        self._lock = threading.Lock()

    def add(self, start: int, array: pa.Array) -> None:
        """Encode `array` into the rows from `start` on."""
        array = plain(array)
        if not pt.is_dictionary(array.type):
            if array.type in (pa.string_view(), pa.binary_view()):
                array = array.cast(pa.large_string() if array.type == pa.string_view() else pa.large_binary())
            array = array.dictionary_encode()
        labels = array.dictionary
        codes = array.indices
        valid = valid_mask(array)
        out = self.values[start : start + len(array)]
        out[:] = fixed_view(codes, np.dtype(codes.type.to_pandas_dtype()))
        if valid is not None:
            out[~valid] = -1
        if labels.null_count:
            nulls = labels.is_null().to_numpy(zero_copy_only=False)
            out[np.append(nulls, False)[out]] = -1
        used = np.zeros(len(labels) + 1, np.bool_)
        used[out] = True
        with self._lock:
            self.parts.append((start, start + len(array), _used(labels, used, out)))

    def finish(self) -> Column:
        """The column; raises `Unplottable` beyond 2^20 labels."""
        labels = self._sorted_labels()
        if len(labels) > MOST_CATEGORIES:
            raise Unplottable(
                f"Column {self.info.name!r} has {len(labels):,} different labels; an axis or a colour has room for at most "
                f"{MOST_CATEGORIES:,}. Choose a column with fewer.",
                got=self.info.name,
            )
        for start, stop, own in self.parts:
            order = np.append(np.asarray(pc.index_in(own, labels), np.int32), np.int32(-1))
            self.values[start:stop] = order[self.values[start:stop]]
        missing = self.values < 0
        valid = None
        if missing.any():
            valid = ~missing
            self.values[missing] = 0
        self.values.flags.writeable = False
        return Column(self.info, self.values, valid, tuple(_text(labels)))

    def _sorted_labels(self) -> pa.Array:
        if not self.parts:
            return pa.array([], pa.string())
        union = pa.chunked_array([own for _, _, own in self.parts]).unique()
        return union.take(pc.sort_indices(union))


def _used(labels: pa.Array, used: np.ndarray, codes: np.ndarray) -> pa.Array:
    """The labels that occur; `codes` are renamed to match when some do not."""
    keep = used[:-1]
    if keep.all():
        return labels
    order = np.append(np.cumsum(keep, dtype=np.int32) - 1, np.int32(-1)).astype(np.int32)
    codes[:] = order[codes]
    return labels.filter(pa.array(keep))


def _text(labels: pa.Array) -> list[str]:
    if pt.is_binary(labels.type) or pt.is_large_binary(labels.type) or pt.is_fixed_size_binary(labels.type):
        raw = labels.to_pylist()
        try:
            return [item.decode() for item in raw]
        except UnicodeDecodeError:
            return [item.hex() for item in raw]
    return [str(item) for item in labels.to_pylist()]
