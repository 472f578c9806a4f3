"""What each kind of followed files does: it is looked at, again and again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

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

    @property
    def seen(self) -> Mapping[str, Any] | None:
        """What the last look has found, as JSON; None where it has read nothing."""

    @property
    def opened_as(self) -> Sequence[int]:
        """How the file was when it was opened, where it is one: see `replay`."""

    def replay(self, seen: Mapping[str, Any], opened_as: Sequence[int], cancel: Cancel) -> FollowedSource | None:
        """What a look of another process gave, or several in a row, once the looks before were replayed too: `seen` is
        what it has found, and `opened_as` what the file was when it was opened there. Raises Outdated where that is not
        there any more, and what `look` does."""

    def take_told(self) -> list[str]:
        """Sentences on what was left out since this was called last, at most a few, with names and without paths."""

    def why_nothing(self) -> str:
        """A clause on why nothing was read, where that is so."""
