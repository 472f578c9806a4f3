"""Images of a window on the wire: planes in blocks of 256 x 256 cells (docs/protocol.md, type 10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from bigviz.wire.codec import EncodedPlane
from bigviz.wire.frames import HEADER, MAX_FRAME, Frame, Part, ProtocolError, dump, padded, read_json
from bigviz.wire.planes import PLANE, pack_planes, read_plane

__all__ = ["BLOCK", "ImageMessage", "blocks_of", "image_parts", "read_image"]

BLOCK: Final = 256  # cells of a side of an image's block


@dataclass(frozen=True)
class ImageMessage:
    """An image: the message's JSON, and planes, all of a block after each other, blocks from the top left."""

    info: dict[str, Any]
    planes: tuple[EncodedPlane, ...]


def image_parts(info: dict[str, Any], planes: Sequence[EncodedPlane], limit: int = MAX_FRAME) -> list[Part]:
    """The parts of an image, from its JSON without `first` and from the planes of its blocks."""
    groups: list[list[EncodedPlane]] = [[]]
    start = HEADER.size + len(dump({**info, "first": len(planes)})) + 8
    size = start
    for plane in planes:
        more = PLANE.size + padded(len(plane.payload))
        if groups[-1] and size + more > limit:
            groups.append([])
            size = start
        groups[-1].append(plane)
        size += more
    parts, first = [], 0
    for group in groups:
        parts.append(Part(dump({**info, "first": first}), pack_planes(group), len(group)))
        first += len(group)
    return parts


def blocks_of(width: int, height: int) -> int:
    """How many blocks an image has."""
    return -(-width // BLOCK) * -(-height // BLOCK)


def read_image(frames: Sequence[Frame]) -> ImageMessage:
    """The image of a message's frames. Planes are checked (number, place, codec, dtype, offsets), not decoded."""
    found: list[EncodedPlane] = []
    infos: list[dict[str, Any]] = []
    for frame in frames:
        info, body = read_json([frame])
        if not isinstance(info, dict):
            raise ProtocolError(f"an image with {type(info).__name__} for JSON")
        sizes = [info.get(name) for name in ("width", "height", "planes")]
        if not all(isinstance(size, int) and 0 < size <= 1 << 16 for size in sizes) or info.get("first") != len(found):
            raise ProtocolError(f"an image of {sizes} that goes on at plane {info.get('first')!r} after {len(found)}")
        if len(body) < PLANE.size * frame.planes:
            raise ProtocolError(f"{frame.planes} plane headers in a body of {len(body)} bytes")
        infos.append(info)
        found += [read_plane(body, number, frame.planes) for number in range(frame.planes)]
    planes = infos[0]["planes"]
    if len(found) != blocks_of(infos[0]["width"], infos[0]["height"]) * planes:
        raise ProtocolError(f"{len(found)} planes in an image of {infos[0]['width']} x {infos[0]['height']}")
    if any(plane.plane != at % planes for at, plane in enumerate(found)):
        raise ProtocolError("the planes of an image are out of order")
    return ImageMessage({key: value for key, value in infos[0].items() if key != "first"}, tuple(found))
