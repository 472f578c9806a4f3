"""Errors that only appends and patches have."""

from __future__ import annotations

from bigviz.common.errors import BigvizError

__all__ = ["KeyReused", "NoSuchRow"]


class KeyReused(BigvizError):
    """An idempotency key came again with another body."""


class NoSuchRow(BigvizError):
    """A patch names a row that is not there, or one twice."""
