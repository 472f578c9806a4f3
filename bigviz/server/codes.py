"""Why the server closes a socket (`docs/protocol.md`)."""

from __future__ import annotations

from typing import Final

__all__ = ["AWAY", "FLOODED", "GONE", "MALFORMED", "OTHER_VERSION", "RESTART", "UNREAD"]

AWAY: Final = 1001
FLOODED: Final = 1008  # more pings than a connection may send
RESTART: Final = 1012  # come again: the document was changed
GONE: Final = 4001
MALFORMED: Final = 4002
UNREAD: Final = 4008
OTHER_VERSION: Final = 4009
