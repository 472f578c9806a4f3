"""Avro containers, such as Iceberg's manifests, decompressed within limits.

https://avro.apache.org/docs/1.12.0/specification/#object-container-files
"""

from __future__ import annotations

import bz2
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import pyarrow as pa

from bigviz.common.errors import TooLarge
from bigviz.data.limits import gigabytes

__all__ = ["MOST_UNPACKED", "AvroBytes", "blocks_of", "inflated", "require_unpacked"]

MOST_UNPACKED: Final = 1 << 29
"""Bytes of one file of metadata; a manifest of 100,000 files has some 50 MB."""
_MAGIC: Final = b"Obj\x01"
_SYNC: Final = 16
_LONG: Final = 63  # bits behind the first byte of a number

Block = tuple[int, bytes]
"""How many records there are, and their bytes."""


class AvroBytes:
    """Bytes that are read from the first to the last, and no further. Raises ValueError where they are cut."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    @property
    def left(self) -> int:
        """How many are not read yet."""
        return len(self.data) - self.at

    def skip(self, size: int) -> None:
        """Pass over so many."""
        if not 0 <= size <= len(self.data) - self.at:
            raise ValueError("Avro that is cut")
        self.at += size

    def take(self, size: int) -> bytes:
        """The next ones."""
        self.skip(size)
        return self.data[self.at - size : self.at]

    def long(self) -> int:
        """The next number."""
        value = shift = 0
        for at in range(self.at, len(self.data)):
            byte = self.data[at]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                self.at = at + 1
                return (value >> 1) ^ -(value & 1)
            shift += 7
            if shift > _LONG:
                raise ValueError("a number of Avro without an end")
        raise ValueError("Avro that is cut")

    def bytes(self) -> bytes:
        """The next ones that say how many they are."""
        return self.take(self.long())


def blocks_of(data: bytes, what: str, most: int = MOST_UNPACKED) -> tuple[bytes, Iterator[Block]]:
    """The schema of a container, and its blocks without compression. Raises ValueError for what is none; `TooLarge`
    where more than `most` bytes come out of it, blocks that were read before included."""
    reader = AvroBytes(data)
    if reader.take(len(_MAGIC)) != _MAGIC:
        raise ValueError("no Avro container")
    header = _header(reader)
    sync = reader.take(_SYNC)
    inflate = _CODECS.get(header.get(b"avro.codec", b"null"))
    if inflate is None:
        raise ValueError("an unknown codec of Avro")
    return header.get(b"avro.schema", b""), _blocks(reader, inflate, sync, what, most)


def inflated(data: bytes, most: int, bits: int = -zlib.MAX_WBITS) -> bytes:
    """What is packed by deflate, in the form that `bits` say; one byte more than `most` where there are more."""
    return zlib.decompressobj(bits).decompress(data, most + 1)


def require_unpacked(size: int, most: int, what: str) -> None:
    """Raise `TooLarge` for more than `most` bytes."""
    if size > most:
        raise TooLarge(
            f"{what} has more than {gigabytes(most)} unpacked, which no list of 100,000 files needs. Look at who "
            "wrote it.",
            got=what,
        )


def _blocks(
    reader: AvroBytes, inflate: Callable[[bytes, int], bytes], sync: bytes, what: str, most: int
) -> Iterator[Block]:
    left = most
    while reader.left:
        count, block = reader.long(), inflate(reader.bytes(), left)
        if reader.take(_SYNC) != sync:
            raise ValueError("a block of Avro without its end")
        require_unpacked(most - left + len(block), most, what)
        left -= len(block)
        if not 0 <= count <= len(block):
            raise ValueError("more records than a block of Avro has bytes")
        yield count, block


def _header(reader: AvroBytes) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    while count := reader.long():
        if count < 0:
            count = -count
            reader.long()  # the bytes that they take
        for _ in range(count):
            key = reader.bytes()
            found[key] = reader.bytes()
    return found


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
