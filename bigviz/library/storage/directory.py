"""The directory of a library: where it is, who may use it, and which server has it.

library.sqlite   documents, users, access: everything but the rows of datasets
files/           uploaded datasets, each under its hash
streams/         append logs, a directory each
incoming/        uploads that are on their way
server.lock      held by the one server of the library, whose process it names
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from bigviz.common.disk.sync_directory import sync_directory
from bigviz.common.errors import BadInput
from bigviz.library.storage.mounts import file_system, is_network

__all__ = [
    "DATABASE",
    "FILES",
    "INCOMING",
    "STREAMS",
    "ServerLock",
    "default_directory",
    "make_directory",
    "opening",
]

DATABASE: Final = "library.sqlite"
FILES: Final = "files"
INCOMING: Final = "incoming"
STREAMS: Final = "streams"
_LOCK: Final = "server.lock"
_ELSEWHERE: Final = "choose another directory with --library"


def default_directory() -> Path:
    """The user's data directory for a library: `$XDG_DATA_HOME/bigviz`, or `~/.local/share/bigviz`. Raises BadInput
    where there is neither."""
    data = os.environ.get("XDG_DATA_HOME")
    if data and os.path.isabs(data):
        return Path(data) / "bigviz"
    try:
        return Path.home() / ".local" / "share" / "bigviz"
    except RuntimeError as error:
        raise BadInput(
            f"There is no home directory to keep a library in (HOME is not set, and user {os.geteuid()} has no name): "
            "choose a directory with --library.",
            "library",
        ) from error


def make_directory(directory: Path) -> None:
    """Make what is missing of a library's directory, for this user alone; what is there keeps its modes.

    Raises BadInput where that is not possible, where it cannot be written to, and on a network file system, on which
    two machines would damage the database.
    """
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        for folder in _folders(directory):
            if not folder.is_dir():
                folder.mkdir(mode=0o700, exist_ok=True)
                sync_directory(folder.parent)
        if is_network(kind := file_system(directory)):
            raise BadInput(
                f"{directory} lies on a network file system ({kind}), whose locks do not keep a database whole: "
                f"{_ELSEWHERE}, on a disk of this machine.",
                "library",
                str(directory),
            )
        os.close(os.open(directory / DATABASE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        sync_directory(directory)
    except OSError as error:
        raise unusable(directory, error) from error
    if not all(_is_writable(folder) for folder in _folders(directory)):
        raise unusable(directory, None)


def unusable(directory: Path, error: OSError | None) -> BadInput:
    """The error of a directory that cannot hold a library."""
    reason = os.strerror(error.errno).lower() if error and error.errno else "it cannot be written to"
    return BadInput(f"{directory} cannot be used as a library ({reason}): {_ELSEWHERE}.", "library", str(directory))


def _folders(directory: Path) -> tuple[Path, ...]:
    return directory, directory / FILES, directory / INCOMING, directory / STREAMS


def _is_writable(folder: Path) -> bool:
    return os.access(folder, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids)


@contextmanager
def opening(directory: Path) -> Iterator[None]:
    """Alone among all processes that open the library: the first one makes it, and the newest brings it up to date."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError as error:
            raise unusable(directory, error) from error
        yield
    finally:
        os.close(descriptor)


class ServerLock:
    """The right to be the one server of a library, until `release` or the end of the process."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def take(cls, directory: Path) -> ServerLock:
        """The lock. Raises BadInput, which names the process, where another server has it."""
        try:
            descriptor = os.open(directory / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise unusable(directory, error) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _process(descriptor)
            os.close(descriptor)
            raise BadInput(
                f"{directory} is served by another server already{holder}: stop it, or {_ELSEWHERE}.",
                "library",
                str(directory),
            ) from None
        except OSError as error:
            os.close(descriptor)
            raise unusable(directory, error) from error
        with suppress(OSError):  # on a full disk it is held without saying by whom
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        return cls(descriptor)

    def release(self) -> None:
        """Let go; a second call changes nothing. The file stays: removing it would let two servers hold a lock each."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            with suppress(OSError):
                os.ftruncate(descriptor, 0)
            os.close(descriptor)


def _process(descriptor: int) -> str:
    words = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
    return f" (process {words})" if words.isdecimal() else ""
