"""How many bytes the values of some rows take, known before they are put together: a label of a dictionary, or a value
of a run, may be written out once a row."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.types as pt

from bigviz.common.errors import TooLarge
from bigviz.data.columns.kinds import storage_type

__all__ = ["MOST_WRITTEN", "Room", "written_bytes"]

MOST_WRITTEN: Final = 512 << 20
"""Bytes of rows that are put together at a time."""
_CODE: Final = 4
_VIEW: Final = 16  # bytes of a view, which begin with its length

Rows = npt.NDArray[np.int64]


class Room:
    """At most `most` bytes of values. Safe to use from several threads: at worst each goes over it once."""

    def __init__(self, most: int = MOST_WRITTEN) -> None:
        self._most = most
        self._taken = 0

    def take(self, values: pa.Array | pa.ChunkedArray, rows: Rows, type_: pa.DataType | None = None) -> None:
        """Make room for the values at `rows`, as values of `type_` (None: of their own type). Raises TooLarge where
        there is not enough."""
        shared = pt.is_dictionary(values.type) and (type_ is None or pt.is_dictionary(type_))
        self._taken += len(rows) * _CODE if shared else written_bytes(values, rows)
        if self._taken > self._most:
            raise TooLarge(
                f"These rows take more than {self._most >> 20:,} MiB: ask for fewer rows, or fewer columns of text.",
                "columns",
            )


def written_bytes(values: pa.Array | pa.ChunkedArray, rows: Rows) -> int:
    """Bytes of the values at `rows` (in range, any order), each written out; those of nested types are estimated from
    their mean."""
    if not isinstance(values, pa.ChunkedArray):
        return _of_array(values, rows)
    starts = np.cumsum([0, *map(len, values.chunks)])
    chunk = np.searchsorted(starts, rows, "right") - 1
    return sum(_of_array(values.chunk(at), rows[chunk == at] - starts[at]) for at in np.unique(chunk).tolist())


def _of_array(array: pa.Array, rows: Rows) -> int:
    if isinstance(array.type, pa.BaseExtensionType):
        array = array.storage
    type_ = array.type
    if not len(rows):
        return 0
    if pt.is_dictionary(type_):
        codes = array.indices.fill_null(0).to_numpy(zero_copy_only=False)[rows].astype(np.int64)
        return 0 if not len(array.dictionary) else _of_array(array.dictionary, codes)
    if pt.is_run_end_encoded(type_):
        ends = array.run_ends.to_numpy()
        return _of_array(array.values, np.searchsorted(ends, rows + array.offset, "right").astype(np.int64))
    lengths = _lengths(array, rows)
    if lengths is not None:
        return int(lengths.sum(dtype=np.int64)) + len(rows) * lengths.itemsize
    if pt.is_primitive(type_):
        return int(len(rows) * type_.bit_width // 8 + 1)
    return int(-(-array.nbytes * len(rows) // max(1, len(array))))


def _lengths(array: pa.Array, rows: Rows) -> npt.NDArray[Any] | None:
    """The lengths of texts or bytes; None for values that are neither."""
    type_ = storage_type(array.type)
    at = rows + array.offset
    if pt.is_string(type_) or pt.is_binary(type_) or pt.is_large_string(type_) or pt.is_large_binary(type_):
        wide = pt.is_large_string(type_) or pt.is_large_binary(type_)
        offsets = np.frombuffer(array.buffers()[1] or b"\0" * 8, np.int64 if wide else np.int32)
        return np.asarray(offsets[at + 1] - offsets[at])
    if pt.is_string_view(type_) or pt.is_binary_view(type_):
        views = np.frombuffer(array.buffers()[1], np.int32).reshape(-1, _VIEW // 4)
        return np.asarray(views[at, 0])
    return None
