"""PNG files of RGBA pixels, and of indices into a palette: a byte a pixel, a quarter of what is to be compressed.

Lines are not filtered: to try five filters on each takes three times as long, and makes pictures of few colours no
smaller. Chunks are those of PNG, third edition, section 11.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["indexed_png", "png"]

Bytes = npt.NDArray[np.uint8]

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_PALETTE: Final = 3  # the colour types
_RGBA: Final = 6


def png(pixels: Bytes) -> bytes:
    """RGBA pixels (y, x, 4) as a PNG."""
    height, width = pixels.shape[:2]
    return _file(pixels.reshape(height, 4 * width), width, _RGBA, ())


def indexed_png(places: Bytes, palette: Bytes, clear: int | None) -> bytes:
    """Indices (y, x) into a palette (256, 3) as a PNG; `clear` is the index of transparent pixels, None without any."""
    colours = palette[: int(places.max(initial=0)) + 1].copy()
    opacities: list[tuple[bytes, bytes]] = []
    if clear is not None:
        colours[clear] = 0
        opacities.append((b"tRNS", bytes([255]) * clear + b"\0"))
    return _file(places, places.shape[1], _PALETTE, ((b"PLTE", colours.tobytes()), *opacities))


def _file(rows: Bytes, width: int, kind: int, between: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The file of `rows`, the bytes of each line."""
    height, size = rows.shape
    lines = np.zeros((height, 1 + size), np.uint8)
    lines[:, 1:] = rows
    head = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    chunks = ((b"IHDR", head), *between, (b"IDAT", zlib.compress(lines.data, 1)), (b"IEND", b""))
    return _SIGNATURE + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    """Length, type, data and CRC."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(data, zlib.crc32(kind)))
