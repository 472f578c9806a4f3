"""How much memory there is for this process, and how much of it is free: of the machine, or of the tightest control
group that the process runs in (a container, a service)."""

from __future__ import annotations

import ctypes
import os
import sys
from typing import Final

from bigviz.common.cgroup.limits import memory_limits

__all__ = ["available_memory", "keep_freed", "total_memory"]

_MAPPED: Final = 32 << 20  # bytes: glibc's own limit, which it comes to as blocks are freed
_TRIM, _MMAP = -1, -3  # M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of malloc.h


def available_memory() -> int:
    """Bytes that can be allocated without swapping: what the kernel estimates, or half of the machine's memory if it
    gives no estimate; no more than a control group leaves."""
    return min([_available_on_machine(), *(limit.free for limit in memory_limits())])


def total_memory() -> int:
    """Bytes of memory that this process may use: the machine's, or a control group's limit."""
    return min([_machine_memory(), *(limit.most for limit in memory_limits())])


def _available_on_machine() -> int:
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            for line in lines:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return _machine_memory() // 2


def _machine_memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def keep_freed() -> None:
    """Let malloc keep memory that was freed, as it does by itself unless MALLOC_TRIM_THRESHOLD_ is set: else arrays of
    128 KiB and more are mapped and cleared by the kernel again each time. Nothing happens where malloc is not glibc's.
    """
    if sys.platform == "linux" and "MALLOC_TRIM_THRESHOLD_" in os.environ:
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(_MMAP, _MAPPED)
            mallopt(_TRIM, 2 * _MAPPED)
