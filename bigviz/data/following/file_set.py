"""Parquet and Arrow files to which others are added: each is a part of the table once it is whole."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, Final

import pyarrow as pa

from bigviz.common.cancel import Cancel
from bigviz.common.errors import BigvizError
from bigviz.data.following.listing import Listing
from bigviz.data.following.outdated import Outdated
from bigviz.data.following.source import FollowedSource
from bigviz.data.formats.file_part import Part
from bigviz.data.formats.hive import partition, partitions
from bigviz.data.formats.merged_schema import merge_schemas
from bigviz.data.formats.sniff import format_of, named
from bigviz.data.formats.stable_file import StableFile
from bigviz.data.open import part_of
from bigviz.data.sources.tasks import threads

__all__ = ["FileSet"]

_AT_ONCE: Final = 1_000  # files that one look asks whether they are what they were
_MOST_OPENED: Final = 256  # files that one look opens
_SECONDS_OLD: Final = 1.0  # files that nobody has written to for so long are taken for whole at the first look
_SECONDS_TO_TELL: Final = 10.0  # that a file which cannot be opened stays as it is, until somebody hears of it
_MOST_TOLD: Final = 5

_Identity = tuple[int, int, int, int]
"""Inode, size, and when it was written and changed."""


@dataclass
class _Waiting:
    """A file that was not read yet: what it was at the last look, since when, and why it could not be opened."""

    seen: _Identity
    since: float
    failure: str | None = None
    told: bool = False


class FileSet:
    """The files of a directory or a glob, in the order in which they were found whole; those of one look by path.

    A writer may take any time for a file. One is opened when it has been the same at two looks, or at once when it was
    renamed after it was written last; and it is read if its footer, which writers write last, is there and can be
    read. Otherwise it waits until it changes.
    """

    more = False
    opened_as: Sequence[int] = ()

    def __init__(self, path: str, whole: Mapping[str, _Identity] = MappingProxyType({})) -> None:
        """`whole` are files that another set has found whole: they are read at the first look. One that ends since a
        file has other columns has them in its own `whole`."""
        self.whole: Mapping[str, _Identity] = {}
        self.seen: Mapping[str, Any] | None = None
        self._known = whole
        self._listing = Listing(path)
        self._source: FollowedSource | None = None
        self._read: dict[str, _Identity] = {}
        self._names: list[str] = []
        self._turn = 0
        self._waiting: dict[str, _Waiting] = {}
        self._told: list[str] = []
        self._keys: dict[str, pa.DataType] = {}

    def look(self, cancel: Cancel) -> FollowedSource | None:
        """See `Growing`."""
        self.seen = None
        self._compare_some()
        found = self._listing.look()
        if found is not None:
            self._find(found)
        ready = [path for path in sorted(self._waiting) if self._is_ready(path)]
        self.more = len(ready) > _MOST_OPENED and self._source is not None
        if self._source is not None:
            ready = ready[:_MOST_OPENED]
        parts = self._opened(ready, cancel)
        return self._add(parts) if parts else None

    def replay(self, seen: Mapping[str, Any], opened_as: Sequence[int], cancel: Cancel) -> FollowedSource | None:
        """See `Growing`."""
        found = self._open_all([path for path, *_ in seen["files"]], cancel)
        parts = []
        for part, (path, *identity) in zip(found, seen["files"], strict=True):
            if isinstance(part, str) or list(_identity_of(part)) != identity:
                raise Outdated(f"{self._listing.below(path)} was changed")
            parts.append(part)
        return self._add(parts)

    def _add(self, parts: Sequence[Part]) -> FollowedSource:
        source = self._source = self._grown(parts)
        files = {part.file.path: _identity_of(part) for part in parts}
        self._names += files
        self._read.update(files)
        self.seen = {"files": [[path, *identity] for path, identity in files.items()]}
        return source

    def take_told(self) -> list[str]:
        """See `Growing`."""
        told, self._told = self._told, []
        return told if len(told) <= _MOST_TOLD else [*told[:_MOST_TOLD], f"{len(told) - _MOST_TOLD:,} more such files."]

    def why_nothing(self) -> str:
        """Why no file was read so far."""
        for path, waiting in self._waiting.items():
            if waiting.failure is not None:
                return f"{self._listing.below(path)} cannot be read yet: {waiting.failure}"
        return f"{len(self._waiting):,} files are being written" if self._waiting else "there is no data file in it yet"

    def _find(self, found: Sequence[str]) -> None:
        there = frozenset(found)
        gone = next((path for path in self._names if path not in there), None)
        if gone is not None:
            raise Outdated(f"{self._listing.below(gone)} is gone")
        for path in found:
            if path not in self._read and path not in self._waiting:
                self._waiting[path] = _Waiting(self._known.get(path, (0, 0, 0, 0)), time.monotonic())
        for path in [path for path in self._waiting if path not in there]:
            del self._waiting[path]

    def _compare_some(self) -> None:
        """Compare files that were read with what is there, in turn. Raises Outdated."""
        for _ in range(min(len(self._names), _AT_ONCE)):
            path = self._names[self._turn % len(self._names)]
            self._turn += 1
            now = _identity(path)
            if now != self._read[path]:
                raise Outdated(f"{self._listing.below(path)} {'is gone' if now is None else 'was changed'}")

    def _is_ready(self, path: str) -> bool:
        """Whether a file that was not read is worth opening: it was not written to for a while, or was renamed."""
        waiting, now = self._waiting[path], _identity(path)
        if now is None:  # gone again, or a link that leads nowhere
            return False
        if now == waiting.seen:
            self._tell_of(path, waiting)
            return waiting.failure is None
        self._waiting[path] = _Waiting(now, time.monotonic(), told=waiting.told)
        *_, written, changed = now
        old = self._source is None and time.time_ns() - written > _SECONDS_OLD * 1e9
        return changed > written or old

    def _tell_of(self, path: str, waiting: _Waiting) -> None:
        if waiting.failure is not None and not waiting.told and time.monotonic() - waiting.since > _SECONDS_TO_TELL:
            waiting.told = True
            self._told.append(f"{self._listing.below(path)} is left out until it changes: {waiting.failure}")

    def _opened(self, paths: Sequence[str], cancel: Cancel) -> list[Part]:
        parts = []
        for path, part in zip(paths, self._open_all(paths, cancel), strict=True):
            if isinstance(part, str):
                self._waiting[path].failure = part
            elif _identity_of(part) != self._waiting[path].seen:  # written to while it was opened
                self._waiting[path].seen = (0, 0, 0, 0)
            else:
                del self._waiting[path]
                parts.append(part)
        return parts

    def _open_all(self, paths: Sequence[str], cancel: Cancel) -> list[Part | str]:
        if len(paths) < threads():
            return [self._open(path, cancel) for path in paths]
        with ThreadPoolExecutor(threads(), thread_name_prefix="bigviz-open") as pool:
            return list(pool.map(partial(self._open, cancel=cancel), paths))

    def _open(self, path: str, cancel: Cancel) -> Part | str:
        """A file as a part; why not, where it cannot be one now."""
        cancel.check()
        try:
            file = StableFile.at(path)
            found = format_of(file)[0]
            if found not in ("parquet", "arrow file"):
                return f"it is {named(found)}, and only files of Parquet and Arrow tell when they are whole"
            return part_of(file, found)
        except BigvizError as error:
            return error.message.replace(path, self._listing.below(path))

    def _grown(self, parts: Sequence[Part]) -> FollowedSource:
        """The table with these files at its end. Raises Outdated where it would have other columns."""
        relative = [self._listing.below(part.file.path) for part in parts]
        before = self._source
        if before is None:
            keyed = partitions(relative)
            self._keys = {name: values[0].type for name, values in keyed.items()}
            return FollowedSource(parts, keyed, self._listing.path)
        own = pa.schema([field for field in before.schema if field.name not in before.constants])
        constants: dict[str, list[pa.Scalar]] = {name: [] for name in self._keys}
        for part, name in zip(parts, relative, strict=True):
            said = partition(name, self._keys)
            if said is None or not _fits(own, before, part, name):
                self.whole = {**self._read, **{each.file.path: _identity_of(each) for each in parts}}
                raise Outdated(f"{name} has other columns than the files before")
            for key, value in said.items():
                constants[key].append(value)
        return before.grown(parts, constants)


def _fits(own: pa.Schema, before: FollowedSource, part: Part, name: str) -> bool:
    """Whether a table's columns and their types stay what they are with one more file."""
    if part.schema.equals(own) and part.unusable.keys() == before.unusable.keys():
        return True
    both = [(own, before.unusable, "the files before"), (part.schema, part.unusable, name)]
    merged, unusable, _ = merge_schemas(both)
    return bool(merged.equals(own)) and unusable.keys() == before.unusable.keys()


def _identity(path: str) -> _Identity | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _identity_of(part: Part) -> _Identity:
    file = part.file
    return file.inode, file.size, file.mtime_ns, file.ctime_ns
