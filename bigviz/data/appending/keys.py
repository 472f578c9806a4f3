"""Idempotency keys: an append that comes again is answered as it was the first time, and not applied twice."""

from __future__ import annotations

import struct
from collections import OrderedDict
from hashlib import blake2b
from typing import Final, NamedTuple

__all__ = ["Keys", "Receipt", "body_digest", "key_digest"]

_DAY_NS: Final = 86_400 * 10**9
_MOST: Final = 1_000_000  # later keys, after which one is forgotten
_PACKED: Final = struct.Struct("<16s16s4Q?7x")


class Receipt(NamedTuple):
    """What an append or a patch is answered with: the version that it made, the number of the first new row, how many
    rows it has, and whether they were on the disk."""

    version: int
    offset: int
    rows: int
    fsynced: bool


class _Kept(NamedTuple):
    body: bytes
    receipt: Receipt
    time_ns: int


class Keys:
    """The keys of one dataset, each kept for a day, or until a million later ones. Not thread-safe."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._kept: OrderedDict[bytes, _Kept] = OrderedDict()

    def find(self, key: bytes, now_ns: int) -> tuple[bytes, Receipt] | None:
        """The digest of the body that came with a key, and its receipt; None for a new key, or one that was forgotten.

        A clock that was set back makes a key older than it is, or younger, and never forgets it early.
        """
        kept = self._kept.get(key)
        if kept is None or now_ns - kept.time_ns > _DAY_NS:
            return None
        return kept.body, kept.receipt

    def add(self, key: bytes, body: bytes, receipt: Receipt, time_ns: int) -> None:
        """Keep a key."""
        self._kept.pop(key, None)
        self._kept[key] = _Kept(body, receipt, time_ns)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        while self._kept:
            oldest = next(iter(self._kept.values()))
            if time_ns - oldest.time_ns <= _DAY_NS:
                break
            self._kept.popitem(last=False)

    def copy(self) -> Keys:
        """The same keys, to which others come no more. Takes some 20 ms for a million."""
        copied = Keys(self._most)
        copied._kept = self._kept.copy()
        return copied

    def pack(self) -> bytes:
        """All of them as bytes, the oldest first."""
        return b"".join(
            _PACKED.pack(
                key, each.body, each.receipt.version, each.receipt.offset, each.receipt.rows, each.time_ns,
                each.receipt.fsynced,
            )
            for key, each in self._kept.items()
        )  # fmt: skip

    def unpack(self, packed: bytes) -> None:
        """Keep what `pack` gave."""
        for key, body, version, offset, rows, time_ns, fsynced in _PACKED.iter_unpack(packed):
            self.add(key, body, Receipt(version, offset, rows, fsynced), time_ns)


def key_digest(principal: str, key: str) -> bytes:
    """16 bytes that stand for a key of a principal: others' equal keys are others."""
    return blake2b(f"{len(principal)}:{principal}:{key}".encode(), digest_size=16).digest()


def body_digest(kind: str, body: bytes | bytearray) -> bytes:
    """16 bytes that stand for a body of a content type."""
    digest = blake2b(kind.encode() + b"\0", digest_size=16)
    digest.update(body)
    return digest.digest()
