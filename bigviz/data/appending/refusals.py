"""What refuses appends and patches, and nothing else."""

from __future__ import annotations

from bigviz.common.errors import BigvizError, Conflict

__all__ = ["KeyReused", "NoSuchRow", "taken_away"]


class KeyReused(BigvizError):
    """An idempotency key came again with another body."""


class NoSuchRow(BigvizError):
    """A patch names a row that is not there, or one twice."""


def taken_away() -> Conflict:
    """What refuses an append to a dataset that is not there any more."""
    return Conflict(
        "This dataset was replaced or taken away meanwhile, and nothing was appended: open it again, and append to "
        "what is there now.",
        "name",
    )
