"""Freed heap memory, returned to the system (`malloc_trim`)."""

from __future__ import annotations

import ctypes
import sys

__all__ = ["trim_memory"]


def trim_memory() -> None:
    """Return freed memory to the system: glibc keeps what lies between blocks that are still held, in each of its
    arenas, and so does Arrow's pool. Where rows come and go, that is more than the rows that are there.

    Takes some milliseconds, in which threads that allocate may wait. Nothing happens with other C libraries.
    """
    arrow = sys.modules.get("pyarrow")  # not imported for this: a server listens before it is loaded
    if arrow is not None:
        arrow.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
