"""Arrow's metadata, which are flatbuffers (https://flatbuffers.dev/internals), and where IPC files hold them.

Nothing read here is trusted: offsets are read within the buffer, or IndexError or `struct.error` is raised.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa

__all__ = ["CONTINUED", "field", "footer_of", "metadata_at", "root", "tables", "vector"]

CONTINUED: Final = b"\xff\xff\xff\xff"
"""What a message begins with, before its length. Arrow before 0.15 wrote the length alone."""

Buffer = bytes | bytearray
_MOST_METADATA: Final = 1 << 28


def metadata_at(handle: pa.NativeFile, start: int, size: int) -> bytes:
    """Some bytes of metadata; ValueError if the file does not hold them, or if they are more than metadata can be."""
    if not (0 < size <= _MOST_METADATA and 0 <= start <= handle.size() - size):
        raise ValueError("metadata outside the file")
    return bytes(handle.read_at(size, start))


def footer_of(handle: pa.NativeFile) -> tuple[int, bytes]:
    """Where the footer of an IPC file begins, and its bytes: its length and `ARROW1` stand after it."""
    (length,) = struct.unpack("<i", handle.read_at(4, handle.size() - 10))
    start = handle.size() - 10 - length
    return start, metadata_at(handle, start, length)


def root(data: Buffer, start: int) -> int:
    """Where the outermost table of a flatbuffer at `start` is."""
    return start + int(struct.unpack_from("<I", data, start)[0])


def field(data: Buffer, table: int, slot: int) -> int:
    """Where field `slot` of a table is; 0 if it is not there."""
    vtable = table - struct.unpack_from("<i", data, table)[0]
    if vtable < 0 or 4 + 2 * slot >= struct.unpack_from("<H", data, vtable)[0]:
        return 0
    offset = int(struct.unpack_from("<H", data, vtable + 4 + 2 * slot)[0])
    return table + offset if offset else 0


def vector(data: Buffer, table: int, slot: int, item: np.dtype) -> np.ndarray:
    """A copy of a vector of structs."""
    at = field(data, table, slot)
    if not at:
        return np.empty(0, item)
    at += struct.unpack_from("<I", data, at)[0]
    return np.frombuffer(data, item, struct.unpack_from("<I", data, at)[0], at + 4).copy()


def tables(data: Buffer, table: int, slot: int) -> Iterator[int]:
    """Where the tables of a vector are."""
    at = field(data, table, slot)
    if not at:
        return
    at += struct.unpack_from("<I", data, at)[0]
    for place in range(at + 4, at + 4 + 4 * struct.unpack_from("<I", data, at)[0], 4):
        yield place + struct.unpack_from("<I", data, place)[0]
