"""The files of an append log, as they are found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bigviz.common.errors import Unreadable
from bigviz.data.appending.log_file import LogFile

__all__ = ["found_files", "last_version", "path_of"]


def path_of(folder: Path, number: int) -> Path:
    """Where a file of a number lies."""
    return folder / f"{number:08}.log"


def found_files(folder: Path, paths: Sequence[Path], number: int) -> list[LogFile]:
    """The files of a log, of which the first has a number; the last is removed where it was just begun. Raises
    Unreadable."""
    files: list[LogFile] = []
    for path in paths:
        file = LogFile.open(path, last=path == paths[-1])
        if file is None and files:
            path.unlink()
            continue
        if file is None or not _follows(files, file, number):
            raise Unreadable(f"{path} is damaged: put a backup in its place.", "library", str(path))
        files.append(file)
    if not files:
        raise Unreadable(f"{folder} holds no append log: put a backup in its place.", "library", str(folder))
    return files


def last_version(files: Sequence[LogFile]) -> int:
    """That of the last record."""
    return max(file.head.version if file.last is None else file.last.version for file in files)


def _follows(files: Sequence[LogFile], file: LogFile, number: int) -> bool:
    """Whether a file is the next one of the log."""
    if not files:
        return file.head.number == number
    before = files[-1]
    last = before.last
    version, first = (last.version, last.next) if last else (before.head.version, before.head.first)
    head = file.head
    expected = (before.head.log, before.head.number + 1, first)
    return (head.log, head.number, head.first) == expected and head.version >= version
