"""Avro containers, such as Iceberg's manifests, decompressed within limits: readers of Avro trust the sizes in a file.

https://avro.apache.org/docs/1.12.0/specification/#object-container-files
"""

from __future__ import annotations

import bz2
import zlib
from collections.abc import Callable, Mapping
from typing import Final

import pyarrow as pa

from bigviz.common.errors import TooLarge
from bigviz.data.limits import gigabytes

__all__ = ["MOST_UNPACKED", "inflated", "unpacked"]

MOST_UNPACKED: Final = 1 << 29
"""Bytes of one file of metadata; a manifest of 100,000 files has some 50 MB."""
_MAGIC: Final = b"Obj\x01"
_SYNC: Final = 16
_CODEC: Final = b"avro.codec"


def unpacked(data: bytes, what: str, most: int = MOST_UNPACKED) -> bytes:
    """The same container without compression. Raises ValueError for what is none, or says that it has more records than
    bytes; `TooLarge` where more than `most` bytes come out of it."""
    reader = _Reader(data)
    if reader.take(len(_MAGIC)) != _MAGIC:
        raise ValueError("no Avro container")
    header = _header(reader)
    sync = reader.take(_SYNC)
    inflate = _CODECS.get(header.get(_CODEC, b"null"))
    if inflate is None:
        raise ValueError("an unknown codec of Avro")
    parts = [_MAGIC, _map({**header, _CODEC: b"null"}), sync]
    left = most
    while not reader.at_end:
        count, block = reader.long(), inflate(reader.bytes(), left)
        if reader.take(_SYNC) != sync:
            raise ValueError("a block of Avro without its end")
        left -= len(block)
        if left < 0:
            raise TooLarge(
                f"{what} has more than {gigabytes(most)} unpacked, which no list of 100,000 files needs. Look at who "
                "wrote it.",
                got=what,
            )
        if not 0 <= count <= len(block):
            raise ValueError("more records than a block of Avro has bytes")
        if count:
            parts += [_long(count), _long(len(block)), block, sync]
    return b"".join(parts)


def inflated(data: bytes, most: int, bits: int = -zlib.MAX_WBITS) -> bytes:
    """What is packed by deflate, in the form that `bits` say; one byte more than `most` where there are more."""
    return zlib.decompressobj(bits).decompress(data, most + 1)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def at_end(self) -> bool:
        return self._at == len(self._data)

    def take(self, size: int) -> bytes:
        if not 0 <= size <= len(self._data) - self._at:
            raise ValueError("Avro that is cut")
        self._at += size
        return self._data[self._at - size : self._at]

    def long(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return (value >> 1) ^ -(value & 1)
        raise ValueError("a number of Avro without an end")

    def bytes(self) -> bytes:
        return self.take(self.long())


def _header(reader: _Reader) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    while count := reader.long():
        if count < 0:
            count = -count
            reader.long()  # the bytes that they take
        for _ in range(count):
            key = reader.bytes()
            found[key] = reader.bytes()
    return found


def _map(pairs: Mapping[bytes, bytes]) -> bytes:
    items = [_long(len(each)) + each for pair in pairs.items() for each in pair]
    return _long(len(pairs)) + b"".join(items) + _long(0)


def _long(value: int) -> bytes:
    value, found = value << 1, bytearray()
    while value >= 0x80:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def _of_zstd(data: bytes, most: int) -> bytes:
    with pa.CompressedInputStream(pa.BufferReader(data), "zstd") as stream:
        return bytes(stream.read(most + 1))


def _of_snappy(data: bytes, most: int) -> bytes:
    """Raw, followed by a checksum; it begins with its size."""
    size = 0
    for at, byte in enumerate(data[:5]):
        size |= (byte & 0x7F) << 7 * at
        if byte < 0x80:
            break
    if size > most:
        return bytes(most + 1)  # it says itself that it is too long
    return bytes(pa.decompress(data[:-4], decompressed_size=size, codec="snappy", asbytes=True))


_CODECS: Final[Mapping[bytes, Callable[[bytes, int], bytes]]] = {
    b"null": lambda data, most: data,
    b"deflate": inflated,
    b"bzip2": lambda data, most: bz2.BZ2Decompressor().decompress(data, most + 1),
    b"zstandard": _of_zstd,
    b"snappy": _of_snappy,
}
