"""Errors that only appends have."""

from __future__ import annotations

from bigviz.common.errors import BigvizError

__all__ = ["KeyReused"]


class KeyReused(BigvizError):
    """An idempotency key came again with another body."""
