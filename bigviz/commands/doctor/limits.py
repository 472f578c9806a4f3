"""What the system lets a process have: open files, memory, shared memory."""

from __future__ import annotations

import os
import resource
import shutil
from collections.abc import Iterator
from pathlib import Path

from bigviz.commands.doctor.finding import Finding, size
from bigviz.common.memory import available_memory, total_memory
from bigviz.server.limits import Limits

__all__ = ["files", "limits", "memory", "shared_memory"]

_FEWEST_FILES = 256
_LITTLE_MEMORY = 1 << 30
_LITTLE_SHARED = 64 << 20


def limits() -> Iterator[Finding]:
    """Those of this process."""
    yield files(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    yield memory(available_memory(), total_memory())
    yield from shared_memory(Path("/dev/shm"))


def files(most: int) -> Finding:
    """How many files may be open: each connection is one, and a server stays below."""
    wanted = Limits().connections + 100
    value = "no limit" if most == resource.RLIM_INFINITY else f"{most:,}"
    remedy = f"Raise it: `ulimit -n {wanted}`, or LimitNOFILE={wanted} in systemd."
    if most == resource.RLIM_INFINITY or most >= wanted:
        return Finding("limits", "open files", value)
    if most >= _FEWEST_FILES:
        return Finding("limits", "open files", f"{value}, so fewer viewers than {wanted - 100:,}", "note", remedy)
    return Finding("limits", "open files", value, "problem", remedy)


def memory(available: int, total: int) -> Finding:
    """Bytes that a process may take now, and that there are."""
    value = f"{size(available)} free of {size(total)}"
    if available >= _LITTLE_MEMORY:
        return Finding("limits", "memory", value)
    remedy = "End other programs, or give the container more; large tables need an index: `bigviz index`."
    return Finding("limits", "memory", value, "note", remedy)


def shared_memory(directory: Path) -> Iterator[Finding]:
    """A file system in memory: bigviz does not need it, headless browsers do. Nothing where the system has none."""
    if not directory.is_dir():
        return
    free = shutil.disk_usage(directory).free
    fine = free >= _LITTLE_SHARED and os.access(directory, os.W_OK)
    remedy = "Only Chromium needs it: `docker run --shm-size 1g`."
    yield Finding("limits", str(directory), size(free), "ok" if fine else "note", None if fine else remedy)
