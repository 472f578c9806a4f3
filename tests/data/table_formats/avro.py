"""Avro, as its specification writes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

SYNC = bytes(range(16))
TEXTS = {"type": "record", "name": "r", "fields": [{"name": "a", "type": "string", "field-id": 1}]}


def long(value: int) -> bytes:
    value, found = value << 1 if value >= 0 else (-value << 1) - 1, bytearray()
    while value >= 0x80:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def texts(*each: str) -> bytes:
    return b"".join(long(len(text.encode())) + text.encode() for text in each)


def container(
    codec: str | None, *blocks: tuple[int, bytes], sync: bytes = SYNC, schema: Mapping[str, Any] = TEXTS
) -> bytes:
    header = {b"avro.schema": json.dumps(schema).encode(), **({} if codec is None else {b"avro.codec": codec.encode()})}
    pairs = [long(len(each)) + each for pair in header.items() for each in pair]
    parts = [long(count) + long(len(data)) + data + sync for count, data in blocks]
    return b"Obj\x01" + long(len(header)) + b"".join(pairs) + long(0) + SYNC + b"".join(parts)
