"""From what a user typed to the files of one table."""

from __future__ import annotations

import difflib
import glob
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

import pyarrow as pa

from bigviz.common.did_you_mean import listing
from bigviz.common.errors import BadInput, NotFound, TooLarge
from bigviz.data.formats.file_part import Part
from bigviz.data.formats.sniff import DATA_SUFFIXES, suffix_of
from bigviz.data.formats.stable_file import StableFile
from bigviz.data.limits import MOST_FILES
from bigviz.data.remote.address import is_remote, shown_source
from bigviz.data.walk import expand, hidden, tree

__all__ = ["Files", "find_files", "fixed", "glob_head", "nearest_path", "require_few", "short_names", "stem"]


@dataclass(frozen=True)
class Files:
    """The files of a table in the order of their rows: `paths`, what they are below the table's directory, its name,
    and sentences on what was met on the way (links that lead nowhere or in a circle), which viewers may read: they name
    paths below that directory. `known` are those that finding them has opened, by path; `constants` are columns with
    one value a file, where not the names of directories say them. `seen` makes of a file what it is in the table;
    `version` is what else distinguishes the table from what it was before."""

    paths: tuple[str, ...]
    relative: tuple[str, ...]
    name: str
    notes: tuple[str, ...] = ()
    known: Mapping[str, StableFile] = field(default_factory=dict)
    constants: Mapping[str, list[pa.Scalar]] | None = None
    seen: Callable[[Part], Part] | None = None
    version: str = ""


def find_files(source: str) -> Files:
    """A file, a directory (searched to its depth) or a glob (`**` too), resolved; paths sort by their text.

    Links to files and directories are followed. Raises `NotFound` if there is nothing of that name or nothing in it,
    `BadInput` for remote addresses, `Unreadable` for a directory that may not be read, `TooLarge` beyond 100,000 files.
    Files and directories whose names begin with a dot or an underscore are left out, as in Hive and Spark.
    """
    if "\0" in source:
        raise BadInput("A path cannot hold a NUL character.", field="source", got=source)
    path = os.path.expanduser(source)
    if os.path.isdir(path):
        return _in_directory(path)
    if os.path.lexists(path):
        return Files((path,), (os.path.basename(path),), stem(path))
    if glob.has_magic(path):
        return _in_glob(path)
    if is_remote(source):
        shown = shown_source(source)
        raise BadInput(f"{shown} is a remote address, and a path of this machine is expected here.", "source", shown)
    raise _missing(path)


def _in_directory(path: str) -> Files:
    notes: list[str] = []
    found = _data_files(path, notes)
    if not found:
        inside = sorted(os.listdir(path))
        holds = f"it holds {listing(inside)}" if inside else "it is empty"
        raise NotFound(
            f"There is no data file in the directory {path} ({holds}). Expected names ending in "
            f"{', '.join(sorted(DATA_SUFFIXES))}; give the path of a file to open it whatever its name is.",
            field="source",
            got=path,
        )
    name = PurePath(os.path.abspath(path)).name or "root"
    return Files(tuple(found), tuple(_below(file, path) for file in found), name, _told_below(path, notes))


def _in_glob(pattern: str) -> Files:
    found: list[str] = []
    notes: list[str] = []
    for match in expand(pattern, notes):
        if os.path.isdir(match):
            # `dir/**` yields every directory and every file below it: the files are taken as they come.
            if not pattern.rstrip("/").endswith("**"):
                found += _data_files(match, notes)
        elif not hidden(os.path.basename(match)) and (suffix_of(match) in DATA_SUFFIXES or not pattern.endswith("*")):
            found.append(match)
    found = list(dict.fromkeys(found))
    if not found:
        raise NotFound(
            f"No data file matches {pattern}. Quote the pattern, and check its directory.", "source", pattern
        )
    require_few(len(found), pattern)
    below = tuple(_below(file, fixed(pattern)) for file in found)
    return Files(tuple(found), below, _glob_name(pattern), _told_below(fixed(pattern), notes))


def _data_files(root: str, notes: list[str]) -> list[str]:
    found: list[str] = []
    for directory, files in tree(root, notes):
        found += [os.path.join(directory, name) for name in files if suffix_of(name) in DATA_SUFFIXES]
        require_few(len(found), root)
    return sorted(found)


def require_few(count: int, what: str) -> None:
    """Raise `TooLarge` beyond 100,000 files."""
    if count > MOST_FILES:
        raise TooLarge(f"{what} has more than {MOST_FILES:,} files. Open a part of it.", field="source", got=what)


def nearest_path(path: str) -> str | None:
    """What lies in the directory of a path that does not exist and has a name like it; None if nothing has.

    Names are compared without their suffixes, which many files share; one with another suffix has to be more like it.
    Raises `OSError` where the directory does not exist or cannot be read.
    """
    directory, name = os.path.split(path)
    stem, suffix = os.path.splitext(name)
    names: dict[str, list[str]] = {}
    for each in sorted(os.listdir(directory or ".")):
        names.setdefault(os.path.splitext(each)[0], []).append(each)
    kin = [each for each, files in names.items() if f"{each}{suffix}" in files]
    close = difflib.get_close_matches(stem, kin, n=1) or difflib.get_close_matches(stem, list(names), n=1, cutoff=0.8)
    if not close:
        return None
    same = names[close[0]]
    return os.path.join(directory, f"{close[0]}{suffix}" if f"{close[0]}{suffix}" in same else same[0])


def short_names(paths: Sequence[str]) -> list[str]:
    """Files as a viewer may know them: below the directory that they share. Those that are elsewhere share one too."""
    elsewhere = [is_remote(path) for path in paths]
    if any(elsewhere) and not all(elsewhere):
        names = {far: iter(short_names([p for p, each in zip(paths, elsewhere, strict=True) if each is far]))
                 for far in (True, False)}  # fmt: skip
        return [next(names[far]) for far in elsewhere]
    whole = [f"/{path}" if far else os.path.abspath(path) for path, far in zip(paths, elsewhere, strict=True)]
    shared = os.path.commonpath([os.path.dirname(path) for path in whole])
    return [_below(path, shared) for path in whole]


def _told_below(root: str, notes: Sequence[str]) -> tuple[str, ...]:
    """Notes, which begin with a path below `root`, each once and without what is above it."""
    return tuple(dict.fromkeys(note.removeprefix(os.path.join(root, "")) for note in notes))


def _below(file: str, root: str) -> str:
    return os.path.relpath(file, root).replace(os.sep, "/")


def fixed(pattern: str) -> str:
    """The directory before the first step with a wildcard."""
    steps = PurePath(pattern).parts
    count = next(number for number, step in enumerate(steps) if glob.has_magic(step))
    return os.path.join(*steps[:count]) if count else "."


def _glob_name(pattern: str) -> str:
    """`trips-*.parquet` is "trips", `trips/*.parquet` is "trips", `*.parquet` the current directory's name."""
    step = PurePath(pattern).name if glob.has_magic(PurePath(pattern).name) else ""
    return glob_head(step) or PurePath(os.path.abspath(fixed(pattern))).name or "table"


def glob_head(step: str) -> str:
    """What a step says before its first wildcard: "trips" of `trips-*.parquet`."""
    return re.split(r"[*?\[]", step)[0].strip("-_. ")


def stem(path: str) -> str:
    """The name of a file without the ending that says its format."""
    name = os.path.basename(path)
    suffix = suffix_of(name)
    at = name.lower().rfind(suffix) if suffix else -1
    return name[:at] if at > 0 else name


def _missing(path: str) -> NotFound:
    try:
        close = nearest_path(path)
    except OSError:
        return NotFound(f"There is no file {path}: its directory does not exist or cannot be read.", "source", path)
    more = f"Did you mean {close}?" if close else "Check the path, and quote globs."
    return NotFound(f"There is no file {path}. {more}", field="source", got=path)
