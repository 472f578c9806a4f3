"""Appends to datasets of the library: bodies are read beside each other, and written in groups that share one wait for
the disk."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final

from bigviz.common.errors import BigvizError, TooMany
from bigviz.data.appending.keys import Receipt
from bigviz.data.appending.log import AppendLog, Entry
from bigviz.data.appending.records import HEAD, NO_KEY, padded
from bigviz.server.library_threads import LibraryThreads

if TYPE_CHECKING:
    import pyarrow as pa

    from bigviz.data.uploads.facts import BodyFormat
    from bigviz.data.uploads.validator import Validator
    from bigviz.library.datasets import Datasets
    from bigviz.library.streams import Stream

__all__ = ["Appending"]

_GROUP_BYTES: Final = 64 << 20  # that are written together
_Waiting = tuple[Entry, "asyncio.Future[Receipt]"]


class Appending:
    """Lives on the event loop; what takes time runs in threads of its own. `when_appended` is called with the name and
    the version of a dataset that has new rows; `check`, in a thread, with the name and the bytes that an append takes:
    it raises where they may not be kept."""

    def __init__(
        self,
        datasets: Datasets,
        validator: Validator,
        spawn: Callable[[Coroutine[Any, Any, None]], object],
        when_appended: Callable[[str, int], None],
        check: Callable[[str, int], None],
    ) -> None:
        self._datasets = datasets
        self._validator = validator
        self._threads = LibraryThreads("bigviz-append")
        self._held = 0
        self._spawn = spawn
        self._when_appended = when_appended
        self._check = check
        self._waiting: dict[AppendLog, list[_Waiting]] = {}

    def hold(self, size: int, most: int) -> None:
        """Count bytes of a body that has come, until they are released. TooMany for more than `most` of all bodies."""
        if self._held + size > most:
            raise TooMany(
                f"Appends of {self._held >> 20:,} MiB are under way: try again in a second, or send less at a time."
            )
        self._held += size

    def release(self, size: int) -> None:
        """Let go of bytes that were held."""
        self._held -= size

    async def append(self, name: str, body: bytearray, format: BodyFormat, key: bytes, digest: bytes) -> Receipt:
        """Append the rows of a body: the receipt, once they are durable. `key` and `digest` are those of `keys.py`.

        Raises NotFound, Conflict, what `Validator.convert` does, KeyReused, NoSpace, Unreadable.
        """
        stream, known = await self._threads.run(self._known, name, key, digest)
        if known is not None:
            return known
        payload, rows = await self._threads.run(self._converted, name, body, format, stream.schema)
        receipt: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        waiting = self._waiting.get(stream.log)
        if waiting is None:
            waiting = self._waiting[stream.log] = []
            self._spawn(self._write(name, stream.log, waiting))
        waiting.append((Entry(payload, rows, key, digest if key != NO_KEY else NO_KEY), receipt))
        return await receipt

    async def seal(self, name: str) -> int:
        """Let nothing more be appended: the version."""
        version = await self._threads.run(lambda: self._datasets.streams.stream(name).log.seal(time.time_ns()))
        self._when_appended(name, version)
        return version

    def close(self) -> None:
        """Wait for what is being written."""
        self._threads.close()

    def _known(self, name: str, key: bytes, digest: bytes) -> tuple[Stream, Receipt | None]:
        stream = self._datasets.streams.stream(name)
        known = stream.log.repeated(key, digest, time.time_ns())
        if known is None:
            self._check(name, HEAD)  # a body is not even read where nothing more may be kept
        return stream, known

    def _converted(self, name: str, body: bytearray, format: BodyFormat, schema: pa.Schema) -> tuple[bytes, int]:
        """The batch of a body: what it takes is known only now, as two bytes may stand for a row of 4,096 columns."""
        payload, rows = self._validator.convert(body, format, schema)
        self._check(name, HEAD + padded(len(payload)))
        return payload, rows

    async def _write(self, name: str, log: AppendLog, waiting: list[_Waiting]) -> None:
        """Write what waits, group by group, until nothing does."""
        while waiting:
            group = _group(waiting)
            del waiting[: len(group)]
            entries = [entry for entry, _ in group]
            try:
                answers: list[Receipt | BigvizError | Exception]
                answers = [*await self._threads.run(log.commit, entries, time.time_ns())]
            except Exception as error:
                answers = [error] * len(group)
            for (_, receipt), answer in zip(group, answers, strict=True):
                if receipt.cancelled():
                    continue
                if isinstance(answer, Receipt):
                    receipt.set_result(answer)
                else:
                    receipt.set_exception(answer)
            if any(isinstance(answer, Receipt) for answer in answers):
                self._when_appended(name, log.snapshot.version)
        del self._waiting[log]


def _group(waiting: list[_Waiting]) -> list[_Waiting]:
    """The first of them that are written together: at least one."""
    size, count = 0, 0
    for entry, _ in waiting:
        size += len(entry.payload)
        if count and size > _GROUP_BYTES:
            break
        count += 1
    return waiting[:count]
