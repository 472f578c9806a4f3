"""Heap memory that viewers who left have freed is returned to the system."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from bigviz.common.daemon_thread import in_thread
from bigviz.data.trim_memory import trim_memory

if TYPE_CHECKING:
    from bigviz.server.site import Site

__all__ = ["trim_when_left"]

_QUIET: Final = 1.0  # seconds without anybody leaving, after which what they wanted has ended too
_SHARE: Final = 100  # it takes at most one part in so many of the time


async def trim_when_left(site: Site) -> None:
    """Trim memory once viewers have left and nothing is computed: while others ask, they use it again."""
    while True:
        await site.left_by_viewers.wait()
        while site.left_by_viewers.is_set() or _is_busy(site):
            site.left_by_viewers.clear()
            await asyncio.sleep(_QUIET)
        began = time.perf_counter()
        await in_thread(trim_memory)
        await asyncio.sleep(_SHARE * (time.perf_counter() - began))


def _is_busy(site: Site) -> bool:
    backend = site.loaded
    return backend is None or backend.runner.running + backend.runner.waiting > 0
