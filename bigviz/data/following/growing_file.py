"""A file that others write to at its end: what was read of it stays what it is, or it is told."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Final

from bigviz.common.errors import BigvizError
from bigviz.data.following.outdated import Outdated
from bigviz.data.formats.stable_file import StableFile

__all__ = ["GrowingFile", "GrowingInput"]

_Seen = tuple[int, int, int]
"""Size, and when the file was written and changed."""

_COMPARED: Final = 1 << 12  # bytes at both ends of what was read


@dataclass(frozen=True)
class GrowingFile(StableFile):
    """The first `size` bytes of a file that may have more: later openings must find the same inode, and as many."""

    def first(self, size: int) -> GrowingFile:
        """The same file, of which so many bytes were read."""
        return replace(self, size=size)

    def _compare(self, status: os.stat_result) -> None:
        if (status.st_dev, status.st_ino) != (self.device, self.inode) or status.st_size < self.size:
            raise self._changed()


class GrowingInput:
    """Looks at one growing file, and reads what is new in it. `end` is how far it was read.

    A file that is gone, has another inode, is shorter, or no longer begins or ends, up to `end`, with the bytes that
    were read is `Outdated`. Programs that rotate logs write in place (copytruncate), so the inode alone does not tell.
    """

    def __init__(self, path: str) -> None:
        """Raises what `StableFile.at` does."""
        self.path = path
        self.name = os.path.basename(path)
        self.file = GrowingFile.at(path)
        self.end = 0
        self._head = self._tail = b""
        self._now: _Seen | None = None
        self._seen: _Seen | None = None

    @contextmanager
    def open(self) -> Iterator[int]:
        """The file's descriptor. Raises Outdated if it is not the same file any more, or has less than was read."""
        with ExitStack() as held:
            try:
                descriptor = held.enter_context(self.file.first(self.end).descriptor())
            except BigvizError as error:
                raise Outdated(f"{self.name} {self._what_happened()}") from error
            yield descriptor
            if os.fstat(descriptor).st_size < self.end:
                raise Outdated(f"{self.name} was cut short")

    @property
    def opened_as(self) -> Sequence[int]:
        """What `at` has found, but for the path."""
        file = self.file
        return file.device, file.inode, file.size, file.mtime_ns, file.ctime_ns

    @contextmanager
    def open_for(self, size: int, opened_as: Sequence[int]) -> Iterator[int]:
        """The descriptor of the file that another process has opened as such, with so many bytes that are the same up
        to `end`. Raises Outdated. What is beyond them is found by the next look."""
        self.file = GrowingFile(self.path, *opened_as)
        with self.open() as descriptor:
            there = self.size(descriptor, again=True)
            if there is None or there < size:
                raise Outdated(f"{self.name} was cut short")
            yield descriptor
            self._seen = None

    def size(self, descriptor: int, again: bool) -> int | None:
        """The bytes of the file; None where nothing was written since the last `take`, unless it is asked `again`.
        Raises Outdated."""
        status = os.fstat(descriptor)
        seen = (status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        if seen == self._seen and not again:
            return None
        start = self.end - len(self._tail)
        head, tail = os.pread(descriptor, len(self._head), 0), os.pread(descriptor, len(self._tail), start)
        if (head, tail) != (self._head, self._tail):
            raise Outdated(f"{self.name} was written anew")
        self._now = seen
        return status.st_size

    def take(self, descriptor: int, end: int) -> GrowingFile:
        """All that is whole was read, up to `end`: the file up to there."""
        if end > self.end:
            start = max(0, end - _COMPARED)
            self._tail = os.pread(descriptor, end - start, start)
            if len(self._head) < _COMPARED:
                self._head = os.pread(descriptor, min(end, _COMPARED), 0)
            self.end = end
        self._seen = self._now
        return self.file.first(end)

    def _what_happened(self) -> str:
        try:
            status = os.stat(self.path)
        except OSError:
            return "is gone"
        if (status.st_dev, status.st_ino) != (self.file.device, self.file.inode):
            return "was replaced"
        return "was cut short" if status.st_size < self.end else "cannot be read any more"
