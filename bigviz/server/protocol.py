"""Frames of the wire protocol (`docs/protocol.md`), to bytes and back. Pure: no socket, no event loop, no kernel.

Writing goes in two steps, because a tile that several viewers wait for is laid out once: `json_parts`, `tile_parts` and
`columns_parts` turn a message into parts, and `frames` puts the header of one connection before each. Reading is
`parse`, then `Reassembler` for messages of several parts, then `read_json`, `read_tile`, `read_columns`. Every count,
offset and length is checked before it is used; what does not fit raises `ProtocolError`.
"""

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

MAGIC = b"BVZ1"
VERSION = 1
MAX_FRAME = 1 << 20
MAX_LEVEL = 24
CELLS = 65_536

HEADER = struct.Struct("<4sBBHIHHIHHQII")
TILE = struct.Struct("<BBHIIIIIQQ")
PLANE = struct.Struct("<BBHIIIdd8s")
ESTIMATE = 1  # flag bit 0
_QUEUE = 12  # where a tile's record has `queue, us`

DTYPES = ("", "u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f4", "f8")
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
    ROWS = 9  # this one and the next: `rowframes`
    IMAGE = 10


class Codec(IntEnum):
    """How a plane's 65,536 cells are written."""

    EMPTY = 0
    CONSTANT = 1
    NARROW = 2
    RLEV = 3
    RUNS = 4


class ProtocolError(ValueError):
    """Bytes that are not a frame of this protocol: says which field, what it holds and what was expected."""


class PlaneLike(Protocol):
    """What `tile_parts` needs of an encoded plane (`bigviz.tiles` makes them)."""

    @property
    def codec(self) -> int: ...
    @property
    def dtype(self) -> int: ...
    @property
    def plane(self) -> int: ...
    @property
    def filled(self) -> int: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...
    @property
    def constant(self) -> bytes: ...
    @property
    def payload(self) -> Bytes: ...


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


@dataclass(frozen=True)
class Plane:
    """A plane's header and payload, as they travel."""

    codec: int
    dtype: int
    plane: int
    filled: int
    low: float
    high: float
    constant: bytes
    payload: bytes


@dataclass(frozen=True)
class TileMessage:
    """A tile as it travels: place, costs (microseconds, rows, bytes), planes in order, of what it is an estimate."""

    zx: int
    zy: int
    planes_in_all: int
    i: int
    j: int
    queue_us: int
    kernel_us: int
    encode_us: int
    rows: int
    bytes: int
    planes: tuple[Plane, ...]
    estimate: dict[str, Any] | None = None


@dataclass(frozen=True)
class ColumnsMessage:
    """Rows of a line: the message's JSON and five arrays of equal length (column, run int32; row, x, y float64);
    `estimate` is None where they are exact."""

    info: dict[str, Any]
    column: npt.NDArray[np.int32]
    run: npt.NDArray[np.int32]
    row: npt.NDArray[np.float64]
    x: npt.NDArray[np.float64]
    y: npt.NDArray[np.float64]
    estimate: dict[str, Any] | None = None


# --- writing ---


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
    out = []
    for index, part in enumerate(parts):
        place = (layer, request, figure, part.planes, epoch, index, len(parts), sequence + index)
        head = HEADER.pack(MAGIC, kind, part.flags, *place, len(part.json), len(part.body))
        if queue_us is None:
            out.append(b"".join((head, part.json, part.body)))
        else:
            queue = struct.pack("<I", min(queue_us, 0xFFFF_FFFF))
            out.append(b"".join((head, part.json, part.body[:_QUEUE], queue, memoryview(part.body)[_QUEUE + 4 :])))
    return out


def tile_frames(tile: Any, *, request: int, figure: int, layer: int) -> list[bytes]:
    """A tile's frames as the first of a connection; what a measurement of the whole way to bytes wants."""
    return frames(Type.TILE, tile_parts(tile), sequence=1, epoch=0, request=request, figure=figure, layer=layer)


def json_parts(payload: object, body: bytes = b"", limit: int = MAX_FRAME) -> list[Part]:
    """A message of JSON and, with the last part, a body. NaN or infinity, which JSON has not, raise ValueError."""
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


def tile_parts(tile: Any, limit: int = MAX_FRAME, estimate: dict[str, Any] | None = None) -> list[Part]:
    """A tile's parts, each with the tile record; `tile` has `key`, `cost` and `planes` as in `bigviz.tiles`. With
    `estimate` (share, error, start) the frames are flagged and carry it."""
    text = b"" if estimate is None else dump(estimate)
    groups: list[list[PlaneLike]] = [[]]
    limit -= len(text)
    size = HEADER.size + TILE.size
    for plane in tile.planes:
        more = PLANE.size + padded(len(plane.payload))
        if groups[-1] and size + more > limit:
            groups.append([])
            size = HEADER.size + TILE.size
        groups[-1].append(plane)
        size += more
    return [_tile_part(tile, group, text) for group in groups]


def columns_parts(
    info: dict[str, Any],
    arrays: Sequence[np.ndarray],
    limit: int = MAX_FRAME,
    estimate: dict[str, Any] | None = None,
) -> list[Part]:
    """A line's parts, from the message's JSON without `n` and from column, run, row, x and y of equal length; with
    `estimate` as for tiles."""
    rows = len(arrays[0])
    flags = 0 if estimate is None else ESTIMATE
    info = {**info, **(estimate or {})}
    room = limit - HEADER.size - len(dump({**info, "n": rows})) - 4 * 8
    most = room // ROW_BYTES
    if most < 1:
        raise ValueError(f"the JSON of these columns leaves no room for rows in a frame of {limit} bytes")
    return [_columns_part(info, [a[at : at + most] for a in arrays], flags) for at in range(0, max(rows, 1), most)]


def _columns_part(info: dict[str, Any], arrays: Sequence[np.ndarray], flags: int) -> Part:
    body = bytearray()
    for array, dtype in zip(arrays, ("<i4", "<i4", "<f8", "<f8", "<f8"), strict=True):
        body += np.ascontiguousarray(array, dtype=dtype).tobytes()
        body += bytes(padded(len(body)) - len(body))
    return Part(dump({"n": len(arrays[0]), **info}), bytes(body), flags=flags)


def _tile_part(tile: Any, planes: Sequence[PlaneLike], text: bytes) -> Part:
    key, cost = tile.key, tile.cost
    costs = [min(int(us), 0xFFFF_FFFF) for us in (cost.queue_us, cost.kernel_us, cost.encode_us)]
    record = TILE.pack(key.zx, key.zy, len(tile.planes), key.i, key.j, *costs, cost.rows, cost.bytes)
    return Part(text, pack_planes(planes, record), len(planes), ESTIMATE if text else 0)


def pack_planes(planes: Sequence[PlaneLike], record: bytes = b"") -> bytes:
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


def dump(payload: object) -> bytes:
    """JSON, padded."""
    text = json.dumps(payload, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    return text.ljust(padded(len(text)))


def padded(length: int) -> int:
    """The next multiple of 8."""
    return (length + 7) // 8 * 8


# --- reading ---


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


def read_tile(frames: Sequence[Frame]) -> TileMessage:
    """The tile of a message's frames. Planes are checked (level, place, codec, dtype, offsets), not decoded."""
    parts = [_read_tile_part(frame) for frame in frames]
    planes = tuple(plane for part in parts for plane in part.planes)
    if len(planes) != parts[0].planes_in_all:
        raise ProtocolError(f"{len(planes)} planes in a tile of {parts[0].planes_in_all}")
    return replace(parts[0], planes=planes, estimate=read_estimate(frames[0]))


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


def _read_tile_part(frame: Frame) -> TileMessage:
    body = frame.body
    if len(body) < TILE.size + PLANE.size * frame.planes:
        raise ProtocolError(f"{frame.planes} plane headers in a body of {len(body)} bytes")
    zx, zy, planes, i, j, queue, kernel, encode, rows, touched = TILE.unpack_from(body)
    if zx > MAX_LEVEL or zy > MAX_LEVEL or i >> zx or j >> zy:
        raise ProtocolError(f"tile ({zx}, {zy}, {i}, {j}): levels go to {MAX_LEVEL}, places to 2**level - 1")
    found = tuple(read_plane(body, number, frame.planes, TILE.size) for number in range(frame.planes))
    return TileMessage(zx, zy, planes, i, j, queue, kernel, encode, rows, touched, found)


def read_plane(body: bytes, number: int, planes: int, start: int = 0) -> Plane:
    """Plane `number` of the `planes` whose headers begin at `start`."""
    at = start + PLANE.size * number
    codec, dtype, plane, filled, offset, length, low, high, constant = PLANE.unpack_from(body, at)
    if codec not in Codec._value2member_map_:
        raise ProtocolError(f"codec {codec} of plane {plane}: the codecs are 0 to {max(Codec)}")
    if not 1 <= dtype < len(DTYPES):
        raise ProtocolError(f"dtype {dtype} of plane {plane}: the dtypes are 1 to {len(DTYPES) - 1}")
    if filled > CELLS:
        raise ProtocolError(f"{filled} filled cells of {CELLS} in plane {plane}")
    if codec in (Codec.EMPTY, Codec.CONSTANT):
        if offset or length:
            raise ProtocolError(f"plane {plane} of codec {codec} has a payload of {length} bytes at {offset}")
    elif offset % 8 or offset < start + PLANE.size * planes or offset + length > len(body):
        raise ProtocolError(f"plane {plane}: {length} bytes at {offset} of a body of {len(body)}")
    if codec == Codec.NARROW and length != CELLS * np.dtype(DTYPES[dtype]).itemsize:
        raise ProtocolError(f"plane {plane}: {length} bytes for {CELLS} values of {DTYPES[dtype]}")
    return Plane(codec, dtype, plane, filled, low, high, constant, body[offset : offset + length])


def read_columns(frames: Sequence[Frame]) -> ColumnsMessage:
    """The rows of a line from a message's frames; `info["n"]` is the sum over the parts."""
    infos: list[dict[str, Any]] = []
    arrays: list[list[np.ndarray]] = []
    for one in frames:
        info, body = read_json([one])
        n = info.get("n") if isinstance(info, dict) else None
        if not isinstance(n, int) or n < 0 or len(body) != 2 * padded(4 * n) + 24 * n:
            raise ProtocolError(f"{n!r} rows in a body of {len(body)} bytes")
        infos.append(info)
        starts = (0, padded(4 * n), 2 * padded(4 * n), 2 * padded(4 * n) + 8 * n, 2 * padded(4 * n) + 16 * n)
        dtypes = ("<i4", "<i4", "<f8", "<f8", "<f8")
        arrays.append([np.frombuffer(body, dtype, n, start) for dtype, start in zip(dtypes, starts, strict=True)])
    column, run, row, x, y = (np.concatenate(parts) for parts in zip(*arrays, strict=True))
    return ColumnsMessage({**infos[0], "n": len(row)}, column, run, row, x, y, read_estimate(frames[0]))
