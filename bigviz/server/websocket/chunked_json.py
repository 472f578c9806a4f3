"""JSON of answers with very many labels, written piece by piece in a thread, so that the event loop goes on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any, Final

from bigviz.common.errors import TooLarge
from bigviz.wire.frames import Part, dump, padded, text_parts

__all__ = ["answer_parts", "long_dump"]

_FEW: Final = 10_000  # labels: a millisecond
_AT_ONCE: Final = 2_048  # labels that are encoded in one go, in which Python runs nothing else


async def answer_parts(answer: dict[str, Any], most: int) -> list[Part]:
    """The parts of a `layer` answer; TooLarge where its labels take more than `most` bytes."""
    labels = {axis: len(answer[axis]["categories"] or ()) for axis in ("x", "y")}
    if sum(labels.values()) <= _FEW:
        return text_parts(dump(answer))
    text = await asyncio.get_running_loop().run_in_executor(None, long_dump, answer)
    if len(text) > most:
        axis = max(labels, key=lambda each: labels[each])
        raise TooLarge(
            f"The {labels[axis]:,} labels on {axis} take {len(text) >> 20} MiB, and {most >> 20} can be sent: "
            "take a column of fewer labels.",
            axis,
            labels[axis],
        )
    return await asyncio.get_running_loop().run_in_executor(None, text_parts, text)


def long_dump(payload: object) -> bytes:
    """What `protocol.dump` writes. A call to the encoder holds the interpreter until it returns, so there are many."""
    text = b"".join(_pieces(payload))
    return text.ljust(padded(len(text)))


def _pieces(value: object) -> Iterator[bytes]:
    if isinstance(value, dict):
        for at, (key, each) in enumerate(value.items()):
            yield (b"," if at else b"{") + _encoded(key) + b":"
            yield from _pieces(each)
        yield b"}" if value else b"{}"
    elif isinstance(value, list | tuple) and len(value) > _AT_ONCE:
        for start in range(0, len(value), _AT_ONCE):
            yield b"," if start else b"["
            yield _encoded(value[start : start + _AT_ONCE])[1:-1]
        yield b"]"
    else:
        yield _encoded(value)


def _encoded(value: object) -> bytes:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode(errors="backslashreplace")
