"""`/_/api/datasets/NAME/batches`: what is appended to a dataset, as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar, Final

from tornado.iostream import StreamClosedError

from bigviz.common.errors import BigvizError
from bigviz.server.access.admission import admit
from bigviz.server.access.credentials import network_of
from bigviz.server.access.gate import Need, needs_of
from bigviz.server.api.base import ApiHandler
from bigviz.server.documents.stored import require_free
from bigviz.server.request_values import whole
from bigviz.server.streams.gone import gone

if TYPE_CHECKING:
    from bigviz.library.streams import ReadLog
    from bigviz.server.documents.shelf import Shelf
    from bigviz.server.streams.feeds import Feed

__all__ = ["Batches"]

_KIND: Final = "application/vnd.apache.arrow.stream"
_SECONDS: Final = 0.5  # after which it is asked again whether the caller may read on, and the dataset is there
_MOST: Final = 1 << 62


class Batches(ApiHandler):
    """`batches`: an Arrow IPC stream that goes on, as `Feed` writes it. It ends when the dataset is sealed.

    It is cut off without an end when the dataset is taken away, the caller may not see it any more, a client does not
    take in what was sent for a minute, or rows are rolled over before it has read them; who asks again is told why.
    """

    need: ClassVar[Mapping[str, Need]] = {"GET": Need.dataset("viewer")}
    keys: ClassVar[frozenset[str]] = frozenset(("after",))
    _looked = 0.0

    async def answer(self, *args: str) -> None:
        (name,) = args
        require_free(self.site, "dataset", name)
        text = self.query("after")
        after = None if text is None else whole(text, "after", 0, _MOST)
        shelf = await self.site.shelf()
        who = self.principal.share if self.principal.user is not None else network_of(str(self.request.remote_ip))
        with shelf.feeds.reading(who, self.site.limits.watches), shelf.feeds.waiting(name) as event:
            log, version = await shelf.run(_found, shelf, name, after)
            feed = None if log is None else shelf.feeds.feed(log.snapshot, after)
            self.set_header("Content-Type", _KIND)
            self.set_header("Cache-Control", "no-store")
            self.set_header("X-Bigviz-Version", version if feed is None else feed.version)
            if self.request.method == "HEAD":
                self.finish()
                return
            self.site.in_hand.pop(self, None)  # it never ends by itself: a server that stops does not wait for it
            try:
                await self._sent(b"")
                while log is None:  # nothing was ever appended
                    await self._more(event)
                    log = await shelf.run(shelf.library.datasets.streams.find, name)
                await self._go_on(shelf, log, feed or shelf.feeds.feed(log.snapshot, version), event)
            except BigvizError:
                self._cut_off()
            except StreamClosedError:
                return

    async def _go_on(self, shelf: Shelf, log: ReadLog, feed: Feed, event: asyncio.Event) -> None:
        while True:
            event.clear()
            snapshot = log.snapshot
            piece = await shelf.run(feed.piece, snapshot)
            if piece:
                await self._sent(piece)
            elif snapshot.sealed:
                await self._sent(feed.end())
                self.finish()
                return
            elif log.closed:
                self._cut_off()
                return
            else:
                await self._more(event)

    async def _more(self, event: asyncio.Event) -> None:
        """Wait until there may be more, and see whether the caller may still read it. Raises what refuses them."""
        with suppress(TimeoutError):
            await asyncio.wait_for(event.wait(), _SECONDS)
        event.clear()
        await self._check()

    async def _sent(self, piece: bytes) -> None:
        """Send bytes, and wait until the client has taken them in. Raises StreamClosedError where it does not, and what
        refuses the caller meanwhile."""
        self.write(piece)
        taken = asyncio.ensure_future(self.flush())
        loop = asyncio.get_running_loop()
        until = loop.time() + self.site.limits.write_seconds
        while not (await asyncio.wait({taken}, timeout=_SECONDS))[0]:
            await self._check()
            if loop.time() > until:
                self._cut_off()
        await taken
        await self._check()

    async def _check(self) -> None:
        """Raise what refuses the caller now, looked at now and then."""
        now = asyncio.get_running_loop().time()
        if now - self._looked < _SECONDS / 2:
            return
        self._looked = now
        people = self.site.access.people
        self.principal = await people.principal(self.credentials)
        await admit(people, needs_of(type(self))["GET"], self.principal, self.path_args[0])

    def _cut_off(self) -> None:
        self.request.connection.stream.close()  # type: ignore[union-attr]


def _found(shelf: Shelf, name: str, after: int | None) -> tuple[ReadLog | None, int]:
    """The log of a dataset, if it has one, and the version after which is read. Raises Gone, NotFound."""
    log = shelf.library.datasets.streams.find(name)
    if log is not None:
        return log, after or 0
    version = shelf.library.datasets.entry(name).version
    if after not in (None, version):
        raise gone(after)
    return None, version
