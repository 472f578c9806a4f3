"""How much of the files has been read, told by the thread that reads them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final

from bigviz.common.progress import COMPILING
from bigviz.server.site import Site

__all__ = ["Reading", "soon"]

Event = Callable[..., None]
_SECONDS_BETWEEN: Final = 0.1  # two reports of reading to the browsers
_SECONDS_BETWEEN_LINES: Final = 5.0  # and to the operator


class Reading:
    """Reports from the loading thread, now and then, how much of the files has been read, with the seconds since it
    began."""

    def __init__(self, loop: asyncio.AbstractEventLoop, site: Site, event: Event) -> None:
        self._loop = loop
        self._site = site
        self._event = event
        self._stage = ""
        self._began = self._told = self._printed = 0.0

    def __call__(self, stage: str, done: float, rows: int) -> None:
        now = time.monotonic()
        if stage == COMPILING:
            self._tell(self._event, "compiling")
        if stage != self._stage:
            self._stage, self._began, self._told, self._printed = stage, now, 0.0, now
        if now - self._told >= _SECONDS_BETWEEN:
            self._told = now
            self._tell(self._site.read, {"stage": stage, "done": done, "rows": rows, "seconds": now - self._began})
        if now - self._printed >= _SECONDS_BETWEEN_LINES:
            self._printed = now
            self._tell(partial(self._event, "reading", stage=stage, done=done, rows=rows))

    def _tell(self, call: Callable[..., None], *values: object) -> None:
        soon(self._loop, call, *values)


def soon(loop: asyncio.AbstractEventLoop, call: Callable[..., None], *values: object) -> None:
    """Call something on the loop, from another thread."""
    with suppress(RuntimeError):  # the loop is closed: the server has ended
        loop.call_soon_threadsafe(call, *values)
