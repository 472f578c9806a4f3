"""What the server and the process of an app say to each other: a JSON object followed by bytes, both counted."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any, Final

from bigviz.common.errors import TooLarge

__all__ = ["HEAD", "MOST_BODY", "MOST_JSON", "MOST_TOLD", "pack", "sizes"]

HEAD: Final = struct.Struct("<IQ")  # bytes of JSON, bytes after it
MOST_JSON: Final = 64 << 20  # of the document that an app has made, and of what the server tells
MOST_TOLD: Final = 1 << 20  # of what an app tells or asks when it is ready: the server's event loop reads it
MOST_BODY: Final = 1 << 30  # an app sends none


def pack(message: Mapping[str, Any], body: bytes = b"", most: int = MOST_JSON) -> bytes:
    """The head and the JSON of a message; the body follows. Raises TooLarge for more than the other side would read,
    and ValueError or TypeError for what is no JSON."""
    text = json.dumps(message, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    encoded = text.encode(errors="backslashreplace")
    if len(encoded) > most:
        raise TooLarge(
            f"An app tells its server {most >> 20} MiB at once, and this is {len(encoded) / (1 << 20):.1f}: keep large "
            "things in the app."
        )
    if len(body) > MOST_BODY:
        raise TooLarge(
            f"{len(body) >> 20} MiB of rows are more than the {MOST_BODY >> 20} of one answer: ask for fewer."
        )
    return HEAD.pack(len(encoded), len(body)) + encoded


def sizes(head: bytes, most_json: int, most_body: int) -> tuple[int, int]:
    """Bytes of JSON and of the body that follow a head. Raises ValueError for more of them."""
    text, body = HEAD.unpack(head)
    if text > most_json or body > most_body:
        raise ValueError(f"a message of {text} + {body} bytes")
    return text, body
