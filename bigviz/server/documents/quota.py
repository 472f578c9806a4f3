"""How much one user may keep: the bytes of datasets and documents, and the number of documents."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

from cachetools import LRUCache

from bigviz.common.errors import NoSpace

if TYPE_CHECKING:
    from bigviz.library.library import Library
    from bigviz.library.users import Kept

__all__ = ["MOST_BYTES", "MOST_DOCUMENTS", "Quota"]

MOST_BYTES: Final = 10 * 10**9
MOST_DOCUMENTS: Final = 10_000

_SECONDS: Final = 1.0  # for which what a user keeps is not counted again
_MOST_COUNTED: Final = 1_000  # users


class Quota:
    """What counts is what a user owns. Admins, and whoever runs a server without users, have no bound. What others do
    at the same time may go beyond it, by no more than they bring within a second. Safe to use from any thread."""

    def __init__(self, library: Library, most_bytes: int = MOST_BYTES) -> None:
        self._library = library
        self._most_bytes = most_bytes
        self._counted: LRUCache[str, tuple[float, Kept]] = LRUCache(_MOST_COUNTED)
        self._turn = threading.Lock()

    def check(self, owner: str | None, size: int, *, documents: int = 0, freed: int = 0) -> None:
        """Raise NoSpace where a user may not keep so many more bytes and documents, of which `freed` bytes take the
        place of others. Blocks."""
        if owner is None or self._is_admin(owner):
            return
        kept = self._kept(owner)
        if documents and kept.documents + documents > MOST_DOCUMENTS:
            raise NoSpace(
                f"{owner} keeps {kept.documents:,} documents, and a user may keep {MOST_DOCUMENTS:,}: unpublish some.",
                "quota",
                MOST_DOCUMENTS,
            )
        if size > freed and kept.bytes + size - freed > self._most_bytes:
            raise NoSpace(
                f"{owner} keeps {kept.bytes:,} bytes, and a user may keep {self._most_bytes:,}: {size:,} more are too "
                "many. Delete what is not needed, or ask whoever runs the server for more (--user-quota).",
                "quota",
                size,
            )

    def _is_admin(self, owner: str) -> bool:
        user = self._library.users.find(owner)
        return user is not None and user.admin

    def _kept(self, owner: str) -> Kept:
        now = time.monotonic()
        with self._turn:
            until, kept = self._counted.get(owner, (0.0, None))
        if kept is None or now >= until:
            kept = self._library.kept_by(owner)
            with self._turn:
                self._counted[owner] = now + _SECONDS, kept
        return kept
