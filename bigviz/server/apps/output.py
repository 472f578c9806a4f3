"""What an app prints, to the server's log: line by line, and never more than a log can hold."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from bigviz.common.rate_limit import Tokens

__all__ = ["log_lines"]

_LONGEST: Final = 2_000  # characters of a line
_BURST: Final = 500.0  # lines
_PER_SECOND: Final = 50.0
_PIECE: Final = 1 << 16


async def log_lines(stream: asyncio.StreamReader, tell: Callable[[str], None]) -> None:
    """Tell each line until the stream ends. Long lines are cut off; of very many at once some are left out, and how
    many is told."""
    tokens, left_out = Tokens(_BURST, _PER_SECOND), 0
    line, is_long = b"", False
    while piece := await stream.read(_PIECE):
        first, *others = piece.split(b"\n")
        lines = [first, *others]
        for at, each in enumerate(lines):
            line, is_long = (line + each)[: 4 * _LONGEST], is_long or len(line) + len(each) > 4 * _LONGEST
            if at == len(lines) - 1:
                break  # no new line yet
            left_out = _told(line, is_long, tokens, left_out, tell)
            line, is_long = b"", False
        await asyncio.sleep(0)
    if line:
        left_out = _told(line, is_long, tokens, left_out, tell)
    if left_out:
        tell(f"… and {left_out:,} more lines")


def _told(line: bytes, is_long: bool, tokens: Tokens, left_out: int, tell: Callable[[str], None]) -> int:
    """How many lines are left out now."""
    if not tokens.pay():
        return left_out + 1
    if left_out:
        tell(f"… {left_out:,} lines are left out")
    text = line.decode(errors="replace")
    tell(text[:_LONGEST] + "…" if is_long or len(text) > _LONGEST else text)
    return 0
