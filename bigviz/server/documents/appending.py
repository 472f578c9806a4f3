"""Appends to datasets of the library: bodies are read beside each other, and written in groups that share one wait for
the disk."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bigviz.common.errors import BigvizError, TooMany
from bigviz.data.appending.keys import Receipt, body_digest, key_digest
from bigviz.data.appending.log import AppendLog, Entry
from bigviz.data.appending.records import HEAD, NO_KEY, padded
from bigviz.data.appending.refusals import NoSuchRow
from bigviz.data.patches.lookup import KeyedPatch, patch_of
from bigviz.server.library_threads import LibraryThreads

if TYPE_CHECKING:
    from bigviz.data.dataset import Dataset
    from bigviz.data.uploads.facts import BodyFormat
    from bigviz.data.uploads.validator import Validator
    from bigviz.library.datasets import Datasets
    from bigviz.library.streams import Stream
    from bigviz.server.streams.append_hook import AppendHook

__all__ = ["Appending"]

_GROUP_BYTES: Final = 64 << 20  # that are written together


class _Change(NamedTuple):
    """What is to be written; and where a patch names rows by keys, how they are found."""

    entry: Entry
    keyed: KeyedPatch | None = None


_Waiting = tuple[_Change, "asyncio.Future[Receipt]"]


class Appending:
    """Lives on the event loop; what takes time runs in threads of its own. `when_appended` is called with the name and
    the version of a dataset that has new rows; `check`, in a thread, with the name and the bytes that an append takes:
    it raises where they may not be kept. `open` gives a dataset as it is now, in a thread too."""

    def __init__(
        self,
        datasets: Datasets,
        validator: Validator,
        spawn: Callable[[Coroutine[Any, Any, None]], object],
        when_appended: Callable[[str, int], None],
        check: Callable[[str, int], None],
        open: Callable[[str], Dataset],
    ) -> None:
        self._datasets = datasets
        self._validator = validator
        self._threads = LibraryThreads("bigviz-append")
        self._held = 0
        self._spawn = spawn
        self._when_appended = when_appended
        self._check = check
        self._open = open
        self.hook: AppendHook | None = None
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

    async def append(self, name: str, body: bytearray, format: BodyFormat, principal: str, key: str | None) -> Receipt:
        """Append the rows of a body: the receipt, once they are durable. Keys are those of their principal.

        Raises NotFound, Conflict, what `Validator.convert` does, KeyReused, NoSpace, Unreadable.
        """

        def prepared() -> tuple[AppendLog, _Change | Receipt]:
            digests = _digests(principal, key, format, body)
            stream, known = self._known(name, *digests)
            if known is not None:
                return stream.log, known
            payload, rows = self._validator.convert(body, format, stream.schema)
            self._check(name, HEAD + padded(len(payload)))  # two bytes may stand for a row of 4,096 columns
            return stream.log, _Change(Entry(payload, rows, *digests))

        return await self._written(name, *await self._threads.run(prepared))

    async def patch(self, name: str, body: bytearray, by: str | None, principal: str, key: str | None) -> Receipt:
        """Give rows other values: those that the column `_row` numbers, or that the column `by` has keys of.

        Raises what `append` does, NoSuchRow and TooLarge.
        """

        def prepared() -> tuple[AppendLog, _Change | Receipt]:
            digests = _digests(principal, key, f"patch {'' if by is None else by}", body)
            stream, known = self._known(name, *digests)
            if known is not None:
                return stream.log, known
            payload, rows = self._validator.convert_patch(body, stream.schema, by)
            self._check(name, HEAD + padded(len(payload)))
            if not rows:
                raise NoSuchRow("The patch has no rows: give at least one.", "body")
            keyed = None if by is None else KeyedPatch(payload)
            patch = patch_of(payload) if keyed is None else keyed.at(self._open(name))
            return stream.log, _Change(Entry(patch.write(), rows, *digests, patch), keyed)

        return await self._written(name, *await self._threads.run(prepared))

    async def seal(self, name: str) -> int:
        """Let nothing more be appended: the version."""

        def sealed() -> tuple[AppendLog, int]:
            log = self._datasets.streams.stream(name).log
            return log, log.seal(time.time_ns())

        log, version = await self._threads.run(sealed)
        self._when_appended(name, log.snapshot.version)  # as it is now, so that versions are told in order
        return version

    def close(self) -> None:
        """Wait for what is being written."""
        if self.hook is not None:
            self.hook.close()
        self._threads.close()

    def _known(self, name: str, key: bytes, digest: bytes) -> tuple[Stream, Receipt | None]:
        stream = self._datasets.streams.stream(name)
        known = stream.log.repeated(key, digest, time.time_ns())
        if known is None:
            self._check(name, HEAD)  # a body is not even read where nothing more may be kept
        return stream, known

    async def _written(self, name: str, log: AppendLog, change: _Change | Receipt) -> Receipt:
        if isinstance(change, Receipt):
            return change
        receipt: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        waiting = self._waiting.get(log)
        if waiting is None:
            waiting = self._waiting[log] = []
            self._spawn(self._write(name, log, waiting))
        waiting.append((change, receipt))
        return await receipt

    async def _write(self, name: str, log: AppendLog, waiting: list[_Waiting]) -> None:
        """Write what waits, group by group, until nothing does."""
        while waiting:
            group = _group(waiting)
            del waiting[: len(group)]
            changes = [change for change, _ in group]
            first = log.snapshot.next_row
            try:
                answers: list[Receipt | BigvizError | Exception]
                answers = [*await self._threads.run(self._commit, name, log, changes)]
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
                if self.hook is not None and log.snapshot.next_row > first:
                    self.hook.tell(name, first)
        del self._waiting[log]

    def _commit(self, name: str, log: AppendLog, changes: list[_Change]) -> list[Receipt | BigvizError]:
        entries = [change.entry for change in changes]
        if changes[0].keyed is not None:  # rows that came meanwhile may have its keys
            patch = changes[0].keyed.at(self._open(name))
            entries = [replace(entries[0], payload=patch.write(), patch=patch)]
        return log.commit(entries, time.time_ns())


def _digests(principal: str, key: str | None, kind: str, body: bytearray) -> tuple[bytes, bytes]:
    """What stands for the key and for the body of a request; nothing without a key."""
    return (NO_KEY, NO_KEY) if key is None else (key_digest(principal, key), body_digest(kind, body))


def _group(waiting: list[_Waiting]) -> list[_Waiting]:
    """The first of them that are written together: at least one. A patch by keys is written alone."""
    size, count = 0, 0
    for change, _ in waiting:
        size += len(change.entry.payload)
        if count and (size > _GROUP_BYTES or change.keyed or waiting[0][0].keyed):
            break
        count += 1
    return waiting[:count]
