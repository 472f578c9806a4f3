"""How much memory and processor time the control groups of this process leave it.

Both versions of the kernel's interface are read (https://docs.kernel.org/admin-guide/cgroup-v2.html and
https://docs.kernel.org/admin-guide/cgroup-v1/memory.html), for the process's own group and all above it: any of them
may be the tightest. In a container the files of its group are often mounted at the top, so names that are not there are
looked for there.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["MemoryLimit", "core_limit", "memory_limits"]

_MOUNT: Final = Path("/sys/fs/cgroup")
_OWN: Final = Path("/proc/self/cgroup")
_NO_LIMIT: Final = 1 << 60  # version 1 writes a number of this size where there is none
_MEMORY: Final = {
    1: ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    2: ("memory.max", "memory.current", "inactive_file"),
}
"""The files of limit and use in bytes, and the name in `memory.stat` of what the kernel can drop, by version."""


@dataclass(frozen=True)
class MemoryLimit:
    """Bytes that a group may use, and that it uses now, without what the kernel can drop at once."""

    most: int
    used: int

    @property
    def free(self) -> int:
        """Bytes that are left."""
        return max(0, self.most - self.used)


def memory_limits(mount: Path = _MOUNT, own: Path = _OWN) -> list[MemoryLimit]:
    """The limits on this process's memory, that of its own group first; empty where no group has one."""
    found = []
    for folder, version in _folders("memory", mount, own):
        limit, usage, name = _MEMORY[version]
        most, used = _number(folder / limit), _number(folder / usage)
        if most is not None and used is not None and most < _NO_LIMIT:
            found.append(MemoryLimit(most, max(0, used - _stat(folder / "memory.stat", name))))
    return found


def core_limit(mount: Path = _MOUNT, own: Path = _OWN) -> float:
    """Cores whose time this process may use on average; infinity without a limit."""
    least = math.inf
    for folder, version in _folders("cpu", mount, own):
        if version == 2:
            quota, _, period = _text(folder / "cpu.max").partition(" ")
        else:
            quota, period = _text(folder / "cpu.cfs_quota_us"), _text(folder / "cpu.cfs_period_us")
        if quota.isdecimal() and period.isdecimal() and int(period) > 0:
            least = min(least, int(quota) / int(period))
    return least


def _folders(controller: str, mount: Path, own: Path) -> Iterator[tuple[Path, int]]:
    """The folders of this process's groups that have a controller, each with its version, its own group first."""
    for line in _text(own).splitlines():
        number, _, rest = line.partition(":")
        controllers, _, name = rest.partition(":")
        if number == "0" and not controllers:
            top, version = mount, 2
            if not (mount / "cgroup.controllers").exists():
                top = mount / "unified"  # both versions side by side
        elif controller in controllers.split(","):
            top, version = mount / controllers, 1
            if not top.is_dir():
                top = mount / controller
        else:
            continue
        folder = top / name.lstrip("/")
        if not folder.is_dir():
            folder = top
        while folder != top.parent:
            yield folder, version
            folder = folder.parent


def _text(path: Path) -> str:
    with suppress(OSError):
        return path.read_text("utf-8", "surrogateescape").strip()
    return ""


def _number(path: Path) -> int | None:
    text = _text(path)
    return int(text) if text.isdecimal() else None


def _stat(path: Path, name: str) -> int:
    """The number of a name in a file of names and numbers; 0 where it is not there."""
    for line in _text(path).splitlines():
        key, _, value = line.partition(" ")
        if key == name and value.isdecimal():
            return int(value)
    return 0
