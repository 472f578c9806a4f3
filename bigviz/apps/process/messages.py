"""What the server and the process of an app say to each other: a JSON object with bytes behind it, both counted."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any, Final

from bigviz.common.errors import TooLarge

__all__ = ["HEAD", "MOST_BODY", "MOST_JSON", "pack", "sizes"]

HEAD: Final = struct.Struct("<IQ")  # bytes of JSON, bytes behind it
MOST_JSON: Final = 64 << 20
MOST_BODY: Final = 1 << 30


def pack(message: Mapping[str, Any], body: bytes | memoryview = b"") -> bytes:
    """The head and the JSON of a message; the body follows. Raises TooLarge for more than the other side would read,
    and ValueError or TypeError for what is no JSON."""
    text = json.dumps(message, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    encoded = text.encode(errors="backslashreplace")
    if len(encoded) > MOST_JSON or len(body) > MOST_BODY:
        raise TooLarge(
            f"At most {MOST_JSON >> 20} MiB of JSON and {MOST_BODY >> 20} MiB of rows go between an app and the "
            f"server, got {len(encoded) >> 20} and {len(body) >> 20}: ask for fewer rows.",
        )
    return HEAD.pack(len(encoded), len(body)) + encoded


def sizes(head: bytes) -> tuple[int, int]:
    """Bytes of JSON and of the body that follow a head. Raises ValueError for what no `pack` writes."""
    text, body = HEAD.unpack(head)
    if text > MOST_JSON or body > MOST_BODY:
        raise ValueError(f"a message of {text} + {body} bytes")
    return text, body
