"""One file of an append log: written at its end, cut back where that fails, and brought to the disk."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pyarrow as pa

from bigviz.common.disk.no_space import no_space
from bigviz.common.disk.sync_directory import sync_directory
from bigviz.common.errors import Busy, Conflict, NoSpace, Unreadable
from bigviz.data.appending.batches import Batches
from bigviz.data.appending.records import HEAD, FileHead, Record
from bigviz.data.appending.recovery import file_head, records_of, whole_records
from bigviz.data.appending.refusals import taken_away
from bigviz.data.log_files.merged import MergedAppends

__all__ = ["LogFile", "damaged"]

_NONE: Final = "The disk takes no more: it is full, over a quota, or failing. Nothing was appended."


@dataclass(eq=False)
class LogFile:
    """A file of a log, opened for each write: a server has any number of logs, and a process few descriptors. `end` is
    where the next record goes; `settled` up to where it is known to be on the disk. `records` are those that were found
    when it was opened, with their positions."""

    path: Path
    head: FileHead
    end: int
    settled: int
    batches: Batches
    records: list[tuple[int, Record]] = field(default_factory=list)
    failed: bool = False

    @classmethod
    def create(cls, path: Path, log: bytes, number: int, first: int, version: int, schema: pa.Schema) -> LogFile:
        """A new file that is on the disk; nothing is left of it where NoSpace is raised."""
        data = FileHead.pack(log, number, first, version, schema)
        head = FileHead(log, number, first, version, schema, len(data))
        with no_space(_NONE, "library"):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                _write(descriptor, data, 0)
                os.fsync(descriptor)
                sync_directory(path.parent)
            except BaseException:
                with suppress(OSError):
                    path.unlink()
                raise
            finally:
                os.close(descriptor)
        return cls(path, head, len(data), len(data), Batches(path))

    @classmethod
    def open(cls, path: Path, last: bool) -> LogFile | None:
        """A file as it is, its last records looked at and nothing cut off yet (`cut` does) if it is the `last`. None
        for a last file whose head is not whole: nothing can have been appended to it. Raises Unreadable for damage."""
        with _opened(path) as descriptor:
            head = file_head(descriptor)
            if head is None and last:
                return None
            if head is None:
                raise Unreadable(f"{path} is damaged: put a backup in its place.", "library", str(path))
            if last:
                found, end = whole_records(descriptor, head, str(path))
            else:
                found = list(records_of(descriptor, head, checked=False))
                end = found[-1][0] + found[-1][1].whole if found else head.size
                if end != os.fstat(descriptor).st_size:
                    raise damaged(path, end)
        return cls(path, head, end, head.size, Batches(path), found)

    def payload(self, at: int, record: Record) -> pa.Buffer:
        """What a record at a position of the file holds, as it is. Raises Unreadable where the file is gone."""
        return self.batches.mapped(at + record.whole).slice(at + HEAD, record.size)

    def merged(self, at: int, record: Record) -> MergedAppends:
        """What a record of merged appends at a position tells of them. Raises Unreadable."""
        found = MergedAppends.read(self.payload(at, record))
        if found is None:
            raise damaged(self.path, at)
        return found

    @property
    def last(self) -> Record | None:
        """The last record that was found; None in a file without one."""
        return self.records[-1][1] if self.records else None

    def cut(self) -> None:
        """Cut off what is not whole, and bring the rest to the disk."""
        with no_space(_NONE, "library"), _opened(self.path) as descriptor:
            if os.fstat(descriptor).st_size != self.end:
                os.ftruncate(descriptor, self.end)
            os.fsync(descriptor)
        self.settled = self.end

    def write(self, parts: list[bytes], sync: bool) -> None:
        """Put records at the end. Where NoSpace is raised the file is as it was before."""
        if self.failed:
            raise NoSpace(_NONE, "library")
        data = b"".join(parts)
        with _opened(self.path) as descriptor:
            try:
                with no_space(_NONE, "library"):
                    _write(descriptor, data, self.end)
                    if sync:
                        os.fsync(descriptor)
            except NoSpace:
                self._cut_back(descriptor)
                raise
        self.end += len(data)
        if sync:
            self.settled = self.end

    def sync(self, end: int) -> None:
        """Bring the first `end` bytes to the disk, which were written; nothing where the file was taken away with its
        dataset. More may be written meanwhile."""
        if self.settled < end:
            with suppress(Conflict), no_space(_NONE, "library"), _opened(self.path) as descriptor:
                os.fsync(descriptor)
            self.settled = max(self.settled, end)

    def _cut_back(self, descriptor: int) -> None:
        """Take away what a failed write has left. Where not even that is possible, spoil it, so that no later start
        takes it for an append, and write no more."""
        try:
            os.ftruncate(descriptor, self.end)
            os.fsync(descriptor)
        except OSError:
            self.failed = True
            with suppress(OSError):
                os.pwrite(descriptor, bytes(HEAD), self.end)


def damaged(path: Path, at: int) -> Unreadable:
    """What is told of a file with a damaged record at a position."""
    return Unreadable(f"{path} is damaged at byte {at:,}: put a backup in its place.", "library", str(path))


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    """A descriptor of a file that is there. Raises Busy where the process has as many as it may, and Conflict for a
    file that was taken away with its dataset."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError as error:
        raise taken_away() from error
    except OSError as error:
        if error.errno not in (errno.EMFILE, errno.ENFILE):
            raise
        raise Busy("The server has too many files open: try again in a second.") from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _write(descriptor: int, data: bytes, at: int) -> None:
    rest = memoryview(data)
    while rest:
        done = os.pwrite(descriptor, rest, at)
        rest, at = rest[done:], at + done
