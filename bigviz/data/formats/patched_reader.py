"""A reader of a file that replaces some of its bytes as they are read; the file itself stays as it is."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from bigviz.common.disk.positioned_reader import PositionedReader

__all__ = ["patched"]


def patched(handle: pa.NativeFile, patches: Mapping[int, bytes]) -> pa.NativeFile:
    """The open file with these bytes in place of its own from their offsets on, read through Python, which is slow; the
    file itself if there are none."""
    return pa.PythonFile(_Patched(handle, patches), mode="r") if patches else handle


class _Patched(PositionedReader):
    def __init__(self, handle: pa.NativeFile, patches: Mapping[int, bytes]) -> None:
        super().__init__(int(handle.size()))
        self._handle = handle
        self._patches = patches

    def read(self, size: int = -1) -> bytes:
        start = self._at
        data = bytearray(self._handle.read_at(self._size - start if size < 0 else size, start))
        self._at += len(data)
        for offset, patch in self._patches.items():
            low, high = max(offset, start), min(offset + len(patch), start + len(data))
            if low < high:
                data[low - start : high - start] = patch[low - offset : high - offset]
        return bytes(data)
