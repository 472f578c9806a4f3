"""One thing that was looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Finding", "State", "size"]

State = Literal["ok", "note", "problem"]


@dataclass(frozen=True)
class Finding:
    """What was found of `name` in a `section`. A problem must be mended by its `remedy`; a note may stay."""

    section: str
    name: str
    value: str
    state: State = "ok"
    remedy: str | None = None


def size(number: float) -> str:
    """Bytes for people."""
    return f"{number / 1e9:,.1f} GB" if number >= 1e9 else f"{number / 1e6:,.0f} MB"
