"""Frames of the wire protocol (`docs/protocol.md`), to bytes and back. Pure: no socket, no event loop, no kernel.

Writing goes in two steps, because a tile that several viewers wait for is laid out once: `json_parts`, and functions
such as `tile_parts` in the modules of their types, turn a message into parts; `frames` puts the header of one
connection before each. Reading is `parse`, then `Reassembler` for messages of several parts, then `read_json` or a
function such as `read_tile`. Every count, offset and length is checked before it is used; what does not fit raises
`ProtocolError`.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final, TypeAlias

__all__ = [
    "AWAY", "DENIED", "ESTIMATE", "FLOODED", "GONE", "HEADER", "LATER", "MAGIC", "MALFORMED", "MAX_FRAME", "MAX_LEVEL",
    "OTHER_VERSION", "RESTART", "ROW_BYTES", "TILE", "UNREAD", "UNUSABLE", "VERSION", "Bytes", "Frame", "Part",
    "ProtocolError", "Reassembler", "Type", "dump", "frames", "in_pieces", "json_parts", "padded", "parse",
    "read_estimate", "read_json", "text_parts",
]  # fmt: skip

MAGIC = b"BVZ1"
VERSION = 1
MAX_FRAME = 1 << 20
MAX_LEVEL = 24
HEADER = struct.Struct("<4sBBHIHHIHHQII")
TILE = struct.Struct("<BBHIIIIIQQ")
ESTIMATE = 1  # flag bit 0
_QUEUE = 12  # where a tile's record has `queue, us`
ROW_BYTES = 4 + 4 + 8 + 8 + 8
Bytes: TypeAlias = bytes | bytearray | memoryview


class Type(IntEnum):
    """The first byte after the magic: what a frame is."""

    HELLO = 1
    LAYER = 2
    PROGRESS = 3
    TILE = 4
    COLUMNS = 5
    DONE = 6
    ERROR = 7
    CHANGED = 8
    ROWS = 9
    IMAGE = 10
    UPDATE = 11
    SESSION = 12


class ProtocolError(ValueError):
    """Bytes that are not a frame of this protocol: says which field, what it holds and what was expected."""


@dataclass(frozen=True)
class Part:
    """One frame's worth of a message before it is addressed: JSON, body, how many plane headers the body has, flags."""

    json: bytes = b""
    body: bytes = b""
    planes: int = 0
    flags: int = 0


@dataclass(frozen=True)
class Frame:
    """One parsed frame, JSON and body still raw; the frames of a message are collected by `Reassembler`."""

    type: int
    flags: int
    layer: int
    request: int
    figure: int
    planes: int
    epoch: int
    part: int
    parts: int
    sequence: int
    json: bytes
    body: bytes


def frames(
    kind: int,
    parts: Sequence[Part],
    *,
    sequence: int,
    epoch: int,
    request: int = 0,
    figure: int = 0,
    layer: int = 0,
    queue_us: int | None = None,
) -> list[bytes]:
    """A message's frames: before each part the header for one connection, numbered from `sequence` on.

    `queue_us` replaces a tile's own: it is the one field of a tile that differs between viewers who share it.
    """
    address = {"request": request, "figure": figure, "layer": layer}
    made = in_pieces(kind, parts, sequence=sequence, epoch=epoch, queue_us=queue_us, **address)
    return [b"".join(frame) for frame in made]


def in_pieces(
    kind: int,
    parts: Sequence[Part],
    *,
    sequence: int,
    epoch: int,
    request: int = 0,
    figure: int = 0,
    layer: int = 0,
    queue_us: int | None = None,
) -> list[Sequence[Bytes]]:
    """The same, each frame as pieces to be written one after the other: what is shared is not copied for it."""
    out: list[Sequence[Bytes]] = []
    for index, part in enumerate(parts):
        place = (layer, request, figure, part.planes, epoch, index, len(parts), sequence + index)
        head = HEADER.pack(MAGIC, kind, part.flags, *place, len(part.json), len(part.body))
        if queue_us is None:
            out.append((head, part.json, part.body))
        else:
            queue = struct.pack("<I", min(queue_us, 0xFFFF_FFFF))
            out.append((head, part.json, part.body[:_QUEUE], queue, memoryview(part.body)[_QUEUE + 4 :]))
    return out


def json_parts(payload: object, body: bytes = b"", limit: int = MAX_FRAME) -> list[Part]:
    """A message of JSON and, with the last part, a body. NaN or infinity, which JSON does not have, raise
    ValueError."""
    return text_parts(dump(payload), body, limit)


def text_parts(text: bytes, body: bytes = b"", limit: int = MAX_FRAME) -> list[Part]:
    """A message of JSON that is written and padded already."""
    most = (limit - HEADER.size) // 8 * 8
    if len(body) + 8 > most:
        raise ValueError(f"a body of {len(body)} bytes does not fit into one frame")
    parts = []
    at = 0
    while len(text) - at + len(body) > most:
        cut = min(most, len(text) - at - 8)  # the last piece keeps at least 8 bytes: the body has a JSON before it
        parts.append(Part(text[at : at + cut]))
        at += cut
    return [*parts, Part(text[at:], body)]


def dump(payload: object) -> bytes:
    """JSON, padded. Lone surrogates, which UTF-8 has not, are escapes, as JSON allows."""
    text = json.dumps(payload, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    encoded = text.encode(errors="backslashreplace")
    return encoded.ljust(padded(len(encoded)))


def padded(length: int) -> int:
    """The next multiple of 8."""
    return (length + 7) // 8 * 8


def parse(data: Bytes) -> Frame:
    """One frame from the bytes of one websocket message: the header is checked, the body is not looked into."""
    if len(data) > MAX_FRAME:
        raise ProtocolError(f"a frame of {len(data)} bytes: at most {MAX_FRAME} are allowed")
    if len(data) < HEADER.size:
        raise ProtocolError(f"a frame of {len(data)} bytes: the header alone has {HEADER.size}")
    magic, kind, flags, layer, request, figure, planes, epoch, *rest = HEADER.unpack_from(data)
    part, parts, sequence, texts, bodies = rest
    if magic != MAGIC:
        raise ProtocolError(f"a frame starts with {MAGIC!r}, this one with {magic!r}")
    if kind not in Type._value2member_map_:
        raise ProtocolError(f"type {kind}: the types are 1 to {max(Type)}")
    if part >= parts:
        raise ProtocolError(f"part {part} of {parts}")
    if HEADER.size + texts + bodies != len(data):
        raise ProtocolError(f"{texts} bytes of JSON and {bodies} of body in a frame of {len(data)} bytes")
    text = bytes(data[HEADER.size : HEADER.size + texts])
    body = bytes(data[HEADER.size + texts :])
    return Frame(kind, flags, layer, request, figure, planes, epoch, part, parts, sequence, text, body)


@dataclass
class Reassembler:
    """Joins the parts of a message. Holds the parts of at most `most` unfinished messages."""

    most: int = 64
    _open: dict[tuple[int, ...], list[Frame]] = field(default_factory=dict)

    def add(self, frame: Frame) -> list[Frame] | None:
        """All frames of a message when `frame` is its last part, else None; a part out of order is a ProtocolError."""
        if frame.parts == 1:
            return [frame]
        place = TILE.unpack_from(frame.body)[:5] if frame.type == Type.TILE and len(frame.body) >= TILE.size else ()
        key = (frame.type, frame.request, frame.figure, frame.layer, *place)
        sofar = self._open.setdefault(key, [])
        if frame.part != len(sofar) or (sofar and sofar[0].parts != frame.parts):
            raise ProtocolError(f"part {frame.part} of {frame.parts} where part {len(sofar)} was expected")
        if len(self._open) > self.most:
            raise ProtocolError(f"more than {self.most} messages with missing parts")
        sofar.append(frame)
        return self._open.pop(key) if len(sofar) == frame.parts else None


def read_json(frames: Sequence[Frame]) -> tuple[Any, bytes]:
    """The JSON value and the body of a message's frames."""
    try:
        return json.loads(b"".join(f.json for f in frames)), b"".join(f.body for f in frames)
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ProtocolError(f"JSON of a frame of type {frames[0].type}: {error}") from None


def read_estimate(frame: Frame) -> dict[str, Any] | None:
    """What an estimate's frame says of it (share, error, start); None for a frame without the flag."""
    if not frame.flags & ESTIMATE:
        return None
    value, _ = read_json([frame])
    found = {key: value.get(key) for key in ("share", "error", "start")} if isinstance(value, dict) else {}
    share, error = found.get("share"), found.get("error")
    if not isinstance(share, int | float) or not 0 < share <= 1 or type(found["start"]) is not bool:
        raise ProtocolError(f"an estimate of share {share!r} and start {found.get('start')!r}")
    if error is not None and not (isinstance(error, int | float) and 0 <= error < float("inf")):
        raise ProtocolError(f"an estimate of error {error!r}")
    return found


AWAY: Final = 1001
FLOODED: Final = 1008  # more pings than a connection may send
RESTART: Final = 1012  # come again: the document was changed
LATER: Final = 1013  # come again later: the document cannot be shown yet, as the error before says
GONE: Final = 4001
UNUSABLE: Final = 4004  # the document cannot be shown, as the error before says
MALFORMED: Final = 4002
DENIED: Final = 4003  # the caller may not see the document any more
UNREAD: Final = 4008
OTHER_VERSION: Final = 4009
