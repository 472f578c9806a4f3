"""Locks between processes: a file next to what it guards, and flock(2) on it.

A lock ends with the process that holds it, however it ends, so nothing has to be cleaned up after a kill. The time of
the file's last change is when it was last held: what has not been used for longest is found without opening it.
"""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from bigviz.common.errors import BadInput

__all__ = ["Lock"]

_READ_ONLY: Final = (errno.EACCES, errno.EROFS, errno.EPERM)


class Lock:
    """A lock that is held, until `release`. Two in one process exclude each other as two processes do."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    @classmethod
    def take(cls, path: Path, *, exclusive: bool) -> Lock | None:
        """The lock, exclusive or shared, or None at once if others hold it in a way that excludes this.

        The file is made (mode 0600) where it is missing; its directory must exist. Raises BadInput where the file
        system has no locks.
        """
        while True:
            descriptor = _opened(path)
            try:
                fcntl.flock(descriptor, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
                if _is_at(descriptor, path):
                    with suppress(OSError):
                        os.utime(descriptor)
                    return cls(path, descriptor)
            except BlockingIOError:
                os.close(descriptor)
                return None
            except OSError as error:
                os.close(descriptor)
                raise BadInput(
                    f"{path.parent} lies on a file system without locks ({os.strerror(error.errno or 0).lower()}): "
                    "choose another directory for stores.",
                    "store-dir",
                    str(path.parent),
                ) from error
            os.close(descriptor)  # the file was removed between opening and locking: try the one that is there now

    def share(self) -> bool:
        """Let others hold it too. flock may let go in between, so False says that another one was faster."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return _is_at(self._descriptor, self.path)

    def remove(self) -> None:
        """Remove the file: holders go on, the next process makes a new one. Only together with what it guards."""
        if _is_at(self._descriptor, self.path):
            self.path.unlink()

    def release(self) -> None:
        """Let go; a second call changes nothing."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            with suppress(OSError):
                os.utime(descriptor)
            os.close(descriptor)


def _opened(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        if error.errno not in _READ_ONLY:
            raise
        try:
            return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            raise error from None  # what is wrong is that it cannot be made


def _is_at(descriptor: int, path: Path) -> bool:
    """Whether the file of a descriptor is still the one of its name."""
    try:
        there = os.stat(path, follow_symlinks=False)
    except FileNotFoundError:
        return False
    mine = os.fstat(descriptor)
    return (mine.st_dev, mine.st_ino) == (there.st_dev, there.st_ino)
