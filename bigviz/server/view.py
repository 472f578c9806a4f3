"""A figure's current view: what it still waits for, and the sums that its `done` reports."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from bigviz.server.messages import ColumnsWanted, Place, TilesWanted, ViewRequest
from bigviz.server.protocol import Type, json_parts
from bigviz.server.scheduler import Outcome, Want

if TYPE_CHECKING:
    from bigviz.data.dataset import Dataset
    from bigviz.document.spec import Document
    from bigviz.server.backend import Backend, Prepared
    from bigviz.server.viewer import Viewer
    from bigviz.tiles.layer import Layer

__all__ = ["View", "outwards"]


class View:
    """One `view` message on its way. `over` once it is answered, failed or replaced: then nothing more is sent."""

    def __init__(self, viewer: Viewer, backend: Backend, document: Document, request: ViewRequest) -> None:
        self.viewer = viewer
        self.backend = backend
        self.document = document
        self.request = request
        self.task: asyncio.Task[None] | None = None
        self.over = False
        self.left = 0
        self.sums = {"tiles": 0, "queue_us": 0, "kernel_us": 0, "encode_us": 0, "rows": 0, "bytes": 0}

    async def start(self) -> None:
        """Check every layer, wait for their indexes, then hand the wants to the scheduler: centre first, prefetch last.

        What the figure's earlier view wanted goes on until then, and what both want is not begun anew.
        """
        slot = self.request.figure
        try:
            layers = [(each, *self.backend.resolve(self.document, each.definition)) for each in self.request.layers]
            for _, dataset, layer in layers:
                if not self.backend.is_ready(dataset, layer):
                    self.backend.scheduler.drop(self.viewer, slot)
                    await self.backend.info(dataset, layer)
            wants = self._wants(layers)
        except BaseException:
            if not self.over:  # else the slot is a newer view's already
                self.over = True
                self.backend.scheduler.drop(self.viewer, slot)
            raise
        self.left = len(wants)
        self.backend.scheduler.replace(self.viewer, slot, wants)
        if not wants:
            self._finish()

    def _wants(self, layers: list[tuple[TilesWanted | ColumnsWanted, Dataset, Layer]]) -> list[Want]:
        first: list[list[Want]] = []
        later: list[Want] = []
        for each, dataset, layer in layers:
            deliver = partial(self._deliver, each.layer)
            if isinstance(each, TilesWanted):
                tiles, more = outwards(each.tiles), outwards(each.prefetch, each.tiles)
                first.append([self.backend.want_tile(dataset, layer, place, deliver, False) for place in tiles])
                later += [self.backend.want_tile(dataset, layer, place, deliver, True) for place in more]
            else:
                first.append([self.backend.want_columns(dataset, layer, each, deliver)])
        return [*_interleaved(first), *later]

    def _deliver(self, layer: int, outcome: Outcome) -> None:
        if self.over:
            return
        if outcome.error is not None:
            self.over = True
            self.backend.scheduler.drop(self.viewer, self.request.figure)
            self.viewer.fail(self.request.id, outcome.error, self.request.figure, layer)
            return
        prepared: Prepared = outcome.value
        queue = round(outcome.waited * 1e6)
        self.backend.observe(prepared, outcome.waited)
        self._add(prepared, queue)
        place = (self.request.id, self.request.figure, layer)
        self.viewer.put(prepared.kind, prepared.parts, *place, queue if prepared.kind == Type.TILE else None, self)
        self.left -= 1
        if not self.left:
            self._finish()

    def _add(self, prepared: Prepared, queue: int) -> None:
        cost, sums = prepared.cost, self.sums
        sums["tiles"] += prepared.kind == Type.TILE
        sums["queue_us"] = max(sums["queue_us"], queue)  # they wait at the same time: the longest wait, not the sum
        sums["kernel_us"] += cost.kernel_us
        sums["encode_us"] += cost.encode_us
        sums["rows"] += cost.rows
        sums["bytes"] += cost.bytes

    def _finish(self) -> None:
        self.over = True
        self.viewer.put(Type.DONE, json_parts(self.sums), self.request.id, self.request.figure)


def outwards(places: tuple[Place, ...], about: tuple[Place, ...] | None = None) -> list[Place]:
    """Tiles by their distance from the middle of `about` (of themselves), nearest first, each level by itself."""
    found = about or places
    if not found:
        return []
    middle = {}
    for zx, zy in {(zx, zy) for zx, zy, _, _ in places}:
        # The middle of another level's tiles, in tiles of this one.
        xs = [(i + 0.5) * 2.0 ** (zx - x) for x, _, i, _ in found]
        ys = [(j + 0.5) * 2.0 ** (zy - y) for _, y, _, j in found]
        middle[zx, zy] = ((min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2)

    def distance(place: Place) -> float:
        zx, zy, i, j = place
        x, y = middle[zx, zy]
        return float(max(abs(i + 0.5 - x), abs(j + 0.5 - y)) + 1e-3 * (abs(i + 0.5 - x) + abs(j + 0.5 - y)))

    return sorted(places, key=distance)


def _interleaved(lists: list[list[Want]]) -> list[Want]:
    """One from each list in turn, so that the layers of a figure fill in together."""
    longest = max(map(len, lists), default=0)
    return [each[at] for at in range(longest) for each in lists if at < len(each)]
