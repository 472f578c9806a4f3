"""Sends a page what appended rows change of what it shows: one update at a time, each of one version."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final, Protocol

from bigviz.common.errors import BadInput, BigvizError
from bigviz.server.open_datasets import dataset_of, version_facts
from bigviz.server.websocket.send_queue import Message
from bigviz.wire.frames import RESTART, Type, json_parts

if TYPE_CHECKING:
    from bigviz.server.access.principal import Principal
    from bigviz.server.documents.given import Given
    from bigviz.server.documents.opened import Shown
    from bigviz.server.documents.shelf import Shelf
    from bigviz.server.jobs.service import Backend
    from bigviz.server.site import Site
    from bigviz.server.websocket.requests import Followed, FollowRequest
    from bigviz.server.websocket.updates import Update

__all__ = ["Follower"]

_SECONDS_BETWEEN_UPDATES: Final = 0.05
_SECONDS_AFTER_ANEW: Final = 0.2  # more, where the page has to ask for its layers: they are built, or scanned
_FIRST_PAUSE: Final = 0.1  # seconds until what cannot be shown is tried again, twice as many each time
_LONGEST_PAUSE: Final = 5.0


class Viewer(Protocol):
    """The connection that a follower sends on."""

    site: Site
    name: str
    shown: Shown | None
    backend: Backend | None

    @property
    def principal(self) -> Principal:
        """Who looks."""

    @property
    def at_rest(self) -> bool:
        """Whether all that was asked for is answered."""

    def put(self, message: Message) -> None:
        """Send a message."""

    def leave(self, code: int, reason: str) -> None:
        """Close the connection."""


class Follower:
    """What one page follows. `wake` tells it that there may be newer data, `rested` that a view was answered."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._newer = asyncio.Event()
        self._rested = asyncio.Event()
        self._sent = 0.0
        self._is_first = True
        self._followed: Followed | None = None
        self._anew: set[int] = set()  # figures whose layers were to be asked for again, and were not yet

    def wake(self) -> None:
        """There may be newer data."""
        self._newer.set()

    def rested(self) -> None:
        """Something that the page asked for is answered."""
        self._rested.set()

    def asked(self, figure: int) -> None:
        """The page has asked for a layer of a figure."""
        self._anew.discard(figure)

    def is_due(self, request: FollowRequest) -> bool:
        """Whether a page is at the versions that it was sent last, or has just come back. BadInput for a request that
        does not name the datasets that grow, the first one without `figures`, or one of a figure whose layers were not
        asked for though it was in `anew`."""
        shown = self._viewer.shown
        versions = {} if shown is None else shown.opened.growing
        if request.versions.keys() != versions.keys():
            raise BadInput(f"versions has these datasets, and no others: {', '.join(versions) or 'none'}.", "versions")
        self._followed = request.followed or self._followed
        if self._followed is None:
            raise BadInput("figures is missing: the first message says what the page shows.", "figures")
        for figure, layers in self._followed.figures:
            if layers and figure in self._anew:
                raise BadInput(
                    f"Figure {figure} was in anew: send `layer` for each of its layers, then `view`, and follow once "
                    "that is answered.",
                    "figures",
                    figure,
                )
        first, self._is_first = self._is_first, False
        return first or all(request.versions[name] == version for name, version in versions.items())

    async def answer(self, request: FollowRequest) -> None:
        """Send one update, once there is a newer version and the page waits for nothing else."""
        shown, followed = self._viewer.shown, self._followed
        assert shown is not None and followed is not None
        tables, wait = await self._viewer.site.growing(shown), _FIRST_PAUSE
        while True:
            while not self._is_newer(request, tables):
                self._newer.clear()
                await self._newer.wait()
            pause = self._sent + _SECONDS_BETWEEN_UPDATES - time.monotonic()
            if pause > 0:
                await asyncio.sleep(pause)
            while not self._viewer.at_rest:
                self._rested.clear()
                await self._rested.wait()
            made = await self._made(request, followed, tables)
            if made is None:
                await asyncio.sleep(wait)
                wait = min(2 * wait, _LONGEST_PAUSE)
                continue
            before, after, update = made
            if self._viewer.at_rest and self._viewer.shown is before:
                self._send(request, after, update, tables)
                return

    def _is_newer(self, request: FollowRequest, tables: Given | Shelf) -> bool:
        shown = self._viewer.shown
        known = {} if shown is None else shown.opened.growing
        return any(
            known[name] != version or tables.heads.version(name) > version for name, version in request.versions.items()
        )

    async def _made(
        self, request: FollowRequest, followed: Followed, tables: Given | Shelf
    ) -> tuple[Shown, Shown, Update] | None:
        """What is shown now and from then on, and what changes; None where nothing newer can be shown yet."""
        before, backend, caller = self._viewer.shown, self._viewer.backend, self._viewer.principal.caller
        if before is None or backend is None:
            return None
        try:
            after = await tables.newest(self._viewer.name, before, caller)
        except BigvizError:  # whoever looks after documents tells the page
            return None
        if all(request.versions.get(name) == version for name, version in after.opened.growing.items()):
            return None
        updates = self._viewer.site.updates
        return before, after, await updates.update(backend, tables, before, after, request.versions, followed)

    def _send(self, request: FollowRequest, after: Shown, update: Update, tables: Given | Shelf) -> None:
        """The frames of all layers, then what puts them in: nothing of another version comes between them."""
        viewer, metrics = self._viewer, self._viewer.site.metrics
        if update.restarts:
            viewer.leave(RESTART, "the document's data was changed")
            return
        for figure, layer, each in update.frames:
            viewer.put(Message(each.kind, each.parts, request.id, figure, layer))
        facts: dict[str, Any] = {}
        for name, version in update.versions.items():
            appended = tables.heads.time(name, version)
            facts[name] = version_facts(dataset_of(after.document, name).num_rows, version, appended)
            if appended is not None:
                metrics.update_seconds.observe(facts[name]["age"])
        viewer.put(Message(Type.UPDATE, json_parts({"datasets": facts, **update.told}), request.id))
        viewer.shown = after
        self._anew.update(update.told["anew"])
        metrics.updates.inc()
        self._sent = time.monotonic() + (_SECONDS_AFTER_ANEW if update.told["anew"] else 0.0)
