"""Numbers that all processes of a server see: memory that they inherit from the one that starts them."""

from __future__ import annotations

import hashlib
import mmap
import secrets
from collections.abc import Mapping
from typing import Final

__all__ = ["SharedCounts"]

_WORD: Final = 8
_FACTS: Final = 4  # of each process: whether it accepts and is loaded, its connections, its viewers
_ACCEPTS, _LOADED, _CONNECTIONS, _VIEWERS = range(_FACTS)
_SLOTS: Final = 1 << 14  # of addresses; two that share one count together


class SharedCounts:
    """What each of `count` processes has open, and how many versions of streams were told of. Each process writes its
    own numbers alone, so that nothing is locked; a number is one aligned word."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._memory = mmap.mmap(-1, _WORD * (1 + count * (_FACTS + _SLOTS)))
        self._words = memoryview(self._memory).cast("q")
        self._key = secrets.token_bytes(16)  # so that nobody chooses an address that counts together with another's

    # --- streams -----------------------------------------------------------------------------------------------------

    @property
    def told(self) -> int:
        """How many versions of streams their writer has told of."""
        return self._words[0]

    def tell(self) -> int:
        """Count one more: its number. For the writer alone."""
        self._words[0] += 1
        return self._words[0]

    # --- connections and viewers -------------------------------------------------------------------------------------

    def accepts(self, number: int) -> None:
        """A process takes connections from now on."""
        self._words[self._fact(number, _ACCEPTS)] = 1

    def loaded(self, number: int) -> None:
        """A process has opened its documents."""
        self._words[self._fact(number, _LOADED)] = 1

    def is_loaded(self, number: int) -> bool:
        """Whether a process has."""
        return bool(self._words[self._fact(number, _LOADED)])

    def has(self, number: int, connections: int, viewers: int) -> None:
        """A process has so many open."""
        self._words[self._fact(number, _CONNECTIONS)] = connections
        self._words[self._fact(number, _VIEWERS)] = viewers

    def took(self, number: int, slot: int) -> None:
        """A process has taken one more, of an address that counts in a slot."""
        self._words[self._fact(number, _CONNECTIONS)] += 1
        self._words[self._slots(number) + slot] += 1

    def is_ahead(self, number: int) -> bool:
        """Whether a process has more connections than another one that takes some."""
        mine = self._words[self._fact(number, _CONNECTIONS)]
        return any(
            self._words[self._fact(each, _ACCEPTS)] and self._words[self._fact(each, _CONNECTIONS)] < mine
            for each in range(self._count)
            if each != number
        )

    def others(self, number: int) -> int:
        """The connections of the other processes."""
        return sum(self._words[self._fact(each, _CONNECTIONS)] for each in range(self._count) if each != number)

    @property
    def viewers(self) -> int:
        """The viewers of all processes."""
        return sum(self._words[self._fact(each, _VIEWERS)] for each in range(self._count))

    # --- by address --------------------------------------------------------------------------------------------------

    def slot(self, address: str) -> int:
        """Where the connections of an address are counted."""
        digest = hashlib.blake2b(address.encode(errors="replace"), key=self._key, digest_size=8).digest()
        return int.from_bytes(digest, "little") % _SLOTS

    def has_at(self, number: int, counts: Mapping[int, int]) -> None:
        """A process has so many connections in these slots."""
        start = self._slots(number)
        for slot, count in counts.items():
            self._words[start + slot] = count

    def others_at(self, number: int, slot: int) -> int:
        """The connections of the other processes in a slot."""
        return sum(self._words[self._slots(each) + slot] for each in range(self._count) if each != number)

    def forget(self, number: int) -> None:
        """A process has ended: it has nothing open."""
        for at in range(_FACTS):
            self._words[self._fact(number, at)] = 0
        start = _WORD * self._slots(number)
        self._memory[start : start + _WORD * _SLOTS] = bytes(_WORD * _SLOTS)

    def _fact(self, number: int, which: int) -> int:
        return 1 + number * _FACTS + which

    def _slots(self, number: int) -> int:
        return 1 + self._count * _FACTS + number * _SLOTS
