"""Planes in a body: their headers one after the other, then their payloads (docs/protocol.md, section 3)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

from bigviz.wire.codec import CELLS, DTYPES, Codec, EncodedPlane
from bigviz.wire.frames import ProtocolError, padded

__all__ = ["PLANE", "pack_planes", "read_plane"]

PLANE: Final = struct.Struct("<BBHIIIdd8s")


def pack_planes(planes: Sequence[EncodedPlane], record: bytes = b"") -> bytes:
    """A body: the record, the planes' headers, and their payloads on multiples of 8."""
    at = len(record) + PLANE.size * len(planes)
    body = bytearray(at + sum(padded(len(plane.payload)) for plane in planes))
    body[: len(record)] = record
    for number, plane in enumerate(planes):
        length = len(plane.payload)
        PLANE.pack_into(
            body, len(record) + PLANE.size * number,
            plane.codec, plane.dtype, plane.plane, plane.filled, at if length else 0, length,
            plane.low, plane.high, plane.constant,
        )  # fmt: skip
        body[at : at + length] = plane.payload
        at += padded(length)
    return bytes(body)


def read_plane(body: bytes, number: int, planes: int, start: int = 0) -> EncodedPlane:
    """Plane `number` of the `planes` whose headers begin at `start`."""
    at = start + PLANE.size * number
    codec, dtype, plane, filled, offset, length, low, high, constant = PLANE.unpack_from(body, at)
    if codec not in Codec._value2member_map_:
        raise ProtocolError(f"codec {codec} of plane {plane}: the codecs are 0 to {max(Codec)}")
    if dtype not in DTYPES:
        raise ProtocolError(f"dtype {dtype} of plane {plane}: the dtypes are 1 to {len(DTYPES)}")
    if filled > CELLS:
        raise ProtocolError(f"{filled} filled cells of {CELLS} in plane {plane}")
    if codec in (Codec.EMPTY, Codec.CONSTANT):
        if offset or length:
            raise ProtocolError(f"plane {plane} of codec {codec} has a payload of {length} bytes at {offset}")
    elif offset % 8 or offset < start + PLANE.size * planes or offset + length > len(body):
        raise ProtocolError(f"plane {plane}: {length} bytes at {offset} of a body of {len(body)}")
    if codec == Codec.NARROW and length != CELLS * DTYPES[dtype].itemsize:
        raise ProtocolError(f"plane {plane}: {length} bytes for {CELLS} values of {DTYPES[dtype]}")
    return EncodedPlane(codec, dtype, plane, filled, low, high, constant, body[offset : offset + length])
