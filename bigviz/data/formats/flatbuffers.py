"""Reading flatbuffers, in which Arrow's metadata are written: https://flatbuffers.dev/internals.

Nothing read here is trusted: offsets are read within the buffer, or IndexError or `struct.error` is raised.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np

__all__ = ["field", "root", "tables", "vector"]

Buffer = bytes | bytearray


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
