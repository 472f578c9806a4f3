"""The documents of a library, opened when somebody asks for them, with datasets of the operator's and of the library's.

`Shelf` lives on the event loop; what takes time runs in threads of its own.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from cachetools import LRUCache

from bigviz.library.access import Caller
from bigviz.library.documents import KEEP
from bigviz.library.streams import Streams
from bigviz.server.documents import publishing
from bigviz.server.documents.appending import Appending
from bigviz.server.documents.binding import Binding, bound
from bigviz.server.documents.heads import Heads
from bigviz.server.documents.opened import Opened, Shown
from bigviz.server.documents.quota import MOST_BYTES, Quota
from bigviz.server.documents.tables import Tables
from bigviz.server.jobs.usage import EVERYTHING, Usage
from bigviz.server.library_threads import LibraryThreads
from bigviz.server.streams.append_hook import AppendHook, OnAppend
from bigviz.server.streams.feeds import Feeds
from bigviz.server.streams.past import Past

if TYPE_CHECKING:
    from pathlib import Path

    from bigviz.data.appending.log import Durability
    from bigviz.data.appending.rule import Rule
    from bigviz.data.catalog import Catalog
    from bigviz.data.dataset import Dataset
    from bigviz.data.uploads.facts import Format
    from bigviz.data.uploads.validator import Validator
    from bigviz.library.datasets import DatasetEntry
    from bigviz.library.documents import Put
    from bigviz.library.items import Expect
    from bigviz.library.library import Library
    from bigviz.library.storage.database import Database
    from bigviz.library.uploads import Upload

__all__ = ["Shelf"]

OpenStreams = Callable[["Database", "Path"], Streams]

_MOST_OPENED: Final = 256
_MOST_USAGES: Final = 4_096  # of documents by callers
_SECONDS_RECENT: Final = 0.05  # of an update
_MOST_PAST: Final = 512  # versions of datasets: those of a minute at eight a second
_MOST_TRIES: Final = 5
_LOOKS_AFTER_GROWTH: Final = 10


class Shelf:
    """Opened documents are kept, the 256 that were asked for last, until they or their datasets change."""

    def __init__(
        self,
        library: Library,
        catalog: Catalog,
        threads: LibraryThreads,
        validator: Validator,
        keep: int = KEEP,
        anonymous: bool = False,
        user_quota: int = MOST_BYTES,
    ) -> None:
        """`keep` versions of each document are kept. `anonymous`: the datasets that the server was started with are
        for callers without credentials too. `user_quota`: bytes that one user may keep."""
        self._quota = Quota(library, user_quota)
        self.library = library
        self.tables = Tables(library, catalog)
        self.run = threads.run
        self.when_opened: Callable[[Opened], None] = _nothing
        self.when_appended: Callable[[str], None] = _nothing
        """Called with a dataset that has another version, before whoever appended is answered."""
        self.is_shared = False
        """Whether other processes answer for the same library, behind the same port: see `FrontEnd`."""
        self.cleans = True
        """Whether it removes what nothing names any more."""
        self._validator = validator
        self._checks = LibraryThreads("bigviz-upload")
        self._appends: set[asyncio.Future[None]] = set()
        self.heads = Heads()
        self.appending = Appending(
            library.datasets, validator, self._begin_append, self.heads.expect, self._appended, self._check_append,
            self.tables.dataset,
        )  # fmt: skip
        self.appended = asyncio.Event()  # set when datasets have rows that were not shown yet
        self._unshown: set[str] = set()
        self._grown = 0
        self._past: OrderedDict[tuple[str, int], Past] = OrderedDict()
        self.feeds = Feeds()
        self._keep = keep
        self._binding = Binding(library, self.tables, anonymous)
        self._kept: OrderedDict[str, Opened] = OrderedDict()
        self._opening: dict[str, asyncio.Task[Opened]] = {}
        self._usages: LRUCache[tuple[Any, ...], Usage] = LRUCache(_MOST_USAGES)
        self._recent: OrderedDict[str, tuple[Opened, float]] = OrderedDict()  # opened last, and when
        self._looked: int | None = None  # what the library's count of changes was when what is kept was looked at
        self._unlooked: set[str] = set()  # what has not been looked at since
        self._state = 0  # counts what may have changed, so that nothing read before is kept after it

    def recover(self, durability: Durability, streams: OpenStreams | None = None) -> None:
        """Look at what was appended to datasets before this start; blocks. Nothing is opened before. `streams` reads
        what another process writes."""
        made: OpenStreams = lambda database, directory: Streams(database, directory, durability)  # noqa: E731
        self.library.datasets.recover(streams or made)

    async def open(self, name: str) -> Opened:
        """The current version of a document. Raises NotFound; Unusable where a dataset is gone, lacks what the document
        needs, or may no longer be used by its owner."""
        found = self._kept.get(name)
        if self.is_shared and found is not None:
            found = await self._looked_at(name, found)
        if found is not None:
            self._kept.move_to_end(name)
            return found
        task = self._opening.get(name)
        if task is None:
            task = asyncio.ensure_future(self._read(name))
            self._opening[name] = task
            task.add_done_callback(lambda done: self._opened(name, done))
        return await asyncio.shield(task)

    async def show(self, name: str, caller: Caller) -> Shown:
        """The same, as one caller may use it. Whether the caller may see it at all is not checked here."""
        opened = await self.open(name)
        return Shown(opened, await self.usage(name, opened, caller))

    def standing(self, name: str) -> tuple[Opened, int] | None:
        """A document that is kept open, and a number that changes as soon as callers may be shown something else of it;
        None for one that is not open."""
        self._look()
        opened = self._kept.get(name)
        return None if opened is None or name in self._unlooked else (opened, self._state)

    async def newest(self, name: str, before: Shown, caller: Caller) -> Shown:
        """A document as it is shown, over the newest data. Raises what `open` does, and Unusable where the new data are
        not for that version of the document."""
        recent, at = self._recent.get(name, (None, 0.0))
        if recent is None or time.monotonic() - at > _SECONDS_RECENT or not _is_newer(recent, before.opened):
            now = await self.open(name)
        else:  # so that pages show the same where versions come faster than documents are opened
            now = recent
        opened = await self.rebound(before.opened, now)
        return Shown(opened, await self.usage(name, opened, caller))

    def past(self, dataset: str, version: int) -> Past | None:
        """One of the last versions of a dataset that is appended to; None where it is not known any more."""
        return self._past.get((dataset, version))

    async def usage(self, name: str, opened: Opened, caller: Caller) -> Usage:
        """What a caller may use of an opened document."""
        if not opened.datasets and self._binding.may_use_served(caller):
            return EVERYTHING
        key, state = (name, opened.version, opened.owner, opened.own, caller), self._state
        found: Usage | None = self._usages.get(key)
        if found is None:
            found = await self.run(self._binding.usage, opened, caller)
            if state == self._state:
                self._usages[key] = found
        return found

    async def renew(self, names: Collection[str] | None = None) -> None:
        """Something in the library has changed, of these documents (None: of any): what is kept and no longer so is
        let go of."""
        self._state += 1
        self._opening.clear()
        self._usages.clear()
        self._recent.clear()
        kept = [(name, opened) for name, opened in self._kept.items() if names is None or name in names]
        if not kept:
            return
        stale = await self.run(lambda: [name for name, opened in kept if not self._binding.is_current(name, opened)])
        for name in stale:
            self._kept.pop(name, None)

    async def forget_removed(self) -> None:
        """Let go of what is known of datasets that are there no more."""
        kept = [name for name in self.heads.names if name not in self.tables.catalog.served]
        for gone in await self.run(lambda: [name for name in kept if self.library.datasets.find(name) is None]):
            self.heads.forget(gone)

    def serve(self, datasets: Mapping[str, Dataset]) -> None:
        """These, and no others, are the datasets that the server was started with."""
        self.tables.catalog.serve(datasets)
        self._state += 1
        self._opening.clear()
        self._recent.clear()
        self._kept.clear()

    def grow(self, datasets: Mapping[str, Dataset], name: str) -> None:
        """The same datasets, but the one of that name has another version."""
        self.tables.catalog.serve(datasets)
        self.heads.tell(name, datasets[name].version)
        for each in self.naming(name):
            del self._kept[each]

    def _look(self) -> None:
        """See whether another process has changed something: what is kept has to be looked at again then."""
        if not self.is_shared or (changes := self.library.changes()) == self._looked:
            return
        self._looked = changes
        self._state += 1
        self._opening.clear()
        self._usages.clear()
        self._recent.clear()
        self._unlooked = set(self._kept)

    async def _looked_at(self, name: str, found: Opened) -> Opened | None:
        """A document that is kept, if it still is then and would be opened in the same way again."""
        self._look()
        if name not in self._unlooked:
            return found
        state = self._state
        is_current = await self.run(self._binding.is_current, name, found)
        if self._kept.get(name) is not found:  # let go of meanwhile, as after an append
            return None
        if not is_current:
            del self._kept[name]
            return None
        if state == self._state:
            self._unlooked.discard(name)
        return found

    def naming(self, dataset: str) -> set[str]:
        """The documents that are kept open and show a dataset."""
        return {name for name, opened in self._kept.items() if dataset in opened.document.sources}

    def take_appended(self) -> set[str]:
        """The datasets that were appended to since this was called last."""
        found, self._unshown = self._unshown, set()
        self.appended.clear()
        return found

    def has_grown(self) -> bool:
        """Whether something was appended since one of the last times that this was called: what was made of it may
        have been merged since."""
        found = bool(self._grown)
        self._grown = max(0, self._grown - 1)
        return found

    def unshown(self, datasets: Collection[str]) -> None:
        """Some pages have not been told of the last rows of these."""
        self._unshown.update(datasets)
        self.appended.set()

    def close(self) -> None:
        """Wait for uploads and appends that are being kept, and end the processes that check them."""
        self.appending.close()
        self._checks.close()
        self._validator.close()

    async def rebound(self, before: Opened, now: Opened) -> Opened:
        """An opened document, perhaps of an older version, over the datasets that a newer one is opened with."""
        if before.version == now.version:
            return now
        found = {**before.document.sources, **now.document.sources}
        sources = {name: cast("Dataset", each) for name, each in found.items()}
        document = await self.run(bound, before.stored, sources)
        return Opened(before.stored, document, before.version, now.owner, {**before.datasets, **now.datasets}, now.own)

    async def publish(self, name: str, body: bytes, caller: Caller, expect: Expect) -> Put:
        """See `publishing.publish`."""
        return await self.run(publishing.publish, self.tables, self._quota, name, body, caller, expect, self._keep)

    async def restore(self, name: str, version: int, caller: Caller, expect: Expect) -> Put:
        """See `publishing.restore`."""
        return await self.run(publishing.restore, self.tables, self._quota, name, version, caller, expect, self._keep)

    async def expected_dataset(self, name: str, expect: Expect) -> int | Literal["absent"]:
        """See `publishing.expected_dataset`."""
        return await self.run(publishing.expected_dataset, self.library, name, expect)

    async def begin_upload(self, name: str, caller: Caller, size: int) -> Upload:
        """See `publishing.begin_upload`."""
        return await self.run(publishing.begin_upload, self.library, self._quota, name, caller, size)

    async def write(self, upload: Upload, piece: bytes | bytearray) -> None:
        """See `publishing.write`."""
        await self.run(publishing.write, self.library, upload, piece)

    async def keep_dataset(
        self,
        name: str,
        upload: Upload,
        rest: bytes | bytearray,
        format: Format,
        caller: Caller,
        expect: Expect,
        attached: bool | None,
        order_by: str | None = None,
        rollover: Rule | None = None,
    ) -> DatasetEntry:
        """See `publishing.keep_dataset`. A file that takes long to be checked holds up other uploads, and nothing
        else."""
        arguments = (name, upload, rest, format, caller, expect, attached, order_by, rollover)
        self.heads.forget(name)
        return await self._checks.run(publishing.keep_dataset, self.library, self._quota, self._validator, *arguments)

    def on_append(self, call: OnAppend | None) -> None:
        """Call a function, in place of the one before, with what is appended to datasets."""
        if self.appending.hook is not None:
            self.appending.hook.close()
        self.appending.hook = None if call is None else AppendHook(call, self.tables.dataset)

    async def roll_over(self) -> None:
        """Roll over the rows that have become too old."""
        rolled = await self.run(self.library.datasets.streams.roll, time.time_ns())
        for name, log in rolled.items():
            self._appended(name, log.snapshot.version)  # as it is now: an append may have come since, and been told

    def _check_append(self, name: str, size: int) -> None:
        publishing.check_append(self.library, self._quota, name, size)

    def _begin_append(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._appends.add(task)
        task.add_done_callback(self._appends.discard)

    def _appended(self, dataset: str, version: int) -> None:
        self.tell_appended(dataset, version)
        self.when_appended(dataset)

    def tell_appended(self, dataset: str, version: int, since: float | None = None) -> None:
        """Open anew, from now on, what shows a dataset, which has a version since then (None: now); pages follow when
        they can."""
        self.heads.tell(dataset, version, since)
        self._grown = _LOOKS_AFTER_GROWTH
        for name in self.naming(dataset):
            del self._kept[name]
        self.unshown([dataset])
        self.feeds.tell(dataset)

    async def _read(self, name: str) -> Opened:
        return await self.run(self._binding.open, name)

    def _opened(self, name: str, task: asyncio.Task[Opened]) -> None:
        opened = None if task.cancelled() or task.exception() is not None else task.result()
        if opened is not None:
            self._note_past(opened)
        if self._opening.get(name) is not task:  # what it has read may be out of date
            return
        del self._opening[name]
        if opened is None:
            return
        self._remember(name, opened)
        sources = {name: cast("Dataset", each) for name, each in opened.document.sources.items()}
        if any(self.heads.version(name) > each.version for name, each in sources.items()):
            return
        self._kept[name] = opened
        self.when_opened(opened)
        while len(self._kept) > _MOST_OPENED:
            self._kept.popitem(last=False)

    def _remember(self, name: str, opened: Opened) -> None:
        """Keep what was opened for pages that follow."""
        self._recent[name] = opened, time.monotonic()
        self._recent.move_to_end(name)
        if len(self._recent) > _MOST_OPENED:
            self._recent.popitem(last=False)

    def _note_past(self, opened: Opened) -> None:
        """Keep what tells its data from later versions, for pages that come back and have drawn them."""
        for each, version in opened.growing.items():
            dataset = cast("Dataset", opened.document.sources[each])
            if dataset.lineage is not None:
                self._past[each, version] = Past.of(dataset)
        while len(self._past) > _MOST_PAST:
            self._past.popitem(last=False)


def _is_newer(opened: Opened, before: Opened) -> bool:
    """Whether some data are newer, and none older."""
    pairs = [(version, before.growing.get(name, 0)) for name, version in opened.growing.items()]
    return all(now >= then for now, then in pairs) and any(now > then for now, then in pairs)


def _nothing(about: object) -> None:
    pass
