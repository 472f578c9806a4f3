"""Open pages are told what has changed: a new version of their document, or new data in it."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Collection
from contextlib import suppress
from typing import TYPE_CHECKING, Final, cast

from bigviz.common.daemon_thread import in_thread
from bigviz.common.errors import BigvizError, NotFound
from bigviz.data.trim_memory import trim_memory
from bigviz.server.documents.opened import Shown
from bigviz.wire.frames import GONE

if TYPE_CHECKING:
    from bigviz.data.dataset import Dataset
    from bigviz.document.spec import Document
    from bigviz.server.documents.opened import Opened
    from bigviz.server.documents.shelf import Shelf
    from bigviz.server.site import Site
    from bigviz.server.site_members import Viewer

__all__ = ["follow", "renew", "renew_dataset", "renew_given", "watch"]

_log = logging.getLogger("bigviz")

_SECONDS_BETWEEN_LOOKS: Final = 0.25
_SECONDS_BETWEEN_RENEWALS: Final = 0.25  # of pages that do not follow: each asks for its layers anew
_SECONDS_BETWEEN_WAKES: Final = 0.01
_SECONDS_BETWEEN_SETTLINGS: Final = 5.0
_SECONDS_BETWEEN_COLLECTIONS: Final = 60.0
_SECONDS_BETWEEN_GIVINGS: Final = 1.0


async def watch(site: Site) -> None:
    """Notice what other processes change in the library, four times a second, write down how far streams go, and clean
    up now and then."""
    shelf = await site.shelf()
    seen, settled, cleaned, given = None, 0.0, 0.0, 0.0
    loop = asyncio.get_running_loop()
    while True:
        try:
            changes = await shelf.run(shelf.library.changes)
            if changes != seen:
                seen = changes
                await shelf.run(shelf.library.datasets.streams.forget_replaced)
                await renew(site)
            if loop.time() - settled >= _SECONDS_BETWEEN_SETTLINGS:
                settled = loop.time()
                await shelf.roll_over()
                await shelf.run(shelf.library.datasets.streams.settle)
            if loop.time() - given >= _SECONDS_BETWEEN_GIVINGS and shelf.has_grown():
                given = loop.time()
                await in_thread(trim_memory)
            if loop.time() - cleaned >= _SECONDS_BETWEEN_COLLECTIONS:
                cleaned = loop.time()
                if shelf.cleans:
                    await shelf.run(shelf.library.datasets.collect)
                await shelf.forget_removed()
        except Exception:  # a disk that fails for a while: pages stay as they are until it works again
            _log.exception("the library could not be looked at")
        await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)


async def follow(site: Site) -> None:
    """Show what is appended to datasets on the pages that are open. Those that follow are sent what changes, at most 20
    times a second; others are told to ask anew, at most four times a second, once they have drawn what they were told
    of before."""
    shelf = await site.shelf()
    loop = asyncio.get_running_loop()
    waiting: set[str] = set()
    renewed = -math.inf
    while True:
        pause = None if not waiting else max(0.0, renewed + _SECONDS_BETWEEN_RENEWALS - loop.time())
        with suppress(TimeoutError):
            await asyncio.wait_for(shelf.appended.wait(), pause)
        datasets = shelf.take_appended()
        waiting |= {dataset for dataset in datasets if _wake(site, dataset)}
        if waiting and loop.time() - renewed >= _SECONDS_BETWEEN_RENEWALS:
            datasets, waiting = waiting, set()
            try:
                for dataset in datasets:
                    await renew_dataset(site, dataset)
            except Exception:
                _log.exception("pages could not be told of what was appended")
            renewed = loop.time()
        await asyncio.sleep(_SECONDS_BETWEEN_WAKES)


def _wake(site: Site, dataset: str) -> bool:
    """Wake the browsers that follow a dataset; whether others show it."""
    others = False
    for viewer in site.viewers:
        if viewer.shown is None or dataset not in viewer.shown.document.sources:
            continue
        if viewer.follows and dataset in viewer.shown.opened.growing:
            viewer.wake()
        else:
            others = True
    return others


async def renew(site: Site, documents: Collection[str] | None = None) -> None:
    """Bring the browsers of these documents (None: of all in the library) up to what is there now."""
    shelf = await site.shelf()
    await shelf.renew(documents)
    viewers: dict[str, list[Viewer]] = {}
    for viewer in site.viewers:
        wanted = documents is None or viewer.name in documents
        if wanted and viewer.shown is not None and viewer.shown.opened.version is not None:
            viewers.setdefault(viewer.name, []).append(viewer)
    for name, same in viewers.items():
        now: Opened | BigvizError
        try:
            now = await shelf.open(name)
        except NotFound:
            for viewer in same:
                viewer.leave(GONE, "the document is gone")
            continue
        except BigvizError as error:
            now = error
        for viewer in await site.people.let_in(same):  # what is there now may be another document, of another owner
            if isinstance(now, BigvizError):
                viewer.refuse(now)
            else:
                await _bring(shelf, viewer, now)


async def renew_dataset(site: Site, dataset: str) -> None:
    """Bring the browsers of the library's documents that show a dataset up to its new version."""
    shelf = await site.shelf()
    shown = {viewer.name for viewer in site.viewers if viewer.shown and dataset in viewer.shown.document.sources}
    await renew(site, shown | shelf.naming(dataset))


def renew_given(site: Site) -> None:
    """Bring the browsers of the documents that the server was started with up to the tables that these have now. Those
    that do not follow, and have not drawn what they were told of before, are left for the next call."""
    for viewer in site.viewers:
        shown, now = viewer.shown, site.documents.get(viewer.name)
        if shown is None or shown.opened.version is not None or now is None:
            continue
        newer = [name for name, source in now.sources.items() if shown.document.sources.get(name) is not source]
        if newer and viewer.follows:
            viewer.wake()
        elif newer and viewer.settled:
            viewer.renew(
                site.tables.shown(now), {name: site.tables.heads.time(name, _version(now, name)) for name in newer}
            )


async def _bring(shelf: Shelf, viewer: Viewer, now: Opened) -> None:
    shown = viewer.shown
    if shown is None or now.version is None:
        return
    if shown.opened.version != now.version and viewer.announced != now.version:
        viewer.announce(now.version)
    opened = shown.opened
    sources = opened.document.sources
    newer = [name for name, source in now.document.sources.items() if sources.get(name, source) is not source]
    if newer and all(name in shelf.heads for name in newer):
        if viewer.follows and all(name in opened.growing for name in newer):
            viewer.wake()
            return
        if not viewer.settled:
            shelf.unshown(newer)
            return
    if newer:
        try:
            opened = await shelf.rebound(opened, now)
        except BigvizError:  # an old version, for which the new data is not: the page was told to load the new one
            return
    fresh = Shown(opened, await shelf.usage(viewer.name, opened, viewer.principal.caller))
    if viewer.shown is shown and (newer or fresh != shown):
        viewer.renew(fresh, {name: shelf.heads.time(name, _version(opened.document, name)) for name in newer})


def _version(document: Document, name: str) -> int:
    return cast("Dataset", document.sources[name]).version
