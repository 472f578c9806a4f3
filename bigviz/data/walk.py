"""What lies below a directory or matches a glob, through symbolic links; nothing is left out silently.

`os.walk` and `glob` skip directories that they may not read, so a table would have fewer rows than its directory and
nobody would know. `os.walk` does not follow links; `glob` follows loops of them (`dir/**` with two never ends).
"""

from __future__ import annotations

import errno
import fnmatch
import glob
import os
import re
import stat
from collections.abc import Callable, Iterator
from pathlib import PurePath

from bigviz.common.errors import TooLarge, Unreadable
from bigviz.data.formats.sniff import suffix_of
from bigviz.data.limits import MOST_FILES

__all__ = ["expand", "hidden", "tree"]

_ID = tuple[int, int]
_NOTHING = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG})


def hidden(name: str) -> bool:
    """True for names that Hive and Spark leave out, and for the directory that fsck keeps for itself."""
    return name[:1] in ("", ".", "_") or name == "lost+found"


def tree(root: str, notes: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Every directory from `root` down, `root` first, with the names of its files in order; hidden names left out.

    Links are followed, and those that lead back to a directory above them are not; these, and links that lead
    nowhere, are reported in `notes`. Raises `Unreadable` for a directory that cannot be listed and for a broken link
    named as a partition (`key=value`), `TooLarge` beyond 100,000 directories.
    """
    stack: list[tuple[str, frozenset[_ID]]] = [(root, _above(root))]
    for number in range(MOST_FILES + 1):
        if not stack:
            return
        if number == MOST_FILES:
            raise TooLarge(f"{root} has more than {MOST_FILES:,} directories. Open a part of it.", "source", root)
        path, above = stack.pop()
        here = above | {_id(path)}
        files: list[str] = []
        inside: list[str] = []
        for entry in _entries(path):
            if hidden(entry.name):
                continue
            if not (_is_directory(entry.path) if entry.is_symlink() else entry.is_dir()):
                files.append(entry.name)
                if entry.is_symlink() and _is_there(entry.path, os.stat) is None:
                    _tell_of_broken(entry, notes)
            elif not _leads_back(entry, here, notes):
                inside.append(entry.path)
        yield path, files
        stack += [(each, here) for each in reversed(inside)]


def expand(pattern: str, notes: list[str]) -> list[str]:
    """The files and directories that match a glob, sorted; `**` stands for any number of directories, as in `glob`.

    Unlike in `glob` wildcards pass over the names that are `hidden`, none follows a link to a directory above it, and
    a directory that cannot be listed raises what `tree` raises.
    """
    parts = PurePath(pattern).parts
    steps = [step for step, before in zip(parts, ("", *parts), strict=False) if not step == before == "**"]
    found = [""]
    for number, step in enumerate(steps):
        last = number == len(steps) - 1
        bases = dict.fromkeys(path for path in found if not path or _is_directory(path))
        found = [each for base in bases for each in _matches(base, step, last, notes)]
    return sorted(dict.fromkeys(path for path in found if path))


def _matches(base: str, step: str, last: bool, notes: list[str]) -> Iterator[str]:
    if step == "**":
        for directory, files in tree(base or ".", notes):
            inside = directory if base else os.path.relpath(directory)
            yield "" if inside == "." else inside
            if last:
                yield from (os.path.join("" if inside == "." else inside, name) for name in files)
    elif glob.has_magic(step):
        fits = re.compile(fnmatch.translate(step)).match
        above: frozenset[_ID] | None = None
        for entry in _entries(base or "."):
            if not fits(entry.name) or (hidden(entry.name) and step[0] not in "._"):
                continue
            if entry.is_symlink():
                above = _above(entry.path) if above is None else above
                if _is_directory(entry.path) and _leads_back(entry, above, notes):
                    continue
                if not (last and suffix_of(entry.name)) and _is_there(entry.path, os.stat) is None:
                    _tell_of_broken(entry, notes)
            yield os.path.join(base, entry.name)
    else:
        path = os.path.join(base, step)
        if _is_there(path, os.lstat) is not None:
            yield path


def _entries(path: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(path) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise _unreadable(path, error) from error


def _is_directory(path: str) -> bool:
    found = _is_there(path, os.stat)
    return found is not None and stat.S_ISDIR(found.st_mode)


def _is_there(path: str, look: Callable[[str], os.stat_result]) -> os.stat_result | None:
    """What `look` finds out about a path; None where there is nothing, or no name could be. `os.path.exists` and its
    relatives take a directory that may not be entered for an empty one."""
    try:
        return look(path)
    except OSError as error:
        if error.errno in _NOTHING:
            return None
        raise _unreadable(os.path.dirname(path) or ".", error) from error
    except ValueError:  # a NUL
        return None


def _id(path: str) -> _ID:
    try:
        status = os.stat(path)
    except OSError as error:
        raise _unreadable(path, error) from error
    return status.st_dev, status.st_ino


def _above(path: str) -> frozenset[_ID]:
    """The directories that a path leads through to its last step."""
    return frozenset(_id(str(parent)) for parent in PurePath(os.path.abspath(path)).parents)


def _leads_back(entry: os.DirEntry[str], above: frozenset[_ID], notes: list[str]) -> bool:
    if not entry.is_symlink() or _id(entry.path) not in above:
        return False
    note = f"{entry.path} is a link to a directory above it, and was not followed."
    if note not in notes:
        notes.append(note)
    return True


def _unreadable(path: str, error: OSError) -> Unreadable:
    return Unreadable(
        f"The directory {path} cannot be read: {(error.strerror or str(error)).lower()}. It may hold rows of the "
        "table; give yourself access, or name the files that are to be opened.",
        field="source",
        got=path,
    )


def _tell_of_broken(entry: os.DirEntry[str], notes: list[str]) -> None:
    if "=" in entry.name:
        target = os.readlink(entry.path)
        raise Unreadable(
            f"{entry.path} is a link to {target}, which is not there, so the table would lack its rows. "
            "Mount or restore it, or remove the link.",
            field="source",
            got=entry.path,
        )
    notes.append(f"{entry.path} is a link that leads nowhere.")
