"""How many bytes the values of some rows take, known before they are put together: a label of a dictionary, or a value
of a run, may be written out once a row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.types as pt

from bigviz.common.errors import TooLarge
from bigviz.data.columns.kinds import storage_type

__all__ = ["MOST_WRITTEN", "Room", "written_bytes"]

MOST_WRITTEN: Final = 512 << 20
"""Bytes of rows that are put together at a time, at most."""
_CODE: Final = 4  # bytes of a dictionary's index
_VIEW: Final = 16  # bytes of a view, which begin with its length
_ITEMS: Final = 1 << 20  # of lists that are looked at at a time

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
    """Bytes of the values at `rows` (in range, any order), each written out, with those within lists and structs; those
    of other nested types are estimated from their mean."""
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
        codes = array.indices.take(pa.array(rows)).drop_null().to_numpy()
        return _of_array(array.dictionary, codes.astype(np.int64))
    if pt.is_run_end_encoded(type_):
        ends = array.run_ends.to_numpy()
        return _of_array(array.values, np.searchsorted(ends, rows + array.offset, "right").astype(np.int64))
    lengths = _lengths(array, rows)
    if lengths is not None:
        return int(lengths.sum(dtype=np.int64)) + len(rows) * lengths.itemsize
    if pt.is_primitive(type_):
        return int(len(rows) * type_.bit_width // 8 + 1)
    if pt.is_struct(type_):
        there = rows[_is_valid(array, rows + array.offset)]
        return sum(_of_array(array.field(at), there) for at in range(type_.num_fields))
    found = _ranges(array, rows)
    if found is not None:
        return len(rows) * _VIEW + sum(_of_array(array.values, items) for items in _items(*found))
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
        return np.where(_is_valid(array, at), views[at, 0], 0)  # the view of a null may hold anything
    return None


def _ranges(array: pa.Array, rows: Rows) -> tuple[Rows, Rows] | None:
    """Where the items of lists begin among all items, and how many they are; None for values that are no lists."""
    type_, at = array.type, rows + array.offset
    if pt.is_fixed_size_list(type_):
        starts, counts = at * type_.list_size, np.full(len(at), type_.list_size)
    elif pt.is_list(type_) or pt.is_large_list(type_) or pt.is_map(type_):
        offsets = np.frombuffer(array.buffers()[1] or b"\0" * 8, np.int64 if pt.is_large_list(type_) else np.int32)
        starts, counts = offsets[at].astype(np.int64), (offsets[at + 1] - offsets[at]).astype(np.int64)
    elif pt.is_list_view(type_) or pt.is_large_list_view(type_):
        width = np.int32 if pt.is_list_view(type_) else np.int64
        starts, counts = (np.frombuffer(each, width)[at].astype(np.int64) for each in array.buffers()[1:3])
    else:
        return None
    return starts, np.where(_is_valid(array, at), counts, 0)


def _items(starts: Rows, counts: Rows) -> Iterator[Rows]:
    """The places of the items of lists, some at a time."""
    ends = np.cumsum(counts)
    for first in range(0, int(ends[-1]), _ITEMS):
        at = np.arange(first, min(first + _ITEMS, int(ends[-1])))
        row = np.searchsorted(ends, at, "right")
        yield starts[row] + at - (ends[row] - counts[row])


def _is_valid(array: pa.Array, at: Rows) -> npt.NDArray[np.bool_]:
    """Whether the values at these places of an array's buffers are there."""
    bits = array.buffers()[0]
    if bits is None:
        return np.ones(len(at), np.bool_)
    return np.asarray(np.frombuffer(bits, np.uint8)[at >> 3] >> (at & 7) & 1, np.bool_)
