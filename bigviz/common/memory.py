"""How much memory there is for this process, and how much of it is free: of the machine, or of the tightest control
group that the process runs in (a container, a service)."""

from __future__ import annotations

import os

from bigviz.common.cgroup.limits import memory_limits

__all__ = ["available_memory", "total_memory"]


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
