"""Errors that only a server has: what came is well formed, and cannot be served or taken."""

from __future__ import annotations

from bigviz.common.errors import BigvizError

__all__ = ["Unsupported", "Unusable"]


class Unusable(BigvizError):
    """A document's datasets are not there, are not what it needs, or may not be used for it."""


class Unsupported(BigvizError):
    """A body is of a content type that this route does not read."""
