"""Between Arrow's buffers and NumPy, without a copy and without pandas.

`pa.array(ndarray)` and `Array.to_numpy()` import pandas where it is installed (0.3 s at the start of a server); these
do not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bigviz.common.cancel import NEVER, Cancel
from bigviz.data.columns.kinds import has_labels

__all__ = [
    "admit",
    "admit_schema",
    "aligned",
    "bits",
    "fixed_view",
    "from_bools",
    "from_numpy",
    "grouped",
    "plain",
    "take_rows",
    "valid_mask",
]

_GROUP = 1 << 20
_GROUP_BYTES = 1 << 28


def plain(array: pa.Array) -> pa.Array:
    """The array without extension types and run-end encoding (of views: as large text or bytes); the same array when
    it has neither."""
    while True:
        if isinstance(array, pa.ExtensionArray):
            array = array.storage
        elif isinstance(array, pa.RunEndEncodedArray):
            array = _run_end_decoded(array)
        else:
            return array


def _run_end_decoded(array: pa.RunEndEncodedArray) -> pa.Array:
    try:
        return pc.run_end_decode(array)
    except pa.ArrowNotImplementedError:  # runs of dictionaries and of view types
        ends = fixed_view(array.run_ends, np.dtype(str(array.run_ends.type)))
        runs = np.searchsorted(ends, np.arange(array.offset, array.offset + len(array)), side="right")
        return _takeable(array.values).take(from_numpy(runs, pa.int64()))


def _takeable(array: pa.Array) -> pa.Array:
    """The array in a type that pyarrow can take rows of: it cannot do that with views."""
    if pa.types.is_string_view(array.type):
        return array.cast(pa.large_string())
    return array.cast(pa.large_binary()) if pa.types.is_binary_view(array.type) else array


def fixed_view(array: pa.Array, dtype: np.dtype) -> np.ndarray:
    """The stored values of an array of fixed width, without a copy; whatever lies under nulls included."""
    data = array.buffers()[1]
    if len(array) == 0 or data is None:
        return np.zeros(len(array), dtype)
    return np.frombuffer(data, dtype, count=len(array), offset=array.offset * dtype.itemsize)


def bits(buffer: pa.Buffer, offset: int, length: int) -> np.ndarray:
    """Arrow's bits from `offset` on as uint8 0 and 1."""
    first = offset // 8
    octets = np.frombuffer(buffer, np.uint8)[first : (offset + length + 7) // 8]
    return np.unpackbits(octets, bitorder="little")[offset - 8 * first :][:length]


def valid_mask(array: pa.Array) -> np.ndarray | None:
    """True where the row is not null; None if every row is."""
    if pa.types.is_null(array.type):
        return np.zeros(len(array), np.bool_)
    if array.null_count == 0:
        return None
    return bits(array.buffers()[0], array.offset, len(array)).view(np.bool_)


def from_numpy(values: np.ndarray, type_: pa.DataType, valid: np.ndarray | None = None) -> pa.Array:
    """An array over the memory of `values`, whose dtype is the one that `type_` is stored in."""
    values = np.ascontiguousarray(values)
    nulls = None if valid is None else pa.py_buffer(np.packbits(valid, bitorder="little"))
    return pa.Array.from_buffers(type_, len(values), [nulls, pa.py_buffer(values)])


def from_bools(values: np.ndarray, valid: np.ndarray | None = None) -> pa.Array:
    """A boolean array of a bool or uint8 one."""
    packed = np.packbits(values, bitorder="little")
    nulls = None if valid is None else pa.py_buffer(np.packbits(valid, bitorder="little"))
    return pa.Array.from_buffers(pa.bool_(), len(values), [nulls, pa.py_buffer(packed)])


def admit(array: pa.Array) -> None:
    """Raise `ArrowInvalid` if the array's buffers are too short, its offsets or dictionary codes out of range, its
    text not UTF-8…

    Kernels run without bounds checks, so nothing enters unchecked. Dates and times of day are checked as plain
    integers: Arrow also wants dates in milliseconds to be whole days and times within a day, but others are numbers
    all the same.
    """
    if isinstance(array, pa.ExtensionArray):
        admit(array.storage)
        return
    if pa.types.is_date64(array.type) or pa.types.is_time64(array.type):
        array = array.view(pa.int64())
    elif pa.types.is_time32(array.type):
        array = array.view(pa.int32())
    array.validate(full=True)


def admit_schema(schema: pa.Schema) -> pa.Schema:
    """The schema without its metadata; raises `UnicodeDecodeError` if a name or a time zone in it is not UTF-8."""
    for field in schema:
        _decode_names(field)
    return schema.remove_metadata()


def _decode_names(field: pa.Field) -> None:
    """Touch whatever pyarrow decodes when it is asked for it."""
    type_ = field.type
    _ = field.name, getattr(type_, "tz", None)
    for child in range(type_.num_fields):
        _decode_names(type_.field(child))


def grouped(arrays: Iterable[pa.Array]) -> Iterator[pa.Array]:
    """The same rows in arrays of about a million, if they are text or labels that come in smaller ones.

    Each array of labels is encoded on its own, so many small ones with the same labels cost much more than a few large
    ones (measured with 500,000 labels in 10^7 rows: 8 s in 77 arrays, 2 s in 10).
    """
    group: list[pa.Array] = []
    rows = size = 0
    for array in arrays:
        if len(array) >= _GROUP or not has_labels(array.type):
            yield from _joined(group)
            group, rows, size = [], 0, 0
            yield array
            continue
        group.append(array)
        rows += len(array)
        size += array.nbytes
        if rows >= _GROUP or size >= _GROUP_BYTES:
            yield from _joined(group)
            group, rows, size = [], 0, 0
    yield from _joined(group)


def aligned(columns: Sequence[Iterator[pa.Array]], cancel: Cancel = NEVER) -> Iterator[list[pa.Array]]:
    """Columns of the same rows, cut differently, in arrays of equal length: at most 2^20 rows, never none.

    `cancel` is looked at before each array is read: those of some columns are many megabytes together.
    """
    rest = [pa.nulls(0) for _ in columns]
    while True:
        for at, column in enumerate(columns):
            cancel.check()
            while len(rest[at]) == 0:
                array = next(column, None)
                if array is None:
                    return
                rest[at] = array
        rows = min(_GROUP, *map(len, rest))
        yield [array.slice(0, rows) for array in rest]
        rest = [array.slice(rows) for array in rest]


def _joined(group: list[pa.Array]) -> list[pa.Array]:
    if len(group) < 2:
        return group
    try:
        return [pa.concat_arrays(group)]
    except pa.ArrowException:  # dictionaries with a null among their labels cannot be unified
        return group


def take_rows(values: pa.ChunkedArray, rows: np.ndarray) -> pa.ChunkedArray:
    """The values at `rows` (int64, in range), in that order, for every type.

    pyarrow's own take lacks view types, run ends and dictionaries with a null label; these are put together a row at a
    time.
    """
    try:
        return values.take(from_numpy(rows, pa.int64()))
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        return pa.chunked_array([_slice_one(values, row) for row in rows.tolist()], values.type)


def _slice_one(values: pa.ChunkedArray, row: int) -> pa.Array:
    return next(chunk for chunk in values.slice(row, 1).chunks if len(chunk))
