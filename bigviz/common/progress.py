"""How long work reports where it is."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Progress", "no_progress"]

Progress = Callable[[str, float, int], None]
"""Called as `progress(stage, done, rows)`: `stage` a few words ("reading fare"), `done` from 0 to 1 and never falling
within a stage, `rows` the number of rows finished. Calls may come from any thread, one at a time."""


def no_progress(stage: str, done: float, rows: int) -> None:
    """Say nothing."""
