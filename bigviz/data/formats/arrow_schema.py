"""Schemas in Arrow's own metadata, changed where pyarrow would refuse them whole for one column.

A schema is a flatbuffer: https://github.com/apache/arrow/blob/main/format/Schema.fbs. polars writes integers of 128
bits, which Arrow has no type for; they are stored as bytes of fixed size are, so a column of them can be passed over.
"""

from __future__ import annotations

import struct
from typing import Final

import pyarrow as pa

from bigviz.data.formats.flatbuffers import CONTINUED, field, footer_of, metadata_at, root, tables

__all__ = ["without_wide_integers", "without_wide_integers_in"]

_INT, _FIXED_SIZE_BINARY = 2, 15
_DEEPEST: Final = 64


def without_wide_integers(message: bytes, footer: bool = False) -> tuple[bytes, dict[int, str]]:
    """A schema message (or the footer of an IPC file) of the same length whose integers of more than 64 bits are bytes
    of fixed size, and the columns that hold such, by position, with the reason why they cannot be used.

    Raises ValueError, IndexError or `struct.error` for what is no schema.
    """
    start = 0 if footer else 8 if message.startswith(CONTINUED) else 4
    top = root(message, start)
    at = field(message, top, 1 if footer else 2)
    if not at:
        raise ValueError("no schema")
    data = bytearray(message)
    schema = at + struct.unpack_from("<I", message, at)[0]
    done: dict[int, int] = {}
    wide: dict[int, str] = {}
    for position, table in enumerate(tables(message, schema, 1)):
        bits = _narrow(data, table, done, 0)
        if bits:
            wide[position] = f"holds integers of {bits} bits, which pyarrow cannot read"
    return bytes(data), wide


def without_wide_integers_in(handle: pa.NativeFile, stream: bool) -> tuple[dict[int, bytes], dict[int, str]]:
    """The bytes to be changed in an IPC file or stream, by offset, and the columns as above."""
    start = 0 if stream else 8
    patches: dict[int, bytes] = {}
    wide: dict[int, str] = {}
    prefix = handle.read_at(8, start)
    if stream or prefix.startswith(CONTINUED):  # polars writes no such message into files: the footer is enough
        message = metadata_at(handle, start, 8 + struct.unpack("<i", prefix[4:])[0])
        patches[start], wide = without_wide_integers(message)
    if not stream:
        start, footer = footer_of(handle)
        patches[start], wide = without_wide_integers(footer, footer=True)
    return patches, wide


def _narrow(data: bytearray, table: int, done: dict[int, int], depth: int) -> int:
    """Change a field's type and those of its children; the most bits of an integer that was changed, or 0."""
    if depth > _DEEPEST:
        raise ValueError("a schema nested too deep")
    most = max((_narrow(data, child, done, depth + 1) for child in tables(data, table, 5)), default=0)
    kind, type_ = field(data, table, 2), field(data, table, 3)
    if not kind or not type_ or data[kind] not in (_INT, _FIXED_SIZE_BINARY):
        return most
    integer = type_ + struct.unpack_from("<I", data, type_)[0]
    width = field(data, integer, 0)
    if integer not in done:  # fields may share a type
        bits = struct.unpack_from("<i", data, width)[0] if width else 0
        if data[kind] != _INT or bits <= 64 or bits % 8:
            return most
        struct.pack_into("<i", data, width, bits // 8)
        done[integer] = bits
    data[kind] = _FIXED_SIZE_BINARY
    return max(most, done[integer])
