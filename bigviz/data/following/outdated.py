"""What was read of followed files is not what is there now."""

from __future__ import annotations

__all__ = ["Outdated"]


class Outdated(Exception):
    """A file was changed, cut short, replaced or removed after it was read: a clause that names it, without its
    directory. What was read is not to be mixed with what is there now."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
