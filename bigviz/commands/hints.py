"""Advice for the command line."""

from __future__ import annotations

import glob
import os
import shlex
from collections.abc import Sequence
from itertools import takewhile

from bigviz.common.errors import BigvizError
from bigviz.data.formats.ipc import IpcPart
from bigviz.data.formats.parquet import ParquetPart
from bigviz.data.formats.sniff import format_of, suffix_of
from bigviz.data.formats.stable_file import StableFile

__all__ = ["same_schema_hint"]


def same_schema_hint(paths: Sequence[str]) -> str | None:
    """A sentence for the user who gives several files of one schema, with the command that opens them as one table.

    None if there are fewer than two, if they differ, or if no quoted glob or directory names exactly these files.
    Files that cannot be read are no reason for a hint: opening them says what is wrong.
    """
    if len(paths) < 2 or not all(os.path.isfile(path) for path in paths):
        return None
    try:
        keys = [_schema_key(path) for path in paths]
    except BigvizError:
        return None
    if any(key != keys[0] for key in keys):
        return None
    pattern = _pattern(paths)
    if pattern is None:
        return None
    return f"These {len(paths)} files share one schema. To open them as one table: bigviz serve {shlex.quote(pattern)}"


def _schema_key(path: str) -> object:
    file = StableFile.at(path)
    found, _ = format_of(file)
    if found == "parquet":
        return found, ParquetPart(file).schema
    if found == "csv":
        return found, file.ends(1 << 16)[0].split(b"\n")[0]
    return found, IpcPart(file, stream=found == "arrow stream").schema


def _pattern(paths: Sequence[str]) -> str | None:
    """The shortest glob that names these files and no others."""
    directories = {os.path.dirname(path) for path in paths}
    if len(directories) != 1:
        return None
    names = [os.path.basename(path) for path in paths]
    same = takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False))
    prefix = "".join(letters[0] for letters in same)
    endings = {suffix_of(name) for name in names}
    suffix = endings.pop() if len(endings) == 1 else ""
    directory = directories.pop()
    for start in ("", prefix):
        pattern = os.path.join(glob.escape(directory), f"{glob.escape(start)}*{suffix}")
        if sorted(glob.glob(pattern)) == sorted(set(paths)):
            return pattern
    return None
