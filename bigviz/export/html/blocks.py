"""Frames as text in a page: blocks of them, deflated, in base64. `static/offline/blocks.js` reads them.

Base64 takes a third more than its bytes, and browsers decode it natively; what would take less is slower to read, or
breaks where a host says that its pages are UTF-8.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

__all__ = ["BLOCK", "Blocks", "packed"]

BLOCK: Final = 256 << 10
"""Bytes of frames that a block is filled with: one is inflated in some milliseconds, and deflated well."""
_LEVEL: Final = 6


def packed(frames: Iterable[bytes]) -> str:
    """The text of one block."""
    squeezer = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    out = [squeezer.compress(frame) for frame in frames]
    return base64.b64encode(b"".join([*out, squeezer.flush()])).decode("ascii")


@dataclass
class Blocks:
    """The texts of blocks in the order of their numbers."""

    texts: list[str] = field(default_factory=list)

    def add(self, text: str) -> int:
        """Keep a block: its number."""
        self.texts.append(text)
        return len(self.texts) - 1

    @property
    def lengths(self) -> list[int]:
        """Characters of each, by number."""
        return [len(text) for text in self.texts]
