"""The files of a directory or a glob, listed again only where a directory has changed."""

from __future__ import annotations

import glob
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import Final

from bigviz.common.errors import BadInput
from bigviz.data.formats.sniff import DATA_SUFFIXES, suffix_of
from bigviz.data.paths import fixed, require_few
from bigviz.data.remote.address import is_remote, shown_source
from bigviz.data.table_formats.delta import is_delta
from bigviz.data.table_formats.iceberg import is_iceberg
from bigviz.data.table_formats.membership import Tables
from bigviz.data.walk import expand, hidden, tree

__all__ = ["Listing"]

_COARSE: Final = 2_000_000_000  # nanoseconds: file systems know the time of a change no better than that (FAT)
_AT_ONCE: Final = 1_000  # directories that one look asks for their times


class Listing:
    """Which data files a path, a directory (searched to its depth) or a glob stands for, as `find_files` says.

    A look asks directories when they were changed, at most 1,000 of them in turn, and lists them only if one was. A
    change within the two seconds before a listing may be told from one after it by nothing, so it is listed again.
    """

    def __init__(self, path: str) -> None:
        """Raises BadInput for a path that cannot be."""
        if "\0" in path:
            raise BadInput("A path cannot hold a NUL character.", "source", path)
        if is_remote(path):
            shown = shown_source(path)
            raise BadInput(
                f"{shown} cannot be followed: only files of this machine are looked at again.", "path", shown
            )
        self.path = os.path.expanduser(path)
        if is_delta(self.path) or is_iceberg(self.path):
            raise BadInput(
                f"{path} is a Delta or Iceberg table, which cannot be followed: its log says which of its files count, "
                "and is read at the start. Leave out --follow; or name a glob of its files, if none is ever replaced.",
                field="path",
                got=path,
            )
        self.is_one = not os.path.isdir(self.path) and (os.path.lexists(self.path) or not glob.has_magic(self.path))
        self.root = fixed(self.path) if self._is_glob else self.path
        self._seen: dict[str, int] = {}
        self._files: frozenset[str] = frozenset()
        self._turn = 0
        self._again = True

    @property
    def _is_glob(self) -> bool:
        return not self.is_one and not os.path.isdir(self.path)

    def below(self, file: str) -> str:
        """A file's path below the directory, with forward slashes: so viewers may know it."""
        if self.is_one:
            return os.path.basename(file)
        return os.path.relpath(file, self.root).replace(os.sep, "/")

    def look(self) -> Sequence[str] | None:
        """The files in the order of their paths; None where no directory has changed since the last look.

        Raises Unreadable for a directory that cannot be listed, TooLarge beyond 100,000 files, BadInput where it holds
        tables whose logs say which of their files count."""
        if self.is_one:
            return [self.path] if os.path.lexists(self.path) else []
        if not (self._again or self._has_changed()):
            return None
        now = time.time_ns()
        seen: dict[str, int] = {}
        found: dict[str, None] = {}
        for directory, files in self._directories():
            seen[directory] = _changed(directory)
            found.update(dict.fromkeys(files))
            require_few(len(found), self.path)
        Tables().note_of(self.path, found)
        self._seen, self._files = seen, frozenset(found)
        self._again = any(now - changed < _COARSE for changed in seen.values())
        return sorted(found)

    def _has_changed(self) -> bool:
        names = list(self._seen)
        turn = [names[(self._turn + at) % len(names)] for at in range(min(len(names), _AT_ONCE))]
        self._turn += len(turn)
        return any(_changed(name) != self._seen[name] for name in turn)

    def _directories(self) -> Iterator[tuple[str, list[str]]]:
        """The directories that a change of the list of files would change, with the files in them that are meant."""
        if not self._is_glob:
            yield from self._below(self.path)
            return
        steps = PurePath(self.path).parts
        for number in range(len(PurePath(self.root).parts) if self.root != "." else 0, len(steps)):
            above = expand(os.path.join(*steps[:number]), []) if number else ["."]
            yield from ((each, []) for each in above if os.path.isdir(each))
        found: list[str] = []
        for match in expand(self.path, []):
            if match in self._files:
                found.append(match)
            elif os.path.isdir(match):
                if not self.path.rstrip("/").endswith("**"):
                    yield from self._below(match)
            elif not hidden(os.path.basename(match)) and (_is_data(match) or not self.path.endswith("*")):
                found.append(match)
        yield self.root, found

    def _below(self, root: str) -> Iterator[tuple[str, list[str]]]:
        for directory, names in tree(root, []):
            paths = [os.path.join(directory, name) for name in names]
            yield directory, [path for path in paths if path in self._files or _is_data(path)]


def _is_data(path: str) -> bool:
    """Whether a file's name is that of data. Asked once of each: of 10,000 names it takes 0.1 s."""
    return suffix_of(path) in DATA_SUFFIXES


def _changed(directory: str) -> int:
    """When a directory was changed last, in nanoseconds; -1 where it is gone."""
    try:
        return os.stat(directory).st_mtime_ns
    except OSError:
        return -1
