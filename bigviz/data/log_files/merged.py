"""Small appends that follow each other, as one record: its rows are one batch, and of each append is kept what its own
record has told.

The payload, little-endian, each part at a multiple of 8 bytes: u64 sum (XXH64) of the index, u64 sum of the batch, u64
bytes of the index, the index, the batch (an Arrow IPC message). The index: u64 sum of the heads of all records up to
the last of these, u64 appends, u64 of those with a key, then of each append i64 version, of each i64 rows, of each i64
bytes of the batch that came, of each i64 time (nanoseconds since 1970), of each u8 whether it was acknowledged once it
was on the disk, zeros, and of those with a key the i64 place among the appends, of each 16 bytes of key and 16 of body.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from xxhash import xxh64_intdigest

from bigviz.data.appending.records import NO_KEY, Record, padded

__all__ = ["MergedAppends"]

_HEAD: Final = struct.Struct("<3Q")
_INDEX: Final = struct.Struct("<3Q")
_DIGESTS: Final = 32


@dataclass(frozen=True, eq=False)
class MergedAppends:
    """What a record tells of the appends that it was merged from, in their order; int64 but for `fsynced` (bool).
    `total` is the sum of all heads up to theirs, `digests` the key and body of those with a key, whose places are
    `keyed`. The batch begins `batch_at` bytes after the payload's start."""

    total: int
    versions: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64]
    sizes: npt.NDArray[np.int64]
    times: npt.NDArray[np.int64]
    fsynced: npt.NDArray[np.bool_]
    keyed: npt.NDArray[np.int64]
    digests: bytes
    batch_at: int = 0
    batch_sum: int = 0

    @classmethod
    def of(cls, records: Sequence[Record], total: int) -> MergedAppends:
        """That of records of appends; the sum of all heads up to the last of them is given."""
        versions, rows, sizes, times = (
            np.array([getattr(each, name) for each in records], np.int64)
            for name in ("version", "rows", "size", "time_ns")
        )
        keyed = [at for at, each in enumerate(records) if each.key != NO_KEY]
        digests = b"".join(records[at].key + records[at].body for at in keyed)
        fsynced = np.array([each.fsynced for each in records], np.bool_)
        return cls(total, versions, rows, sizes, times, fsynced, np.array(keyed, np.int64), digests)

    def pack(self, batch: bytes) -> bytes:
        """The payload of the record, with the rows of all of them."""
        sizes = _INDEX.pack(self.total, len(self.rows), len(self.keyed))
        flags = self.fsynced.tobytes().ljust(padded(len(self.rows)), b"\0")
        columns = [each.tobytes() for each in (self.versions, self.rows, self.sizes, self.times)]
        index = b"".join([sizes, *columns, flags, self.keyed.tobytes(), self.digests])
        return _HEAD.pack(xxh64_intdigest(index), xxh64_intdigest(batch), len(index)) + index + batch

    @classmethod
    def read(cls, payload: pa.Buffer) -> MergedAppends | None:
        """That of a payload; None where the index is not what was written. The batch is not looked at."""
        if payload.size < _HEAD.size:
            return None
        total, batch_sum, size = _HEAD.unpack_from(payload)
        index = payload.slice(_HEAD.size, size) if size <= payload.size - _HEAD.size else None
        if index is None or xxh64_intdigest(index) != total:
            return None
        heads, appends, keyed = _INDEX.unpack_from(index)
        at = _INDEX.size

        def take(count: int, dtype: Any = np.int64) -> npt.NDArray[Any]:
            nonlocal at
            found = np.frombuffer(index, dtype, count, at)
            at += padded(found.nbytes)
            return found

        versions, rows, sizes, times = (take(appends) for _ in range(4))
        fsynced, places = take(appends, np.bool_), take(keyed)
        digests = index.slice(at).to_pybytes()
        return cls(
            heads, versions, rows, sizes, times, fsynced, places, digests, _HEAD.size + size, batch_sum
        )  # fmt: skip

    def digests_of(self, place: int) -> tuple[bytes, bytes]:
        """The key and the body of the append at a place of `keyed`."""
        at = place * _DIGESTS
        return self.digests[at : at + 16], self.digests[at + 16 : at + _DIGESTS]
