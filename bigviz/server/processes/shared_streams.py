"""The streams of a library among several processes: one writes them, the others follow."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bigviz.common.daemon_thread import in_thread
from bigviz.server.processes.followed_streams import FollowedStreams
from bigviz.server.processes.told_versions import Teller, Versions

if TYPE_CHECKING:
    from bigviz.data.appending.log import Durability
    from bigviz.server.documents.shelf import Shelf
    from bigviz.server.processes.front_end import FrontEnd

__all__ = ["SharedStreams"]


class SharedStreams:
    """Loads the engine's formats, so the server does once it listens."""

    async def write(self, front_end: FrontEnd, shelf: Shelf, durability: Durability) -> Teller:
        """Open what was appended, to append more."""
        await in_thread(partial(shelf.recover, durability))
        return Teller(front_end, shelf)

    async def follow(self, front_end: FrontEnd, shelf: Shelf, durability: Durability) -> Versions:
        """Read what was appended, and what the writer tells of."""
        await in_thread(partial(shelf.recover, durability, FollowedStreams))
        return Versions(front_end, shelf)
