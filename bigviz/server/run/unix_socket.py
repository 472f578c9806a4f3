"""`--unix-socket`: a listening socket in the file system, for the server's user and a proxy of theirs."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from bigviz.common.errors import BadInput

__all__ = ["UnixSocket"]

_BACKLOG: Final = 128
_MODE: Final = 0o600


class UnixSocket:
    """A listening socket at a path, of mode 0600: the server's own user and root may connect.

    A socket that a server left behind is replaced. Raises BadInput where another server listens, where the path is
    something else than a socket, and where none can be made.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).absolute()
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with _alone_in(self.path.parent):
                _remove_stale(self.path)
                self.socket.bind(str(self.path))
                os.chmod(self.path, _MODE)  # before `listen`, so that nobody connects who may not
                self.socket.listen(_BACKLOG)
            self.socket.setblocking(False)
            self._file = _identity(self.path)
        except BaseException as error:
            self.socket.close()
            if isinstance(error, OSError):
                raise _unusable(self.path, error) from None
            raise

    def remove(self) -> None:
        """Take the path away, unless it is another server's by now; a second call does nothing."""
        with suppress(OSError):
            if _identity(self.path) == self._file:
                self.path.unlink()


def _identity(path: Path) -> tuple[int, int]:
    found = path.lstat()
    return found.st_dev, found.st_ino


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Alone among the servers that start: two would both find the socket of a third one stale."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _remove_stale(path: Path) -> None:
    """Remove a socket on which nobody listens."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise BadInput(
            f"--unix-socket {path} is there already and is no socket: give a path of its own.", "unix-socket", str(path)
        )
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        found = probe.connect_ex(str(path))
    if found != errno.ECONNREFUSED:  # EAGAIN: it has more to accept than it can hold
        if found not in (0, errno.EAGAIN, errno.EINPROGRESS):
            raise OSError(found, os.strerror(found))
        raise BadInput(
            f"A server listens at --unix-socket {path} already: stop it, or give another path.",
            "unix-socket",
            str(path),
        )
    path.unlink()


def _unusable(path: Path, error: OSError) -> BadInput:
    if error.errno is None:  # Python's own, for an address that does not fit into the system's structure
        reason = "the path is too long, a hundred bytes fit"
    elif error.errno == errno.ENOENT:
        reason = f"there is no directory {path.parent}"
    else:
        reason = os.strerror(error.errno).lower()
    return BadInput(f"Cannot listen at --unix-socket {path}: {reason}.", "unix-socket", str(path))
