"""How the process that writes streams tells the others of each version: lines of JSON, one a version, after its commit
and before whoever appended is answered.

A line has `number`, which counts them, and where it is of a version `name`, `id` (of the log), `head` (see `Head`) and
`time` (seconds since 1970; null where nothing came since the writer began). A process that connects is told of all logs
that are open first.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final, cast

from tornado.iostream import IOStream, StreamBufferFullError, StreamClosedError

from bigviz.common.errors import BigvizError
from bigviz.data.appending.snapshot import Head
from bigviz.server.processes.followed_streams import FollowedStreams
from bigviz.server.processes.front_end import WRITER, FrontEnd
from bigviz.server.processes.inner import VERSIONS, connected

if TYPE_CHECKING:
    from bigviz.server.documents.shelf import Shelf

__all__ = ["Teller", "Versions"]

_log = logging.getLogger("bigviz")

_MOST_WAITING: Final = 16 << 20  # bytes that a process has not read: it connects again
_PAUSE: Final = 0.05
_PIECE: Final = 64 << 10


class Teller:
    """Tells the other processes, in the one that writes. Lives on the event loop."""

    def __init__(self, front_end: FrontEnd, shelf: Shelf) -> None:
        self._front_end = front_end
        self._shelf = shelf
        self._others: set[IOStream] = set()

    def welcome(self, stream: IOStream) -> None:
        """Tell a process of all logs, and from then on of every version."""
        stream.max_write_buffer_size = _MOST_WAITING
        self._others.add(stream)
        for name, id, head in self._shelf.library.datasets.streams.heads():
            since = self._shelf.heads.time(name, head.version)
            self._write(stream, {"name": name, "id": id, "time": since, "head": asdict(head)})
        self._write(stream, {"number": self._front_end.counts.told})

    def tell(self, name: str) -> None:
        """A dataset has another version."""
        number = self._front_end.counts.tell()
        found = self._shelf.library.datasets.streams.heads(name)
        told: dict[str, Any] = {"number": number}
        for name, id, head in found:  # none where it was taken away meanwhile
            told |= {"name": name, "id": id, "time": self._shelf.heads.time(name, head.version), "head": asdict(head)}
        for stream in list(self._others):
            self._write(stream, told)

    def _write(self, stream: IOStream, told: dict[str, Any]) -> None:
        try:
            stream.write(json.dumps(told).encode() + b"\n")
        except (StreamClosedError, StreamBufferFullError):  # it comes again, if it lives
            self._others.discard(stream)
            stream.close()


class Versions:
    """Hears of versions, in a process that does not write. Lives on the event loop."""

    def __init__(self, front_end: FrontEnd, shelf: Shelf) -> None:
        self._front_end = front_end
        self._shelf = shelf
        self._streams = cast("FollowedStreams", shelf.library.datasets.streams)
        self._heard = -1
        self._more = asyncio.Condition()

    async def keep_hearing(self) -> None:
        """Hear of versions for as long as this process lives; a writer that has ended is followed by another."""
        while True:
            try:
                stream = await connected(self._front_end.place_of(WRITER), VERSIONS)
                try:
                    await self._hear(stream)
                finally:
                    stream.close()
            except (StreamClosedError, OSError):
                pass
            except Exception:
                _log.exception("what was appended could not be followed")
            await asyncio.sleep(_PAUSE)

    @property
    def is_behind(self) -> bool:
        """Whether more was told of than is heard and read here."""
        return self._heard < self._front_end.counts.told

    async def caught_up(self, seconds: float) -> None:
        """Wait until all is heard and read here that was told of until now, but no longer."""
        wanted = self._front_end.counts.told
        if self._heard >= wanted:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds), self._more:
                await self._more.wait_for(lambda: self._heard >= wanted)

    async def _hear(self, stream: IOStream) -> None:
        rest, is_first = b"", True
        while True:
            *lines, rest = (rest + await stream.read_bytes(_PIECE, partial=True)).split(b"\n")
            if lines:
                if is_first:
                    self._streams.forget_heads()  # another writer may know of others
                    is_first = False
                await self._take([json.loads(line) for line in lines])

    async def _take(self, lines: Sequence[dict[str, Any]]) -> None:
        shelf, streams = self._shelf, self._streams
        found = [line | {"head": Head(**line["head"])} for line in lines if "name" in line]
        for each in found:
            if each["time"] is not None:
                shelf.heads.expect(each["name"])
            streams.told(each["id"], each["head"])
        unheard = set[str]()  # what a writer that has ended did not live to tell of
        for name in {each["name"] for each in found}:
            try:
                if await shelf.run(streams.advance, name):
                    unheard.add(name)
            except BigvizError as error:
                _log.warning("what was appended to dataset %r cannot be read: %s", name, error.message)
        for each in found:
            name, version = each["name"], each["head"].version
            if (each["time"] is not None or name in unheard) and version > shelf.heads.version(name):
                shelf.tell_appended(name, version, each["time"])
        numbers = [line["number"] for line in lines if "number" in line]
        if numbers:
            self._heard = numbers[-1]
            async with self._more:
                self._more.notify_all()
