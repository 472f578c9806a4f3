"""How much memory there is, and how much of it is free."""

from __future__ import annotations

import os

__all__ = ["available_memory", "total_memory"]


def available_memory() -> int:
    """Bytes that can be allocated without swapping: what the kernel estimates, or half of the machine's memory if it
    gives no estimate."""
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            for line in lines:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return total_memory() // 2


def total_memory() -> int:
    """Bytes of memory of the machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
