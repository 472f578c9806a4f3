"""Faults of an expression, each with the character where it is."""

from __future__ import annotations

from bigviz.common.errors import BadInput

__all__ = ["FIELD", "fault"]

FIELD = "filter"


def fault(message: str, at: int, got: object = None) -> BadInput:
    """The error for what stands at the 0-based character `at` of an expression; `got` is the piece of text, or the
    value of a control, that is at fault."""
    return BadInput(message, FIELD, got, at)
