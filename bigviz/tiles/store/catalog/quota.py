"""How much of the disk stores take, and which go first: the least recently used, never one in use."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bigviz.common.errors import BadInput, TooLarge
from bigviz.tiles.store.catalog.atomic_build import SUFFIX, discard, is_trash, lock_of
from bigviz.tiles.store.catalog.parts import PARTS
from bigviz.tiles.store.files.lock import Lock

__all__ = ["SHARE", "Unit", "bytes_of", "default_root", "drop_unused", "make_room", "sweep", "unit_of", "units"]

SHARE: Final = 4  # stores take at most one such part of what would be free without them


@dataclass(frozen=True)
class Unit:
    """Something that can be removed by itself: a store, a part added to one, or what is left of an interrupted build.

    `folder` is its name when it is whole; `size` its bytes on the disk, parts included; `used` when it was last held.
    """

    folder: Path
    size: int
    used: float
    whole: bool


def default_root() -> Path:
    """The user's cache directory for stores: `$XDG_CACHE_HOME/bigviz`, or `~/.cache/bigviz`. Raises BadInput where
    there is neither: in a container that runs under a number without a name."""
    cache = os.environ.get("XDG_CACHE_HOME")
    if cache and os.path.isabs(cache):
        return Path(cache) / "bigviz"
    try:
        return Path.home() / ".cache" / "bigviz"
    except RuntimeError as error:
        raise BadInput(
            f"There is no home directory to keep indexes in (HOME is not set, and user {os.geteuid()} has no name): "
            "choose a directory for indexes with --store-dir.",
            "store-dir",
        ) from error


def units(root: Path) -> list[Unit]:
    """All that lies in a directory of stores, the least recently used first."""
    found = []
    for folder in _folders(root):
        found.append(unit_of(folder))
        if found[-1].whole:
            found.extend(unit_of(part) for kind in PARTS for part in _folders(folder / kind))
    return sorted(found, key=lambda unit: unit.used)


def make_room(
    root: Path, needed: int, limit: int | None, keep: Path | None = None, share: int = SHARE, what: str | None = None
) -> None:
    """Remove what was not used for longest until `needed` bytes more are within the limit (None: a part, one of
    `share`, of what would be free without stores).

    `keep` stays, and does not count. Raises TooLarge where that is not possible, or the disk has less free; its message
    begins with `what`, such as "The index takes 3.00 GB".
    """
    what = what or f"The index takes at least {needed / 1e9:,.2f} GB"
    there = [unit for unit in units(root) if unit.folder != keep]
    stores = [unit for unit in there if unit.folder.parent == root]
    held, free = sum(unit.size for unit in stores), shutil.disk_usage(root).free
    most = (held + free) // share if limit is None else limit
    if needed > most:
        raise TooLarge(
            f"{what}, and indexes in {root} may take {most / 1e9:,.2f} GB: allow more with --store-limit, or choose a "
            "directory on a larger disk with --store-dir.",
            "store-limit",
            needed,
        )
    for unit in there:
        if held + needed <= most:
            break
        size = unit_of(unit.folder).size  # without parts that went before
        if drop_unused(unit.folder):
            held -= size
    free = shutil.disk_usage(root).free
    if held + needed > most:
        raise TooLarge(
            f"{what}, and indexes that are in use take {held / 1e9:,.2f} of the {most / 1e9:,.2f} GB that indexes in "
            f"{root} may take: allow more with --store-limit.",
            "store-limit",
            needed,
        )
    if needed > free:
        raise TooLarge(
            f"{what}, and the disk of {root} has {free / 1e9:,.2f} GB free: make room, or choose another directory "
            "with --store-dir.",
            "store-dir",
            needed,
        )


def drop_unused(folder: Path) -> bool:
    """Remove a store or part, whole or not, that nobody uses or builds; False if somebody does."""
    lock = Lock.take(lock_of(folder), exclusive=True) if folder.parent.is_dir() else None
    if lock is None:
        return False
    try:
        discard(folder)
        discard(folder.with_name(folder.name + SUFFIX))
        lock.remove()
        return True
    finally:
        lock.release()


def sweep(root: Path) -> None:
    """Finish removals that were interrupted."""
    for child in _children(root):
        if is_trash(child):
            shutil.rmtree(child, ignore_errors=True)


def bytes_of(folder: Path) -> int:
    """Bytes on the disk of all files below a folder."""
    total = 0
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(OSError):
                if entry.is_dir(follow_symlinks=False):
                    total += bytes_of(Path(entry.path))
                else:
                    total += entry.stat(follow_symlinks=False).st_blocks * 512
    return total


def unit_of(folder: Path) -> Unit:
    """A store or part by the name it has or will have."""
    aside = folder.with_name(folder.name + SUFFIX)
    used = 0.0
    with suppress(OSError):
        used = os.stat(lock_of(folder)).st_mtime
    return Unit(folder, bytes_of(folder) + bytes_of(aside), used, folder.is_dir())


def _folders(root: Path) -> list[Path]:
    """The folders of bigviz's in a directory, each once, by the names they have or will have."""
    names = {child.name.removesuffix(SUFFIX): None for child in _children(root) if _is_ours(child)}
    return [root / name for name in names]


def _is_ours(child: Path) -> bool:
    """A folder with a lock next to it: no other directory is ever removed."""
    whole = child.with_name(child.name.removesuffix(SUFFIX))
    return not is_trash(child) and child.is_dir() and not child.is_symlink() and lock_of(whole).exists()


def _children(root: Path) -> Iterator[Path]:
    with suppress(FileNotFoundError, NotADirectoryError):
        yield from sorted(root.iterdir())
