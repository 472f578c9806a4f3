"""Finds the Delta, Iceberg and Hudi tables that a path takes files from: only their logs say which files count."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePath
from typing import Final

from bigviz.common.errors import BadInput
from bigviz.data.paths import fixed
from bigviz.data.table_formats.delta import LOG, is_delta
from bigviz.data.table_formats.iceberg import METADATA, is_iceberg

__all__ = ["FOLDERS", "Tables", "note_or_refuse", "tables_of_keys"]

_HUDI: Final = ".hoodie"
_LOGS: Final = {LOG: "Delta", _HUDI: "Hudi"}
FOLDERS: Final = (*_LOGS, "metadata")
"""Directories that make their directory a table; the last one only if its files are named so."""
_ADVICE: Final = {"Hudi": "Bigviz does not read those: export it to Parquet"}


class Tables:
    """The tables that paths of this machine lead through. Each directory is looked at once."""

    def __init__(self) -> None:
        self._kinds: dict[str, str | None] = {}

    def note_of(self, source: str, files: Iterable[str]) -> str | None:
        """A sentence for those who see the files of `source`, a path or a glob, if they were picked out of a table.

        Raises BadInput where it is a directory or a glob that takes files of tables which it does not name: all files
        would be read, those that were replaced or removed too. A glob that begins in a table means what it says.
        """
        source = os.path.expanduser(source)
        is_directory = os.path.isdir(source)
        is_glob = not is_directory and not os.path.lexists(source) and glob.has_magic(source)
        root = fixed(source) if is_glob else source if is_directory else os.path.dirname(source)
        around = dict(self._around(root))
        folders = dict.fromkeys(map(os.path.dirname, files))
        found = dict(each for folder in folders for each in self._around(folder))
        below = {place: kind for place, kind in found.items() if place not in around}
        return note_or_refuse(source, below, around, all_of_them=is_directory)

    def _around(self, folder: str) -> Iterator[tuple[str, str]]:
        """The tables that a directory is one of or lies in, by its path, and by where links lead."""
        for path in dict.fromkeys((os.path.abspath(folder), os.path.realpath(folder))):
            for each in map(str, (PurePath(path), *PurePath(path).parents)):
                if each not in self._kinds:
                    self._kinds[each] = _kind_of(each)
                kind = self._kinds[each]
                if kind is not None:
                    yield each, kind


def tables_of_keys(keys: Iterable[str]) -> dict[str, str]:
    """The tables that keys of a store tell of, and their kinds: the key of each without a slash at its end."""
    found: dict[str, str] = {}
    for key in keys:
        *folders, name = key.split("/")
        for at, folder in enumerate(folders):
            if folder in _LOGS:
                found["/".join(folders[:at])] = _LOGS[folder]
                break
        if folders and folders[-1] == "metadata" and name.endswith(METADATA):
            found["/".join(folders[:-1])] = "Iceberg"
    return found


def note_or_refuse(source: str, below: Mapping[str, str], around: Mapping[str, str], all_of_them: bool) -> str | None:
    """What to say of a source that takes files of the tables `below` it, or that lies in those `around` it; None where
    there are none. Raises BadInput for what would read rows that do not count, and was not asked to."""
    if below or (around and all_of_them):
        raise _refused(source, "holds" if below else "belongs to", below or around)
    kind = next(iter(around.values()), None)
    if kind is None:
        return None
    return f"These files were picked out of a table ({kind}): rows that do not count in it any more may be among them."


def _refused(source: str, relation: str, tables: Mapping[str, str]) -> BadInput:
    place, kind = min(tables.items())
    others = f" and {len(tables) - 1:,} other tables" if len(tables) > 1 else ""
    advice = _ADVICE.get(kind, f"Open the table alone: {place}")
    return BadInput(
        f"{source} {relation} the {kind} table {place}{others}, whose log says which of its files count: replaced and "
        f"removed rows lie beside the others. {advice}. A glob that begins in it ({place}/**/*.parquet) opens all of "
        "its files.",
        field="source",
        got=source,
    )


def _kind_of(folder: str) -> str | None:
    if is_delta(folder):
        return "Delta"
    if os.path.isdir(os.path.join(folder, _HUDI)):
        return "Hudi"
    return "Iceberg" if is_iceberg(folder) else None
