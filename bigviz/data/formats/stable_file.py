"""Regular files, opened so that what is checked is what is read."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

import pyarrow as pa

from bigviz.common.errors import BadInput, NotFound, Unreadable

__all__ = ["Ahead", "StableFile"]

Ahead = Callable[[], Sequence[tuple[int, int]]]
"""Says which ranges of bytes of a file will be read."""

_OTHER_TYPES = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISCHR, "a character device"),
    (stat.S_ISBLK, "a block device"),
    (stat.S_ISSOCK, "a socket"),
)


@dataclass(frozen=True)
class StableFile:
    """A regular file as it was when it was first opened: every later opening must find the same one.

    The same one means inode, size, and the times of the last modification and of the last change. A program may set the
    first of these times (`touch -d`, `cp -p`, `rsync -t`), nobody the second, so a file replaced under its name,
    rewritten or truncated in place is reported instead of read, whatever its time says. Other permissions, another
    name or another hard link count as a change too. The path is opened first and looked at afterwards, so nothing can
    be put in between.
    """

    path: str
    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int

    @classmethod
    def at(cls, path: str) -> Self:
        """The file that is at `path` now. Raises `NotFound`, `BadInput` (not a regular file) or `Unreadable`."""
        descriptor = _open_regular(path)
        try:
            return cls._of(path, os.fstat(descriptor))
        finally:
            os.close(descriptor)

    @classmethod
    def _of(cls, path: str, status: os.stat_result) -> Self:
        times = status.st_mtime_ns, status.st_ctime_ns
        return cls(path, status.st_dev, status.st_ino, status.st_size, *times)

    @property
    def place(self) -> str:
        """Where it is, whatever links or working directory the path needs."""
        return os.path.realpath(self.path)

    @property
    def host(self) -> str:
        """What has to answer for it to be read; "" for this machine."""
        return ""

    @property
    def identity(self) -> list[str | int]:
        """What tells it from other files, and from what it may be later: place, size and times."""
        return [self.place, self.size, self.mtime_ns, self.ctime_ns]

    @contextmanager
    def open(self, ahead: Ahead | None = None) -> Iterator[pa.NativeFile]:
        """The file for pyarrow, read by copy and never mapped: truncating a mapped file would kill the process.

        Nobody asks for `ahead` here: the system reads ahead itself.
        Raises `Unreadable` if the file is not the same any more, when it is opened or when the block ends.
        """
        with self.descriptor() as descriptor, _native(descriptor) as handle:
            yield handle

    @contextmanager
    def descriptor(self) -> Iterator[int]:
        """The same as a descriptor, for readers that open `/dev/fd/N` themselves. Raises what `open` does."""
        try:
            descriptor = _open_regular(self.path)
        except NotFound as error:
            raise self._gone() from error
        except BadInput as error:
            raise self._changed() from error
        try:
            self._compare(os.fstat(descriptor))
            yield descriptor
            self._compare(os.fstat(descriptor))
        finally:
            os.close(descriptor)

    def check(self) -> None:
        """Raise `Unreadable` if the file is not the same any more."""
        try:
            status = os.stat(self.path)
        except OSError as error:
            raise self._gone() from error
        self._compare(status)

    def ends(self, size: int) -> tuple[bytes, bytes]:
        """The first and the last `size` bytes (fewer if the file is shorter)."""
        with self.open() as handle:
            return handle.read_at(size, 0), handle.read_at(size, max(0, self.size - size))

    def _compare(self, status: os.stat_result) -> None:
        if self._of(self.path, status) != self:
            raise self._changed()

    def _changed(self) -> Unreadable:
        return Unreadable(
            f"{self.path} changed since it was opened. What was read before is still served; restart or reopen to see "
            "what is there now.",
            got=self.path,
        )

    def _gone(self) -> Unreadable:
        return Unreadable(
            f"{self.path} is gone since it was opened. What was read before is still served; put the file back, "
            "or restart or reopen with another one.",
            got=self.path,
        )


def _open_regular(path: str) -> int:
    """A descriptor of the regular file at `path`; symbolic links are followed, since the operator chose them."""
    try:
        # O_NONBLOCK: opening a FIFO that nobody writes would otherwise wait for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotFound(f"There is no file {path}.", field="source", got=path) from error
    except (OSError, ValueError) as error:
        raise Unreadable(f"{path} cannot be opened: {_reason(error)}.", field="source", got=path) from error
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return descriptor
    os.close(descriptor)
    what = next((name for test, name in _OTHER_TYPES if test(mode)), "not a file")
    raise BadInput(
        f"{path} is {what}; bigviz reads regular files. Write the rows into a file first.", field="source", got=path
    )


def _native(descriptor: int) -> pa.NativeFile:
    """pyarrow's own reader over the descriptor's file: it reads without the interpreter lock."""
    path = f"/dev/fd/{descriptor}"
    if os.path.exists(path):
        return pa.OSFile(path)
    return pa.PythonFile(os.fdopen(os.dup(descriptor), "rb"), mode="r")


def _reason(error: OSError | ValueError) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()
