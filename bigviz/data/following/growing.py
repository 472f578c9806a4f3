"""What each kind of followed files does: it is looked at, again and again."""

from __future__ import annotations

from typing import Protocol

from bigviz.common.cancel import Cancel
from bigviz.data.following.source import FollowedSource

__all__ = ["Growing"]


class Growing(Protocol):
    """Files that are read as they grow, from where they were read last. One thread at a time."""

    @property
    def more(self) -> bool:
        """Whether the last look has left something that is there to be read."""

    def look(self, cancel: Cancel) -> FollowedSource | None:
        """All rows, as far as they are whole; None where none have come. What cannot be read is told, and left out.

        After the first look the work is bounded: some tens of megabytes, or some hundred files. Raises Outdated,
        Cancelled, and at the first look what `bigviz.open` does."""

    def take_told(self) -> list[str]:
        """Sentences on what was left out since this was called last, at most a few, with names and without paths."""

    def why_nothing(self) -> str:
        """A clause on why nothing was read, where that is so."""
