"""A file on its way into the library: written aside, in `incoming/`, and locked while its process lives."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final

from bigviz.common.disk.no_space import no_space
from bigviz.common.errors import NoSpace
from bigviz.library.secrets import new_short_id
from bigviz.library.storage.database import FULL

__all__ = ["Upload", "drop_left_over"]

_PIECE: Final = 1 << 20
_NAME: Final = re.compile(r"[0-9a-f]{12}")


class Upload:
    """A new file at `path`. Leaving its `with` block removes it, unless it was added. One thread writes; another may
    abort meanwhile, which waits for the piece that is being written.

    Another process may write the file too, in place; what is kept is what is in it when it is added.
    """

    def __init__(self, folder: Path) -> None:
        self._lock = threading.RLock()  # a descriptor that is closed may be another file's a moment later
        with no_space(FULL, "library"):
            self.path, self._descriptor = _made(folder)

    def __enter__(self) -> Upload:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abort()

    def write(self, chunk: bytes | bytearray | memoryview) -> None:
        """Put bytes at the end; nothing where the file was removed. Raises NoSpace, and removes it, where the disk is
        full."""
        try:
            with self._lock, no_space(FULL, "library"), memoryview(chunk).cast("B") as rest:
                while rest and self._descriptor >= 0:
                    rest = rest[os.write(self._descriptor, rest) :]
        except NoSpace:
            self.abort()
            raise

    def close(self) -> None:
        """Bring the file's bytes to the disk; it can be added, or removed, afterwards."""
        with no_space(FULL, "library"):
            os.fsync(self._descriptor)

    def abort(self) -> None:
        """Remove the file, unless it was added or removed before."""
        with self._lock:
            descriptor, self._descriptor = self._descriptor, -1
            if descriptor >= 0:
                self.path.unlink(missing_ok=True)
                os.close(descriptor)

    def digest(self) -> tuple[str, int]:
        """The SHA-256 of the file, in hexadecimal, and its bytes. They are on the disk when this returns."""
        self.close()
        sha, size = hashlib.sha256(), 0
        while piece := os.pread(self._descriptor, _PIECE, size):
            sha.update(piece)
            size += len(piece)
        return sha.hexdigest(), size

    def keep(self, path: Path) -> None:
        """Give the file its name for good. The caller brings the directory to the disk."""
        with no_space(FULL, "library"):
            os.rename(self.path, path)
        descriptor, self._descriptor = self._descriptor, -1
        os.close(descriptor)


def drop_left_over(folder: Path) -> int:
    """Remove the uploads of processes that have ended; how many there were. Those of living ones stay."""
    removed = 0
    for path in folder.iterdir():
        if not _NAME.fullmatch(path.name):
            continue
        if path.is_symlink():  # nothing of ours is one; what it leads to stays
            path.unlink(missing_ok=True)
            continue
        with suppress(FileNotFoundError, BlockingIOError, IsADirectoryError):
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()
                removed += 1
            finally:
                os.close(descriptor)
    return removed


def _made(folder: Path) -> tuple[Path, int]:
    """A new file and its descriptor, locked. Between making and locking it may be taken for a left-over: then another
    one is made."""
    while True:
        path = folder / new_short_id()
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.exists():
                return path, descriptor
        except BlockingIOError:
            pass
        os.close(descriptor)
