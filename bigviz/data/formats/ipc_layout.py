"""Where the rows of an Arrow IPC file lie, so that a part of a record batch can be read by copy.

pyarrow reads a batch whole, or maps the file (which kills the process when somebody truncates it). A writer that was
given a table without a chunk size puts all rows into one batch, which is then larger than memory. The metadata are
flatbuffers: https://arrow.apache.org/docs/format/Columnar.html#serialization-and-interprocess-communication-ipc.
Nothing read here is trusted: offsets are checked against the buffer or the file before use, and arrays are validated
by their users.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.types as pt

from bigviz.data.formats.flatbuffers import CONTINUED, field, footer_of, metadata_at, root, vector

__all__ = ["Batch", "Layout", "layout_of"]

_BLOCK: Final = np.dtype([("offset", "<i8"), ("metadata", "<i4"), ("pad", "<i4"), ("body", "<i8")])
_BUFFER: Final = np.dtype([("offset", "<i8"), ("size", "<i8")])
_RECORD_BATCH: Final = 3


@dataclass(frozen=True)
class Batch:
    """One record batch: its rows, where its body begins, and the buffers in it; `packed` if they are compressed."""

    rows: int
    body: int
    buffers: np.ndarray
    packed: bool


@dataclass(frozen=True)
class Layout:
    """The batches of a file, and its dictionaries as raw messages."""

    batches: tuple[Batch, ...]
    schema: pa.Schema
    head: bytes
    dictionaries: np.ndarray

    def can_slice(self, number: int) -> bool:
        """Whether parts of all columns of a batch can be read."""
        batch = self.batches[number]
        counts = [_buffers(field.type) for field in self.schema]
        fits = all(_sliceable(field.type) for field in self.schema) and sum(counts) == len(batch.buffers)
        return fits and not batch.packed and self.head.startswith(CONTINUED)

    def unpacked_size(self, handle: pa.NativeFile, number: int, index: int) -> int:
        """The bytes that a column of a compressed batch says that it unpacks to; 0 where that is not known."""
        batch, counts = self.batches[number], [_buffers(field.type) for field in self.schema]
        if not batch.packed or sum(counts) != len(batch.buffers) or not all(_sliceable(f.type) for f in self.schema):
            return 0
        first, total = sum(counts[:index]), 0
        for each in batch.buffers[first : first + counts[index]]:
            if each["size"] > 8:  # its size is before what is packed; -1: it is not packed
                told = handle.read_at(8, batch.body + int(each["offset"]))
                total += max(0, int.from_bytes(told, "little", signed=True))
        return total

    def slice(self, handle: pa.NativeFile, number: int, index: int, start: int, count: int) -> pa.Array:
        """Rows `start` (a multiple of 8) to `start + count` of column `index` of a batch that `can_slice`.

        Not validated. Raises ValueError if the file ends before its buffers do.
        """
        batch, type_ = self.batches[number], self.schema.field(index).type
        first = sum(_buffers(field.type) for field in list(self.schema)[:index])
        buffers = [(batch.body + int(each["offset"]), int(each["size"])) for each in batch.buffers[first:]]
        if pt.is_dictionary(type_):
            codes = _sliced(handle, type_.index_type, buffers, start, count)
            return pa.DictionaryArray.from_arrays(codes, self._dictionary(handle, index), ordered=type_.ordered)
        return _sliced(handle, type_, buffers, start, count)

    def _dictionary(self, handle: pa.NativeFile, index: int) -> pa.Array:
        """The labels of a column: a stream of the file's own schema and dictionaries, and a batch without rows."""
        messages = [
            handle.read_at(int(block["metadata"]) + int(block["body"]), int(block["offset"]))
            for block in np.sort(self.dictionaries, order="offset")
        ]
        empty = pa.RecordBatch.from_pylist([], self.schema).serialize().to_pybytes()
        return ipc.open_stream(b"".join([self.head, *messages, empty])).read_next_batch().column(index).dictionary


def layout_of(handle: pa.NativeFile, schema: pa.Schema) -> Layout | None:
    """The layout of an open file of that schema; None where its metadata cannot be followed."""
    try:
        return _read_layout(handle, schema)
    except (struct.error, ValueError, IndexError, OverflowError):
        return None


def _read_layout(handle: pa.NativeFile, schema: pa.Schema) -> Layout:
    _, footer = footer_of(handle)
    top = root(footer, 0)
    described = field(footer, top, 1)
    if not described or _is_big_endian(footer, described + struct.unpack_from("<I", footer, described)[0]):
        raise ValueError("not in this machine's byte order")
    dictionaries, blocks = vector(footer, top, 2, _BLOCK), vector(footer, top, 3, _BLOCK)
    batches = tuple(_read_batch(handle, int(block["offset"]), int(block["metadata"])) for block in blocks)
    prefix = handle.read_at(8, 8)
    head = metadata_at(handle, 8, 8 + struct.unpack("<i", prefix[4:])[0]) if prefix.startswith(CONTINUED) else b""
    return Layout(batches, schema, head, dictionaries)


def _is_big_endian(data: bytes, schema: int) -> bool:
    at = field(data, schema, 0)
    return at > 0 and bool(struct.unpack_from("<h", data, at)[0])


def _read_batch(handle: pa.NativeFile, offset: int, size: int) -> Batch:
    message = metadata_at(handle, offset, size)
    start = 8 if message.startswith(CONTINUED) else 4
    top = root(message, start)
    kind = field(message, top, 1)
    header = field(message, top, 2)
    if not kind or message[kind] != _RECORD_BATCH or not header:
        raise ValueError("not a record batch")
    table = header + struct.unpack_from("<I", message, header)[0]
    rows = field(message, table, 0)
    count = struct.unpack_from("<q", message, rows)[0] if rows else 0
    if count < 0:
        raise ValueError(f"a batch of {count:,} rows")
    return Batch(count, offset + size, vector(message, table, 2, _BUFFER), field(message, table, 3) > 0)


def _sliceable(type_: pa.DataType) -> bool:
    if pt.is_dictionary(type_):
        return True
    return bool(pt.is_null(type_) or _text_offsets(type_) or (pt.is_primitive(type_) or _is_fixed(type_)))


def _is_fixed(type_: pa.DataType) -> bool:
    return bool(pt.is_fixed_size_binary(type_) or pt.is_decimal(type_))


def _text_offsets(type_: pa.DataType) -> np.dtype | None:
    """The dtype of a text's offsets; None if the type is not text or bytes with offsets."""
    if pt.is_string(type_) or pt.is_binary(type_):
        return np.dtype("<i4")
    return np.dtype("<i8") if pt.is_large_string(type_) or pt.is_large_binary(type_) else None


def _buffers(type_: pa.DataType) -> int:
    """How many buffers a sliceable type is stored in."""
    if pt.is_null(type_):
        return 0
    return 3 if _text_offsets(type_) else 2


def _sliced(
    handle: pa.NativeFile, type_: pa.DataType, buffers: list[tuple[int, int]], start: int, count: int
) -> pa.Array:
    if pt.is_null(type_):
        return pa.nulls(count)
    valid = None if buffers[0][1] == 0 else _part(handle, buffers[0], start // 8, (count + 7) // 8)
    offsets = _text_offsets(type_)
    if offsets is None:
        data = _part(handle, buffers[1], start * type_.bit_width // 8, (count * type_.bit_width + 7) // 8)
        return pa.Array.from_buffers(type_, count, [valid, data])
    raw = _part(handle, buffers[1], start * offsets.itemsize, (count + 1) * offsets.itemsize)
    ends = np.frombuffer(raw, offsets)
    if ends[0] < 0 or ends[-1] < ends[0]:
        raise ValueError("offsets of text go backwards")
    data = _part(handle, buffers[2], int(ends[0]), int(ends[-1] - ends[0]))
    return pa.Array.from_buffers(type_, count, [valid, pa.py_buffer(ends - ends[0]), data])


def _part(handle: pa.NativeFile, buffer: tuple[int, int], start: int, size: int) -> pa.Buffer:
    """A copy of some bytes of a buffer of the file."""
    offset, length = buffer
    if not (offset >= 0 and 0 <= start <= length - size):
        raise ValueError(f"a buffer of {length:,} bytes does not hold the rows that its batch declares")
    handle.seek(offset + start)
    data = handle.read_buffer(size)  # read_at takes eight times as long: it makes bytes
    if data.size != size:
        raise ValueError(f"the file ends before its {offset + start + size:,}th byte")
    return data
