"""Appends to datasets of the library: bodies are read beside each other, and written in groups that share one wait for
the disk."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bigviz.common.errors import BigvizError, NoSpace, TooMany
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
_SMALL: Final = 64 << 10  # bytes of a body that is read together with others
_MOST_TOGETHER: Final = 64


class _Body(NamedTuple):
    """A small body that is to be appended."""

    body: bytearray
    format: BodyFormat
    principal: str
    key: str | None


class _Change(NamedTuple):
    """What is to be written; and where a patch names rows by keys, how they are found."""

    entry: Entry
    keyed: KeyedPatch | None = None


_Read = tuple[bytes, int] | BigvizError
_Prepared = tuple[AppendLog, "_Change | Receipt"]
_Waiting = tuple[_Change, "asyncio.Future[Receipt]"]


class Appending:
    """Appends to the datasets of a library. Lives on the event loop; what takes time runs in threads of its own.
    `expect` is called with the name of a dataset that is about to have another version, `when_appended` with its name
    and version once it has; `check`, in a thread, with the name and the bytes that an append takes: it raises where
    they may not be kept. `open` gives a dataset as it is now, in a thread too."""

    def __init__(
        self,
        datasets: Datasets,
        validator: Validator,
        spawn: Callable[[Coroutine[Any, Any, None]], object],
        expect: Callable[[str], None],
        when_appended: Callable[[str, int], None],
        check: Callable[[str, int], None],
        open: Callable[[str], Dataset],
    ) -> None:
        self._datasets = datasets
        self._validator = validator
        self._threads = LibraryThreads("bigviz-append")
        self._held = 0
        self._spawn = spawn
        self._expect = expect
        self._when_appended = when_appended
        self._check = check
        self._open = open
        self.hook: AppendHook | None = None
        self._waiting: dict[AppendLog, list[_Waiting]] = {}
        self._small: dict[str, list[tuple[_Body, asyncio.Future[_Prepared]]]] = {}

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

        if len(body) <= _SMALL:
            return await self._written(name, *await self._prepared_together(name, _Body(body, format, principal, key)))

        def prepared() -> _Prepared:
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

        def prepared() -> _Prepared:
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

        self._expect(name)
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

    async def _prepared_together(self, name: str, body: _Body) -> _Prepared:
        """A small body, read together with those that wait at the same time: going to another process and back takes
        longer than reading it."""
        prepared: asyncio.Future[_Prepared] = asyncio.get_running_loop().create_future()
        waiting = self._small.get(name)
        if waiting is None:
            waiting = self._small[name] = []
            self._spawn(self._prepare(name, waiting))
        waiting.append((body, prepared))
        return await prepared

    async def _prepare(self, name: str, waiting: list[tuple[_Body, asyncio.Future[_Prepared]]]) -> None:
        """Read what waits, some at a time, until nothing does."""
        while waiting:
            group = waiting[:_MOST_TOGETHER]
            del waiting[: len(group)]
            found: Sequence[_Prepared | BaseException]
            try:
                found = await self._threads.run(self._prepared, name, [body for body, _ in group])
            except Exception as error:
                found = [error] * len(group)
            for (_, prepared), each in zip(group, found, strict=True):
                if isinstance(each, BaseException):
                    prepared.set_exception(each)
                else:
                    prepared.set_result(each)
        del self._small[name]

    def _prepared(self, name: str, bodies: Sequence[_Body]) -> list[_Prepared | BaseException]:
        """What is to be written of each body, or why not. Raises what all of them fail for."""
        stream, now = self._datasets.streams.stream(name), time.time_ns()
        digests = [_digests(each.principal, each.key, each.format, each.body) for each in bodies]
        found: list[_Prepared | BaseException | None] = [None] * len(bodies)
        for at, each in enumerate(digests):
            try:
                known = stream.log.repeated(*each, now)
                found[at] = None if known is None else (stream.log, known)
            except BigvizError as error:
                found[at] = error
        new = [at for at, each in enumerate(found) if each is None]
        if new:
            self._check(name, HEAD * len(new))
            read = self._validator.convert_all([(bodies[at].body, bodies[at].format) for at in new], stream.schema)
            for at, made in zip(new, self._with_room(name, read), strict=True):
                if isinstance(made, BigvizError):
                    found[at] = made
                else:
                    found[at] = stream.log, _Change(Entry(*made, *digests[at]))
        return [each for each in found if each is not None]

    def _with_room(self, name: str, read: list[_Read]) -> list[_Read]:
        """The same batches, or why one may not be kept: one alone may be too much, and the others not."""
        try:
            self._check(name, sum(HEAD + padded(len(each[0])) for each in read if not isinstance(each, BigvizError)))
            return read
        except NoSpace:
            return [self._if_room(name, each) for each in read]

    def _if_room(self, name: str, made: _Read) -> _Read:
        try:
            if not isinstance(made, BigvizError):
                self._check(name, HEAD + padded(len(made[0])))
        except NoSpace as error:
            return error
        return made

    async def _written(self, name: str, log: AppendLog, change: _Change | Receipt) -> Receipt:
        if isinstance(change, Receipt):
            return change
        self._expect(name)
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
            if not log.is_tidy:
                self._threads.begin(log.tidy)
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
