"""What of a log's file is whole after a crash, and whether what is not was ever acknowledged.

Records are written one after the other and acknowledged together, so after a power cut any of those that were written
last may be torn, the first of them too. What follows the first torn one was not acknowledged then, and is cut off. A
record that was acknowledged and is damaged is told from it by a later record, which says up to where the file was
durable when it was written; or by the caller, who knows of a version. Such a log is refused, and nothing is cut.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

from xxhash import xxh64_intdigest

from bigviz.common.errors import Unreadable
from bigviz.data.appending.records import HEAD, MAGIC, FileHead, Record, read_file_head, read_record

__all__ = ["file_head", "records_of", "whole_records"]

_PIECE: Final = 4 << 20
_AHEAD: Final = 64 << 10  # bytes that are read at a time: one read for many small records, few too many for large ones


def file_head(descriptor: int) -> FileHead | None:
    """The head of an open file; None where it is not whole."""
    return read_file_head(os.pread(descriptor, 1 << 20, 0)) or read_file_head(os.pread(descriptor, 17 << 20, 0))


def records_of(
    descriptor: int, head: FileHead, checked: bool, after: tuple[int, int, int] | None = None
) -> Iterator[tuple[int, Record]]:
    """The records of a file in order, each with its position, up to the first that is not whole or does not follow the
    one before. `checked`: batches are compared with their sums too. `after`: where the first of them begins, the
    version before it and the number of its first row; None for the beginning."""
    at, version, first = after or (head.size, head.version, head.first)
    end = os.fstat(descriptor).st_size
    ahead = _Ahead(descriptor)
    while True:
        record = read_record(ahead.read(at, HEAD))
        if record is None or at + record.whole > end or record.version <= version or record.first != first:
            return
        if checked and xxh64_intdigest(ahead.read(at + HEAD, record.size)) != record.payload_sum:
            return
        yield at, record
        at, version, first = at + record.whole, record.version, record.next


class _Ahead:
    """Reads a file from its start to its end, some bytes ahead of what is asked for."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._start = 0
        self._piece = memoryview(b"")

    def read(self, at: int, size: int) -> memoryview:
        """The bytes from a position on, fewer where the file ends."""
        start = at - self._start
        if start < 0 or start + size > len(self._piece):
            self._piece = memoryview(os.pread(self._descriptor, max(size, _AHEAD), at))
            self._start, start = at, 0
        return self._piece[start : start + size]


def whole_records(descriptor: int, head: FileHead, path: str) -> tuple[list[tuple[int, Record]], int]:
    """The whole records of a log's last file, and where it has to be cut off. Raises Unreadable where what would be cut
    off was acknowledged."""
    found = list(records_of(descriptor, head, checked=True))
    end = found[-1][0] + found[-1][1].whole if found else head.size
    if any(record.settled > end for record in _beyond(descriptor, end)):
        raise Unreadable(
            f"{path} is damaged at byte {end:,}, and what comes after it was acknowledged: put a backup in its place.",
            "library",
            path,
        )
    return found, end


def _beyond(descriptor: int, start: int) -> Iterator[Record]:
    """All heads of records that are whole, wherever they begin, after a position."""
    at, size = start, os.fstat(descriptor).st_size
    while at < size:
        piece = os.pread(descriptor, _PIECE + HEAD, at)
        place = piece.find(MAGIC)
        while 0 <= place < _PIECE:
            record = read_record(piece[place : place + HEAD])
            if record is not None:
                yield record
            place = piece.find(MAGIC, place + 1)
        at += _PIECE
