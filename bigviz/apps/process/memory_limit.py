"""How much memory the process of an app may take."""

from __future__ import annotations

import os
import resource

__all__ = ["limit_memory"]


def limit_memory(most: int) -> None:
    """Let the process have at most so many bytes of its own beyond what it has now: what asks for more gets a
    MemoryError. Mapped files and what is shared do not count. It leaves no core file."""
    limit = _data() + most
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _data() -> int:
    """Bytes of private memory that the process may write to, as the limit counts them."""
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[5]) * os.sysconf("SC_PAGE_SIZE")
