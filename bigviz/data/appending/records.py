"""The bytes of an append log: the head of a file, and records of one version each, with checksums (XXH64).

All numbers are little-endian, and everything begins at a multiple of 8 bytes.

file    16 bytes `bigviz append 1\\n`, 16 of the log's id, u64 number of the file, u64 number of its first row,
        u64 version before its first record, u64 bytes of the schema, u64 sum of all this and of the schema, the schema
        (an Arrow IPC message), zeros
record  4 bytes `bvR1`, u32 kind and flags, u64 bytes of the batch, u64 position in the file up to which all was durable
        when it was written, u64 version, u64 number of the first row, u64 rows, u64 time (nanoseconds since 1970),
        16 bytes of key and 16 of body (digests; zeros without a key), u64 sum of the batch, u64 sum of the 96 bytes
        before, the batch (an Arrow IPC message, uncompressed, without dictionaries), zeros

The kinds: 1 an append; 2 a seal, after which nothing comes; 3 a patch, whose batch is an Arrow IPC stream of the column
`_row` (int64 numbers of rows, ascending) and the columns that it changes, and whose rows are none of its own, so the
next first row is its own; 4 a roll: time has passed, and rows have become too old; 5 appends that follow each other,
merged into one (`merged`), whose version and time are those of the last.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final, NamedTuple

import pyarrow as pa
from xxhash import xxh64_intdigest

__all__ = [
    "APPEND", "HEAD", "MAGIC", "MERGED", "NO_KEY", "PATCH", "ROLL", "SEAL", "FileHead", "Record", "padded",
    "read_file_head", "read_record",
]  # fmt: skip

APPEND: Final = 1
SEAL: Final = 2
PATCH: Final = 3
ROLL: Final = 4
MERGED: Final = 5
_FSYNCED: Final = 1 << 8  # a flag: the append was acknowledged once it was on the disk
MAGIC: Final = b"bvR1"
NO_KEY: Final = bytes(16)
_RECORD: Final = struct.Struct("<4sI6Q16s16sQ")
_SUM: Final = struct.Struct("<Q")
HEAD: Final = _RECORD.size + _SUM.size
"""Bytes of a record before its batch."""
_FILE_MAGIC: Final = b"bigviz append 1\n"
_FILE: Final = struct.Struct("<16s16s4Q")
_LARGEST_SCHEMA: Final = 16 << 20


def padded(size: int) -> int:
    """The next multiple of 8."""
    return -(-size // 8) * 8


class Record(NamedTuple):
    """One append, patch, seal or roll without its rows. `settled` bytes of its file were durable when it was written: a
    record that ends there or before was acknowledged. `key` and `body` are digests of an idempotency key and of the
    body that came."""

    kind: int
    size: int
    settled: int
    version: int
    first: int
    rows: int
    time_ns: int
    key: bytes
    body: bytes
    payload_sum: int
    fsynced: bool = True

    @property
    def next(self) -> int:
        """The number of the row after it."""
        return self.first + (self.rows if self.kind in (APPEND, MERGED) else 0)

    @property
    def whole(self) -> int:
        """Bytes of the record with its batch and the zeros after it."""
        return HEAD + padded(self.size)

    def added_to(self, total: int) -> int:
        """The sum of the heads of all records up to this one, given that of those before."""
        return int(xxh64_intdigest(total.to_bytes(8, "little") + self.head()))

    def head(self) -> bytes:
        """The bytes before the batch."""
        fields = _RECORD.pack(
            MAGIC, self.kind | (_FSYNCED if self.fsynced else 0), self.size, self.settled, self.version, self.first,
            self.rows, self.time_ns, self.key, self.body, self.payload_sum,
        )  # fmt: skip
        return fields + _SUM.pack(xxh64_intdigest(fields))


def read_record(data: bytes | memoryview) -> Record | None:
    """The record whose head this is; None where it is not whole, or not what was written."""
    if len(data) < HEAD or data[:4] != MAGIC or _SUM.unpack_from(data, _RECORD.size)[0] != xxh64_intdigest(data[:96]):
        return None
    _, kind, size, settled, version, first, rows, time_ns, key, body, total = _RECORD.unpack_from(data)
    return Record(
        kind & 0xFF, size, settled, version, first, rows, time_ns, key, body, total, fsynced=bool(kind & _FSYNCED)
    )


@dataclass(frozen=True)
class FileHead:
    """What a file of a log begins with. `schema` is that of its batches."""

    log: bytes
    number: int
    first: int
    version: int
    schema: pa.Schema
    size: int

    @staticmethod
    def pack(log: bytes, number: int, first: int, version: int, schema: pa.Schema) -> bytes:
        """Its bytes."""
        described = bytes(schema.serialize())
        fields = _FILE.pack(_FILE_MAGIC, log, number, first, version, len(described))
        return fields + _SUM.pack(xxh64_intdigest(fields + described)) + described.ljust(padded(len(described)), b"\0")


def read_file_head(data: bytes) -> FileHead | None:
    """The head of a file that begins with `data`; None where it is not whole, or not what was written."""
    start = _FILE.size + _SUM.size
    if len(data) < start or data[:16] != _FILE_MAGIC:
        return None
    _, log, number, first, version, size = _FILE.unpack_from(data)
    if size > _LARGEST_SCHEMA or len(data) < start + size:
        return None
    described = data[start : start + size]
    if _SUM.unpack_from(data, _FILE.size)[0] != xxh64_intdigest(data[: _FILE.size] + described):
        return None
    schema = pa.ipc.read_schema(pa.py_buffer(described))
    return FileHead(log, number, first, version, schema, start + padded(size))
