"""The error for readers of a stream that come too late. Loads nothing of the engine."""

from __future__ import annotations

from bigviz.common.errors import Gone

__all__ = ["gone"]


def gone(version: int | None) -> Gone:
    """The error for a version after which not all is there."""
    return Gone(
        f"What came after version {version:,} is not all there any more: read the dataset, and go on from its version.",
        "after",
        version,
    )
