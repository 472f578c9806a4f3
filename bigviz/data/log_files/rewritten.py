"""Files of many small appends, written anew with few large batches: a start has to look at each record, and a read at
each batch.

A file that gets no more records is written beside the old one, brought to the disk, read again, and compared. Then it
takes the old one's place, in one step of the file system. So after a crash there is the one or the other, and what is
left of one that was begun is removed.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
from xxhash import xxh64_intdigest

from bigviz.common.errors import Unreadable
from bigviz.data.appending.batches import Batches
from bigviz.data.appending.log_file import LogFile
from bigviz.data.appending.records import APPEND, MERGED, NO_KEY, Record, padded
from bigviz.data.appending.rollover import Clock
from bigviz.data.log_files.merged import MergedAppends

__all__ = ["Compacted", "compacted", "is_long_of_small", "is_worth_it", "remove_begun"]

MANY: Final = 1 << 14
"""Small appends, after which a file gets no more: a start looks at so many in a quarter of a second."""
_SMALL: Final = 16 << 10  # bytes of an append, at the mean, that are small
_BLOCK: Final = 4 << 20  # bytes of appends that are merged into one batch
_MOST: Final = 1 << 16  # appends that become one record
_FEWER: Final = 4  # times as many batches as a file would have written anew: else it stays


def is_long_of_small(batches: Batches, end: int) -> bool:
    """Whether a file of so many bytes should get no more records, because they are many and small."""
    count = len(batches.at)
    return count >= MANY and end < count * _SMALL


def is_worth_it(batches: Batches, end: int) -> bool:
    """Whether a file that gets no more records should be written anew."""
    count = len(batches.at)
    return count >= MANY // 2 and end < count * _SMALL


def remove_begun(folder: Path) -> None:
    """Remove what a crash has left of files that were being written."""
    for left in folder.glob(".*.log.*"):
        left.unlink()


@dataclass(frozen=True)
class Compacted:
    """A file that was written anew, and lies at `aside` still."""

    file: LogFile
    aside: Path


@contextmanager
def compacted(file: LogFile, total: int, clock: Clock) -> Iterator[Compacted | None]:
    """A file that was written anew beside its old self, whose place it is to take; else it is removed afterwards. None
    where it would not be much shorter. `total` and `clock` are those before its first record.

    Raises Unreadable where the old file is damaged, and OSError.
    """
    aside = file.path.with_name(f".{file.path.name}.{secrets.token_hex(4)}")
    try:
        made = _written(file, total, aside, clock)
        yield None if made is None else Compacted(made, aside)
    finally:
        with suppress(OSError):
            aside.unlink()


def _written(file: LogFile, total: int, aside: Path, clock: Clock) -> LogFile | None:
    blocks = len(file.batches.at)
    old = file.batches.mapped(file.end)
    descriptor = os.open(aside, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with open(descriptor, "wb") as out:
        out.write(old.slice(0, file.head.size))
        for piece in _pieces(file, total):
            out.write(piece)
        out.flush()
        os.fsync(descriptor)
    made = LogFile.open(aside, last=False)
    if made is None:
        raise Unreadable(f"{aside} is not what was written: the disk fails.", "library", str(aside))
    _fill(made, clock)
    if not _same(made.batches, file.batches):
        raise Unreadable(f"{aside} does not hold what {file.path} does.", "library", str(file.path))
    if len(made.batches.at) * _FEWER > blocks:
        return None
    made.settled = made.end
    made.path = made.batches.path = file.path
    return made


def _pieces(file: LogFile, total: int) -> Iterator[bytes | pa.Buffer]:
    """The records of a file, with small appends merged."""
    small: list[tuple[int, Record]] = []
    size = 0
    whole = file.batches.mapped(file.end)
    again = LogFile.open(file.path, last=False)
    assert again is not None
    for at, record in again.records:
        is_small = record.kind == APPEND and record.size < _BLOCK
        if small and (not is_small or size + record.size > _BLOCK or len(small) == _MOST):
            yield _merged(file, small, total)
            small, size = [], 0
        total = file.merged(at, record).total if record.kind == MERGED else record.added_to(total)
        if is_small:
            small.append((at, record))
            size += record.size
        else:
            yield whole.slice(at, record.whole)
    if small:
        yield _merged(file, small, total)


def _merged(file: LogFile, small: list[tuple[int, Record]], total: int) -> bytes:
    """One record of several appends, `total` the sum of all heads up to the last of them."""
    last = small[-1][1]
    payloads = []
    for at, record in small:
        payload = file.payload(at, record)
        if xxh64_intdigest(payload) != record.payload_sum:
            raise Unreadable(f"{file.path} is damaged at byte {at:,}: put a backup in its place.", "library")
        payloads += [payload] if record.rows else []
    schema = file.head.schema
    with pa.ipc.open_stream(pa.py_buffer(b"".join([schema.serialize(), *payloads]))) as reader:
        table = reader.read_all().combine_chunks()
    (batch,) = table.to_batches() or [pa.RecordBatch.from_pylist([], schema)]
    payload = MergedAppends.of([record for _, record in small], total).pack(batch.serialize().to_pybytes())
    record = Record(
        MERGED, len(payload), 0, last.version, small[0][1].first, table.num_rows, last.time_ns, NO_KEY, NO_KEY,
        xxh64_intdigest(payload), last.fsynced,
    )  # fmt: skip
    return record.head() + payload.ljust(padded(len(payload)), b"\0")


def _fill(file: LogFile, clock: Clock) -> None:
    """Note where the rows of a file are that was read again."""
    for at, record in file.records:
        if record.kind == MERGED:
            merged = file.merged(at, record)
            file.batches.add_merged(at, record, merged, clock.tell_all(merged.times))
        else:
            shown = clock.tell(record.time_ns)
            if record.kind == APPEND:
                file.batches.add(at, record, shown)
    file.records.clear()


def _same(one: Batches, two: Batches) -> bool:
    """Whether two files have the same appends."""
    names = ("first", "rows", "version", "nbytes", "clock")
    return all(getattr(one, name) == getattr(two, name) for name in names)
