"""Manifests: what a folder of bigviz's own files holds, written when everything else of it is on the disk.

docs/store.md gives the format. A folder is whole when its manifest is there, has its own checksum, and names files that
are there in their sizes; whatever else a folder looks like, it is not used.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bigviz.common.disk.sync_directory import sync_directory
from bigviz.common.errors import Unreadable

__all__ = [
    "FORMAT",
    "NAME",
    "FileFacts",
    "Manifest",
    "OtherFormat",
    "loosely",
    "read_manifest",
    "seal",
    "write_aside",
]

FORMAT: Final = 2  # 1 had no boxes of keys
NAME: Final = "manifest.json"

_WHOLE: Final = 1 << 24  # files up to this size are summed as a whole: 16 MiB in 20 ms
_MOST_BYTES: Final = 1 << 24  # of a manifest
_BARE: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}")


class OtherFormat(Unreadable):
    """A manifest that another version of bigviz wrote; `got` is the number of its format."""


@dataclass(frozen=True)
class FileFacts:
    """A file's bytes, and the checksum of all of them (None for large ones, whose blocks have sums in another file)."""

    size: int
    check: str | None


@dataclass(frozen=True)
class Manifest:
    """What a folder holds.

    `kind` is "order", "series", "column" or "pyramid"; `of` says of what (a source and columns, or a store and a key);
    `facts` is what its writer found out. `check` is the manifest's own checksum, by which other manifests refer to it.
    """

    kind: str
    of: Mapping[str, Any]
    facts: Mapping[str, Any]
    files: Mapping[str, FileFacts]
    written: float
    check: str

    @property
    def size(self) -> int:
        """Bytes of the files."""
        return sum(each.size for each in self.files.values())


def seal(
    folder: Path,
    kind: str,
    of: Mapping[str, Any],
    facts: Mapping[str, Any],
    written: float,
    leave_out: Collection[str] = (),
) -> None:
    """Bring every file of `folder`, except those left out, to the disk, then the manifest that names them.

    The files are those that lie in it directly; folders and files of another form of name are not expected. Raises
    OSError, such as of a full disk.
    """
    files = {}
    for path in sorted(folder.iterdir()):
        if path.name in leave_out or path.name.startswith(NAME):
            continue
        if not _BARE.fullmatch(path.name):
            raise ValueError(f"a store's files have plain names, got {path.name!r}")
        with open(path, "rb") as file:
            os.fsync(file.fileno())
        size = path.stat().st_size
        files[path.name] = {"size": size, "check": _file_check(path) if size <= _WHOLE else None}
    body = {
        "format": FORMAT,
        "kind": kind,
        "of": dict(of),
        "segments": [{"facts": dict(facts), "files": files}],
        "written": written,
    }
    body["check"] = _check(body)
    sync_directory(folder)
    write_aside(folder / NAME, json.dumps(body, indent=1).encode())


def read_manifest(folder: Path, *, files: bool = True) -> Manifest | None:
    """The manifest of `folder`; None if it has none. With `files`, its files are compared with it.

    Raises Unreadable, naming the file, for a manifest that is damaged or of another format, for files that are missing,
    of another size or sum, or not regular, and for folders and files that belong to others: only what bigviz wrote is
    mapped.
    """
    path = folder / NAME
    try:
        if _require_own(folder, stat.S_ISDIR).st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise Unreadable(f"{folder} can be written to by others: it is not used.", got=str(folder))
        _require_own(path, stat.S_ISREG)
        with open(path, "rb") as file:
            text = file.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Unreadable(f"{path} cannot be read: {os.strerror(error.errno or 0).lower()}.", got=str(path)) from error
    found = _parsed(path, text)
    if files:
        for name, facts in found.files.items():
            _compare(folder / name, facts)
    return found


def loosely(folder: Path) -> tuple[int, str, str] | None:
    """Format, identity and fingerprint of a store in any format, unchecked; None if it does not say.

    Every format keeps these three where format 1 has them.
    """
    try:
        with open(folder / NAME, "rb") as file:
            body = json.loads(file.read(_MOST_BYTES))
        return int(body["format"]), str(body["of"]["identity"]), str(body["of"]["fingerprint"])
    except (OSError, ValueError, LookupError, TypeError, ArithmeticError, RecursionError):
        return None


def write_aside(path: Path, data: bytes) -> None:
    """Write a file so that after any interruption the old one or the new one is there, whole."""
    aside = path.with_name(path.name + ".new")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with open(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(aside, path)
    sync_directory(path.parent)


def _parsed(path: Path, text: bytes) -> Manifest:
    try:
        body = json.loads(text)
        check, format_ = body.pop("check"), body["format"]
        if type(format_) is not int or format_ != FORMAT:
            raise OtherFormat(f"{path} has format {format_!r}, and this bigviz reads {FORMAT}.", got=format_)
        if check != _check(body):
            raise ValueError("its checksum is another")
        (segment,) = body["segments"]
        files = {}
        for name, each in segment["files"].items():
            if not _BARE.fullmatch(name) or name == NAME:
                raise ValueError(f"it names the file {name!r}")
            files[name] = FileFacts(int(each["size"]), each["check"])
        return Manifest(body["kind"], body["of"], segment["facts"], files, float(body["written"]), check)
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        raise Unreadable(f"{path} is damaged: {error or type(error).__name__}.", got=str(path)) from error


def _compare(path: Path, facts: FileFacts) -> None:
    try:
        size = _require_own(path, stat.S_ISREG).st_size
        if size != facts.size:
            raise Unreadable(f"{path} has {size:,} bytes and had {facts.size:,} when it was written.", got=str(path))
        if facts.check is not None and facts.check != _file_check(path):
            raise Unreadable(f"{path} is damaged: its checksum is another.", got=str(path))
    except OSError as error:
        raise Unreadable(f"{path} cannot be read: {os.strerror(error.errno or 0).lower()}.", got=str(path)) from error


def _require_own(path: Path, is_type: Any) -> os.stat_result:
    """The status of a file or folder that this user (or root) made."""
    status = os.stat(path, follow_symlinks=False)
    if not is_type(status.st_mode):
        raise Unreadable(f"{path} is not what bigviz wrote there.", got=str(path))
    if status.st_uid not in (os.geteuid(), 0):
        raise Unreadable(f"{path} was written by another user: it is not used.", got=str(path))
    return status


def _check(body: Mapping[str, Any]) -> str:
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _file_check(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
