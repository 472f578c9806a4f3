"""A column of many small batches of a log, concatenated: a batch of one row costs as much to read as one of
thousands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pyarrow as pa

from bigviz.data.appending.batches import Batches

__all__ = ["column_arrays", "in_type"]

_LARGE: Final = 64 << 10  # bytes of a block that is read where it lies
_TOGETHER: Final = 4 << 20  # bytes of small ones that are read together


def column_arrays(batches: Batches, start: int, stop: int, schema: pa.Schema, index: int) -> Iterator[pa.Array]:
    """A column of the appends [start, stop), of which there is one, and whose `schema` has no dictionaries. Raises
    Unreadable, and what Arrow does."""
    block, last = batches.block(start), batches.block(stop - 1) + 1
    low, high = batches.first[start], batches.stop(stop - 1)
    while block < last:
        end = _end(batches, block, last)
        payloads = batches.payloads(block, end)
        if end - block == 1:
            array = pa.ipc.read_record_batch(payloads[0], schema).column(index)
        else:
            stream = pa.py_buffer(b"".join([schema.serialize(), *payloads]))
            with pa.ipc.open_stream(stream, options=pa.ipc.IpcReadOptions(included_fields=[index])) as reader:
                array = pa.concat_arrays(reader.read_all().column(0).chunks)
        first = batches.first_of(block)
        begin = max(low - first, 0)
        yield array.slice(begin, min(high - first, len(array)) - begin)
        block = end


def _end(batches: Batches, start: int, stop: int) -> int:
    """The block after the last of those that are read together."""
    size, end = batches.size[start], start + 1
    if size >= _LARGE:
        return end
    while end < stop and batches.size[end] < _LARGE and size + batches.size[end] <= _TOGETHER:
        size += batches.size[end]
        end += 1
    return end


def in_type(array: pa.Array, type_: pa.DataType) -> list[pa.Array]:
    """Values in a type of dictionaries, in as many arrays as its codes are enough for."""
    try:
        return [array.cast(type_)]
    except pa.ArrowInvalid:
        half = len(array) // 2
        if not half:
            raise
        return [*in_type(array.slice(0, half), type_), *in_type(array.slice(half), type_)]
