"""The only way a folder of the store is made: built under another name and a lock, then renamed.

`<name>.building` is filled, its files and their manifest are brought to the disk, and it is renamed to `<name>`. So a
folder with its final name is whole, one without it is continued, and after a kill at any moment there is one or the
other. A process that comes while another one builds waits for it and sees its progress.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from bigviz.common.disk.no_space import FULL
from bigviz.common.disk.sync_directory import sync_directory
from bigviz.common.errors import BadInput, Cancelled, TooLarge, Unreadable
from bigviz.common.progress import Progress
from bigviz.common.workers import Crew
from bigviz.tiles.store.files.lock import Lock
from bigviz.tiles.store.files.manifest import read_manifest, seal

__all__ = [
    "SUFFIX",
    "Write",
    "aside_of",
    "begun_with",
    "build_folder",
    "discard",
    "disk_errors",
    "is_trash",
    "lock_of",
    "make_directory",
    "others_progress",
]

Write = Callable[[Path, Crew], Mapping[str, Any]]
"""Fills a folder, or goes on with one that was left, and returns what its manifest is to say. It tells its progress to
the crew and looks at its flag; what it leaves in the folder are plain files."""

SUFFIX: Final = ".building"
_PLAN: Final = "plan.json"
_PROGRESS: Final = "progress.json"
_TRASH: Final = ".trash-"
_OWN: Final = frozenset((_PLAN, _PROGRESS, _PROGRESS + ".new"))
_PAUSE: Final = 0.1  # seconds between two looks at another process's lock


def aside_of(folder: Path) -> Path:
    """Where `folder` is while it is being built."""
    return folder.with_name(folder.name + SUFFIX)


def lock_of(folder: Path) -> Path:
    """The lock of `folder`: shared by those that use it, exclusive for those that build or remove it."""
    return folder.with_name(folder.name + ".lock")


def build_folder(folder: Path, kind: str, of: Mapping[str, Any], plan: Any, write: Write, crew: Crew) -> Lock:
    """Make `folder` unless it is there; returns its lock, held and shared.

    A half-built folder is continued only if it was begun with the same `plan` (JSON). What is built stays when the work
    is cancelled, and is removed when it fails, with whatever `write` raises. A folder that is there is not checked.
    """
    make_directory(folder.parent)
    lock = _waited_for(folder, crew)
    try:
        if not folder.exists():
            _build(folder, kind, of, plan, write, crew)
        if lock.share():
            return lock
    except BaseException:
        if not folder.exists() and not aside_of(folder).exists():
            lock.remove()
        lock.release()
        raise
    lock.release()
    return build_folder(folder, kind, of, plan, write, crew)  # removed by another process in this very moment


@contextmanager
def disk_errors(root: Path) -> Iterator[None]:
    """Turn errors of the disk into TooLarge (it is full) or BadInput (it cannot be written to), naming the directory of
    stores."""
    try:
        yield
    except OSError as error:
        elsewhere = "choose another directory for indexes with --store-dir"
        if error.errno in FULL:
            free = shutil.disk_usage(root).free if root.is_dir() else 0
            raise TooLarge(
                f"The disk of {root} is full: {free / 1e9:,.2f} GB are free now that what was begun is removed. "
                f"Make room, or {elsewhere}.",
                "store-dir",
                free,
            ) from error
        reason = os.strerror(error.errno).lower() if error.errno else str(error)
        raise BadInput(f"{root} cannot be used for indexes ({reason}): {elsewhere}.", "store-dir", str(root)) from error


def make_directory(path: Path) -> None:
    """A directory for this user alone, with those above it; one that is there stays as it is."""
    if not path.is_dir():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=0o700, exist_ok=True)


def discard(folder: Path) -> None:
    """Remove a folder so that it is never seen half removed. Its lock is held by the caller."""
    trash = folder.with_name(f"{_TRASH}{folder.name}-{os.getpid()}-{threading.get_ident()}")
    with suppress(FileNotFoundError):
        os.rename(folder, trash)
        shutil.rmtree(trash, ignore_errors=True)


def is_trash(path: Path) -> bool:
    """Whether this is what an interrupted `discard` left."""
    return path.name.startswith(_TRASH)


def begun_with(folder: Path) -> Any:
    """The plan of a folder that is being built or was left; None without one."""
    try:
        return json.loads((aside_of(folder) / _PLAN).read_bytes())["plan"]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None


def others_progress(folder: Path) -> dict[str, Any] | None:
    """The last progress of the process that builds `folder` (or left it): stage, done, rows, seconds, pid. None without
    one."""
    try:
        told = json.loads((aside_of(folder) / _PROGRESS).read_bytes())
        stage, done, rows, pid = str(told["stage"]), float(told["done"]), int(told["rows"]), int(told["pid"])
        return {"stage": stage, "done": min(max(done, 0.0), 1.0), "rows": rows, "pid": pid}
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None


def _waited_for(folder: Path, crew: Crew) -> Lock:
    """The exclusive lock; while another process has it, its progress is reported as ours."""
    best: dict[str, float] = {}
    while True:
        lock = Lock.take(lock_of(folder), exclusive=True)
        if lock is not None:
            return lock
        if folder.exists():  # being used: it was finished by another process
            shared = Lock.take(lock_of(folder), exclusive=False)
            if shared is not None and folder.exists():  # nobody removes it from now on
                return shared
            if shared is not None:
                shared.release()
        crew.cancel.check()
        told = others_progress(folder)
        if told is not None:
            stage = f"{told['stage']} (process {told['pid']})"
            best[stage] = max(best.get(stage, 0.0), told["done"])
            crew.progress(stage, best[stage], told["rows"])
        time.sleep(_PAUSE)


def _build(folder: Path, kind: str, of: Mapping[str, Any], plan: Any, write: Write, crew: Crew) -> None:
    aside = aside_of(folder)
    try:
        if not _is_sealed(aside):
            _prepare(aside, plan)
            told = _Told(aside / _PROGRESS, crew.progress)
            facts = write(aside, replace(crew, progress=told))
            crew.cancel.check()
            seal(aside, kind, of, facts, time.time(), leave_out=_OWN)
        for name in _OWN:
            (aside / name).unlink(missing_ok=True)
        os.rename(aside, folder)
        sync_directory(folder.parent)
    except (Cancelled, KeyboardInterrupt, SystemExit):
        raise
    except BaseException:
        discard(aside)
        raise


def _is_sealed(aside: Path) -> bool:
    """Whether only the name is missing: the manifest was the last to be written."""
    try:
        return read_manifest(aside) is not None
    except Unreadable:
        return False


def _prepare(aside: Path, plan: Any) -> None:
    """The folder to build in: as it was left by one with the same plan since the machine was started, else empty.

    A kill loses nothing that was written, but a crash of the machine may: what had not reached the disk by then may be
    there in part.
    """
    text = json.dumps({"plan": plan, "boot": _boot()}, sort_keys=True).encode()
    begun = aside / _PLAN
    with suppress(OSError):
        if begun.read_bytes() == text:
            return
    discard(aside)
    aside.mkdir(mode=0o700)
    begun.write_bytes(text)


def _boot() -> str:
    """What distinguishes this boot of the machine from others; nothing if the system does not say."""
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text()
    return ""


class _Told:
    """Hands progress on, and writes it down for other processes, at most twice a second."""

    def __init__(self, path: Path, progress: Progress) -> None:
        self._path, self._progress = path, progress
        self._next = 0.0

    def __call__(self, stage: str, done: float, rows: int) -> None:
        self._progress(stage, done, rows)
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + 0.5
        told = {"stage": stage, "done": done, "rows": rows, "pid": os.getpid()}
        new = self._path.with_name(self._path.name + ".new")
        with suppress(OSError):  # a full disk is noticed by the writers of what matters
            new.write_bytes(json.dumps(told).encode())
            os.replace(new, self._path)
