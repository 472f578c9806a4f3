"""Where the messages of an Arrow IPC stream are, as far as it is written.

https://arrow.apache.org/docs/format/Columnar.html#encapsulated-message-format: four bytes 0xFF, the length of the
metadata, the metadata (a flatbuffer), a body whose length these tell. A length of 0 ends a stream.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from bigviz.data.formats.flatbuffers import CONTINUED, field, root

__all__ = ["BATCH", "DICTIONARY", "END", "SCHEMA", "Message", "messages"]

SCHEMA: Final = 1
DICTIONARY: Final = 2
BATCH: Final = 3
END: Final = 0
_MOST_METADATA: Final = 1 << 28
_HEAD: Final = 8


@dataclass(frozen=True)
class Message:
    """A whole message: its bytes `at` to `stop`, its kind, the rows of a batch, and of a dictionary its number and
    whether it adds to the one before."""

    kind: int
    at: int
    stop: int
    rows: int = 0
    number: int = 0
    adds: bool = False


def messages(read: Callable[[int, int], bytes], start: int, size: int) -> Iterator[Message]:
    """The whole messages between `start` and `size` in order; what is torn at the end is left. `read(at, count)` gives
    bytes. Raises ValueError, with a clause, where there is no message."""
    at = start
    while at + _HEAD <= size:
        head = read(at, _HEAD)
        length = struct.unpack("<i", head[4:])[0]
        if head[:4] != CONTINUED or not 0 <= length <= _MOST_METADATA:
            raise ValueError(f"there is no message at byte {at:,}")
        if length == 0:
            yield Message(END, at, at + _HEAD)
            return
        body = at + _HEAD + length
        if body > size:
            return
        try:
            message = _parsed(read(at + _HEAD, length), at, body)
        except (struct.error, IndexError, ValueError) as error:
            raise ValueError(f"the message at byte {at:,} cannot be read") from error
        if message.stop > size:
            return
        yield message
        at = message.stop


def _parsed(data: bytes, at: int, body: int) -> Message:
    top = root(data, 0)
    kind = data[_there(field(data, top, 1))]
    length = field(data, top, 3)
    count = struct.unpack_from("<q", data, length)[0] if length else 0
    if count < 0:
        raise ValueError("a body of less than no bytes")
    stop = body + count
    if kind not in (DICTIONARY, BATCH):
        return Message(kind, at, stop)
    place = _there(field(data, top, 2))
    table = place + struct.unpack_from("<I", data, place)[0]
    first = field(data, table, 0)
    number = struct.unpack_from("<q", data, first)[0] if first else 0
    if kind == BATCH:
        if number < 0:
            raise ValueError("a batch of less than no rows")
        return Message(kind, at, stop, rows=number)
    adds = field(data, table, 2)
    return Message(kind, at, stop, number=number, adds=bool(adds and data[adds]))


def _there(at: int) -> int:
    if not at:
        raise ValueError("a field is missing")
    return at
