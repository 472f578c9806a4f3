"""The directories that are written to: whether they can be, what is free there, and the kind of file system."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from bigviz.commands.doctor.finding import Finding, size
from bigviz.library.storage.mounts import file_system, is_network

__all__ = ["LITTLE", "place"]

LITTLE = 256 << 20  # bytes free: less is a problem


def place(name: str, option: str, directory: Path, *, local: bool) -> Iterator[Finding]:
    """A directory of an option; nothing is made. `local`: it may not be on a network file system."""
    there = next(each for each in (directory, *directory.parents) if each.exists())
    value = str(directory) if there == directory else f"{directory} (made when it is needed)"
    elsewhere = f"choose another directory with {option}"
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        what = "cannot be written to" if there.is_dir() else "is no directory"
        remedy = f"Let this user write to {there} (chown, chmod), or {elsewhere}."
        yield Finding("disk", name, f"{directory}: {there} {what}", "problem", remedy)
        return
    yield Finding("disk", name, value)
    free = shutil.disk_usage(there).free
    full = free < LITTLE
    yield Finding(
        "disk",
        f"{name}, free",
        size(free),
        "problem" if full else "ok",
        f"Make room on the disk of {there}, or {elsewhere}." if full else None,
    )
    kind = file_system(there)
    if not is_network(kind):
        yield Finding("disk", f"{name}, file system", kind or "unknown")
    elif local:
        yield Finding("disk", f"{name}, file system", str(kind), "problem", f"Not over a network: {elsewhere}.")
    else:
        remedy = f"Slow, and it has to support locks (flock): better {elsewhere}, on a disk of this machine."
        yield Finding("disk", f"{name}, file system", str(kind), "note", remedy)
