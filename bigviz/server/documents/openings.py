"""Who waits for documents that are being opened."""

from __future__ import annotations

import asyncio
from collections import defaultdict

__all__ = ["Openings"]


class Openings:
    """By name, whether a document was opened, and whether opening it has come to an end, well or not."""

    def __init__(self) -> None:
        self._opened: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._settled: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def opened(self, name: str) -> None:
        """A document is open."""
        self._opened[name].set()
        self._settled[name].set()

    def settled(self, name: str) -> None:
        """A document could not be opened, for now."""
        self._settled[name].set()

    async def wait_opened(self, name: str) -> None:
        """Wait until a document is open."""
        await self._opened[name].wait()

    async def wait_settled(self, name: str) -> None:
        """Wait until it is open, or could not be opened."""
        await self._settled[name].wait()
