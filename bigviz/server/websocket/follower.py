"""Sends a page what appended rows change of what it shows: one update at a time, each of one version."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from bigviz.common.errors import BadInput, BigvizError
from bigviz.server.jobs.layer_json import version_facts
from bigviz.server.jobs.layer_ref import dataset_of
from bigviz.server.websocket.send_queue import Message
from bigviz.wire.frames import RESTART, Type, json_parts

if TYPE_CHECKING:
    from bigviz.data.dataset import Dataset
    from bigviz.server.access.principal import Principal
    from bigviz.server.documents.opened import Shown
    from bigviz.server.documents.shelf import Shelf
    from bigviz.server.jobs.push_jobs import Pushed
    from bigviz.server.jobs.service import Backend
    from bigviz.server.jobs.wanted import LayerHeld
    from bigviz.server.site import Site
    from bigviz.server.websocket.requests import FollowRequest

__all__ = ["Follower"]

_SECONDS_BETWEEN_UPDATES: Final = 0.05
_SECONDS_AFTER_ANEW: Final = 0.2  # more, where the page has to ask for its layers: they are built, or scanned
_SECONDS_BETWEEN_TRIES: Final = 0.1


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


@dataclass(frozen=True)
class _Update:
    before: Shown
    after: Shown
    versions: dict[str, int]
    layers: list[tuple[int, int, Pushed]]
    anew: list[int]


class Follower:
    """What one page follows. `wake` tells it that there may be newer data, `rested` that a view was answered."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._newer = asyncio.Event()
        self._rested = asyncio.Event()
        self._sent = 0.0
        self._is_first = True

    def wake(self) -> None:
        """There may be newer data."""
        self._newer.set()

    def rested(self) -> None:
        """Something that the page asked for is answered."""
        self._rested.set()

    def is_due(self, request: FollowRequest) -> bool:
        """Whether a page is at the versions that it was sent last, or has just come back. BadInput for a request that
        does not name the datasets that grow."""
        shown = self._viewer.shown
        versions = {} if shown is None else shown.opened.datasets
        if request.versions.keys() != versions.keys():
            raise BadInput(f"versions has these datasets, and no others: {', '.join(versions) or 'none'}.", "versions")
        first, self._is_first = self._is_first, False
        return first or all(request.versions[name] == version for name, version in versions.items())

    async def answer(self, request: FollowRequest) -> None:
        """Send one update, once there is a newer version and the page waits for nothing else."""
        shelf = await self._viewer.site.shelf()
        while True:
            while not self._is_newer(request, shelf):
                self._newer.clear()
                await self._newer.wait()
            await asyncio.sleep(max(0.0, self._sent + _SECONDS_BETWEEN_UPDATES - time.monotonic()))
            while not self._viewer.at_rest:
                self._rested.clear()
                await self._rested.wait()
            update = await self._made(request, shelf)
            if update is None:
                await asyncio.sleep(_SECONDS_BETWEEN_TRIES)
            elif self._viewer.at_rest and self._viewer.shown is update.before:
                self._send(request, update, shelf)
                return

    def _is_newer(self, request: FollowRequest, shelf: Shelf) -> bool:
        shown = self._viewer.shown
        known = {} if shown is None else shown.opened.datasets
        return any(
            known[name] != version or shelf.heads.version(name) > version for name, version in request.versions.items()
        )

    async def _made(self, request: FollowRequest, shelf: Shelf) -> _Update | None:
        """What changes; None where nothing newer can be shown yet."""
        before, backend, caller = self._viewer.shown, self._viewer.backend, self._viewer.principal.caller
        if before is None or backend is None:
            return None
        try:
            after = await shelf.newest(self._viewer.name, before, caller)
        except BigvizError:  # whoever looks after documents tells the page
            return None
        versions = {name: each for name, each in after.opened.datasets.items() if request.versions.get(name) != each}
        if not versions:
            return None
        if after is not before and backend.changes(before, after) is None:
            self._viewer.leave(RESTART, "the document's data was changed")
            return None
        layers: list[tuple[int, int, Pushed]] = []
        anew: list[int] = []
        for figure, parts in request.figures:
            over = [part for part in parts if _name_of(part) in versions]
            pushed = await asyncio.gather(
                *(self._pushed(backend, before, after, request, part) for part in over), return_exceptions=True
            )
            found = [each for each in pushed if each is not None and not isinstance(each, BaseException)]
            for each in pushed:
                if isinstance(each, BaseException) and not isinstance(each, BigvizError):
                    raise each
            if len(found) < len(over):
                anew.append(figure)
            else:
                layers += [(figure, part.layer, each) for part, each in zip(over, found, strict=True)]
        return _Update(before, after, versions, layers, anew)

    async def _pushed(
        self, backend: Backend, before: Shown, after: Shown, request: FollowRequest, part: LayerHeld
    ) -> Pushed | None:
        name = _name_of(part)
        old: Dataset | None = dataset_of(before.document, name)
        if before.opened.datasets[name] != request.versions[name]:
            old = (await self._viewer.site.shelf()).past(name, request.versions[name])
        dataset, layer = backend.resolve(after.document, part.definition, after.usage)
        return await backend.pushes.layer(old, dataset, layer, part.held, after.usage.has_rows(name))

    def _send(self, request: FollowRequest, update: _Update, shelf: Shelf) -> None:
        """The frames of all layers, then what puts them in: nothing of another version comes between them."""
        viewer, metrics = self._viewer, self._viewer.site.metrics
        for figure, layer, pushed in update.layers:
            for each in pushed.messages:
                queue = 0 if each.kind == Type.TILE else None
                viewer.put(Message(each.kind, each.parts, request.id, figure, layer, queue))
        facts: dict[str, Any] = {}
        for name, version in update.versions.items():
            appended = shelf.heads.time(name, version)
            rows = dataset_of(update.after.document, name).num_rows
            facts[name] = version_facts(rows, version, appended)
            if appended is not None:
                metrics.update_seconds.observe(facts[name]["age"])
        layers = [
            {"figure": figure, "layer": layer, "facts": each.facts, "changed": each.changed, "rows": each.rows}
            for figure, layer, each in update.layers
        ]
        told = {"datasets": facts, "layers": layers, "anew": update.anew}
        viewer.put(Message(Type.UPDATE, json_parts(told), request.id))
        viewer.shown = update.after
        metrics.updates.inc()
        self._sent = time.monotonic() + (_SECONDS_AFTER_ANEW if update.anew else 0.0)


def _name_of(part: LayerHeld) -> str:
    """The dataset that a layer is of; an empty text where its definition is none."""
    name = part.definition.get("dataset") if isinstance(part.definition, dict) else None
    return name if isinstance(name, str) else ""
