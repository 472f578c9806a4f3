"""A file for pyarrow that keeps its position itself: a subclass says what is read there."""

from __future__ import annotations

import io

__all__ = ["PositionedReader"]


class PositionedReader(io.RawIOBase):
    """A file of `size` bytes. Subclasses `read` from `_at`, and move it on."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def size(self) -> int:
        return self._size

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at
