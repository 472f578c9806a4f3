"""The other processes behind the same port, as the site of one of them knows them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from tornado.iostream import StreamClosedError

from bigviz.common.errors import NotFound
from bigviz.common.process.remote_errors import error_of
from bigviz.server.processes.front_end import WRITER, FrontEnd
from bigviz.server.processes.inner import METRICS, QUESTION, connected, is_passed_on
from bigviz.server.processes.link import Link
from bigviz.server.processes.merged_metrics import merged

if TYPE_CHECKING:
    from tornado.httputil import HTTPServerRequest

    from bigviz.server.documents.followed import Followed
    from bigviz.server.processes.told_versions import Versions

__all__ = ["OtherProcesses", "selection_prefix"]

_SECONDS_TO_CATCH_UP: Final = 2.0
"""Until then what was read before is answered with: the writer starts again, or the disk is slow."""

_SECONDS_BETWEEN_LOOKS: Final = 0.01

_SECONDS_TO_ANSWER: Final = 1.0


class OtherProcesses:
    """Lives on the event loop. `versions` is there once the library is, in a process that does not write; `followed`
    are the tables whose files grow."""

    def __init__(self, front_end: FrontEnd) -> None:
        self._front_end = front_end
        self.versions: Versions | None = None
        self.followed: Sequence[Followed] = ()

    def place_for(self, handler: type[Any], request: HTTPServerRequest, arguments: Sequence[bytes]) -> str | None:
        """Where the process is that has to answer a request; None for this one."""
        if is_passed_on(request.connection):
            return None
        number = self._number_for(handler, str(request.method), arguments)
        return None if number in (None, self._front_end.number) else self._front_end.place_of(number or 0)

    def _number_for(self, handler: type[Any], method: str, arguments: Sequence[bytes]) -> int | None:
        if method in getattr(handler, "at_writer", ()):
            return WRITER
        at = getattr(handler, "selection_at", None)
        return None if at is None or at >= len(arguments) else self._keeper_of(arguments[at])

    def _keeper_of(self, selection: bytes) -> int | None:
        """The process that keeps a selection, None for an id that is none."""
        number = selection.partition(b"-")[0]
        known = number.isdigit() and len(number) < 5 and int(number) < self._front_end.count
        return int(number) if known else None

    async def ask_keeper(self, selection: str, question: Mapping[str, Any]) -> tuple[Any, bytes] | None:
        """What the process answers that keeps a selection, None where that is this one. Raises what `answer_of` does
        there, and NotFound where that process has ended."""
        number = self._keeper_of(selection.encode())
        if number is None or number == self._front_end.number:
            return None
        try:
            stream = await connected(self._front_end.place_of(number), QUESTION)
            link = Link(stream)
            try:
                link.send(question)
                told, body = await link.receive()
            finally:
                link.close()
        except (StreamClosedError, OSError):
            message = "The process that kept this selection has ended: select again."
            raise NotFound(message, "selection", selection[:30]) from None
        if "error" in told:
            raise error_of(told["error"])
        return told["value"], body

    @property
    def is_behind(self) -> bool:
        """Whether something was appended that this process has not read yet."""
        if any(each.is_behind for each in self.followed):
            return True
        return self.versions is not None and self.versions.is_behind

    async def caught_up(self) -> None:
        """Wait until this process has read what was appended before the request came."""
        if self.versions is not None:
            await self.versions.caught_up(_SECONDS_TO_CATCH_UP)
        if any(each.is_behind for each in self.followed):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._follow(), _SECONDS_TO_CATCH_UP)

    async def _follow(self) -> None:
        """Wait until this process shows what others have found, until now, in files that grow."""
        wanted = [(each, each.table.told_of) for each in self.followed]
        while any(each.shown < told_of for each, told_of in wanted):
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)

    async def metrics(self, own: bytes) -> bytes:
        """What all processes count, given what this one does; one that does not answer is left out."""
        numbers = [each for each in range(self._front_end.count) if each != self._front_end.number]
        texts = await asyncio.gather(*(self._metrics_of(each) for each in numbers))
        found = {number: text for number, text in zip(numbers, texts, strict=True) if text}
        return merged({**found, self._front_end.number: own})

    async def _metrics_of(self, number: int) -> bytes:
        with suppress(StreamClosedError, OSError, TimeoutError):
            async with asyncio.timeout(_SECONDS_TO_ANSWER):
                stream = await connected(self._front_end.place_of(number), METRICS)
                try:
                    return await stream.read_until_close()
                finally:
                    stream.close()
        return b""

    @property
    def viewers(self) -> int:
        """The browsers of all processes."""
        return self._front_end.counts.viewers


def selection_prefix(number: int) -> str:
    """What the ids of selections begin with that a process keeps."""
    return f"{number}-"
