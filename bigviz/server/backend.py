"""Between the handlers and the engine: jobs for the scheduler, builds, and answers as bytes.

Methods that start with `run` or are coroutines live on the event loop; the functions they hand to the scheduler run in
its threads. One object a server, made when the engine is loaded.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from bigviz.data.cancel import Cancel
from bigviz.data.dataset import Dataset
from bigviz.data.errors import Busy, TooLarge
from bigviz.document import cmaps
from bigviz.document.spec import Document
from bigviz.server import facts, protocol
from bigviz.server.answers import Answers, Asked
from bigviz.server.builds import Builds, Listener
from bigviz.server.definition import dataset_of, layer_of, overridden, published, times_of
from bigviz.server.definition import read as read_definition
from bigviz.server.limits import Limits
from bigviz.server.messages import ColumnsWanted
from bigviz.server.metrics import Metrics
from bigviz.server.params import Number, interval
from bigviz.server.scheduler import Outcome, Scheduler, Want
from bigviz.tiles.engine import Cost, Engine, LayerInfo, Tile, TileKey
from bigviz.tiles.layer import Layer

if TYPE_CHECKING:
    from bigviz.tiles.engine import Columns

__all__ = ["Backend", "Prepared", "columns_message", "offsets"]

T = TypeVar("T")
Place = tuple[int, int, int, int]


@dataclass(frozen=True)
class Prepared:
    """A result laid out for the wire, shared by all viewers that wait for it."""

    kind: protocol.Type
    parts: list[protocol.Part]
    cost: Cost


class Backend:
    """The engine with its threads. Made on a running event loop."""

    def __init__(self, engine: Engine, limits: Limits, metrics: Metrics) -> None:
        self.engine = engine
        self.limits = limits
        self.metrics = metrics
        self.scheduler = Scheduler(os.cpu_count() or 1)
        self.builds = Builds(engine, limits.builds)
        self.answers = Answers(self)
        self._requests = 0
        self._image_bytes = 0
        metrics.refresh = self._refresh

    def hello(self, document: Document) -> tuple[dict[str, Any], bytes]:
        """JSON and body of the first message on a socket."""
        return facts.hello(document), cmaps.body()

    def resolve(self, document: Document, value: object) -> tuple[Dataset, Layer]:
        """The dataset and the checked layer of a message's definition."""
        definition = read_definition(value, document)
        dataset = dataset_of(document, definition.dataset)
        return dataset, layer_of(definition, dataset)

    async def layer(self, document: Document, value: object, listener: Listener) -> dict[str, Any]:
        """The JSON of a `layer` answer, when the index is ready."""
        dataset, layer = self.resolve(document, value)
        info = await self.info(dataset, layer, listener)
        return facts.layer_answer(info, times_of(dataset, layer))

    def is_ready(self, dataset: Dataset, layer: Layer) -> bool:
        """Whether the layer's index is there, so that nothing has to be waited for."""
        return self.engine.state(dataset, layer) == "ready"

    async def info(self, dataset: Dataset, layer: Layer, listener: Listener | None = None) -> LayerInfo:
        """The facts of a layer, its index built first where it is not there."""
        return await self.builds.ensure(dataset, layer, listener)

    async def run(
        self,
        owner: Hashable,
        dataset: Dataset,
        layer: Layer,
        what: Hashable,
        call: Callable[[Cancel], T],
        heavy: bool = False,
    ) -> T:
        """The result of one job over a built layer for one HTTP request; Busy when too many wait already."""
        if self._requests >= self.limits.queued_requests:
            raise Busy(f"{self._requests} requests wait or run already: try again in a second.")
        self._requests += 1
        try:
            await self.info(dataset, layer)
            key = (dataset.fingerprint, dataset.version, layer, what)
            return await self.scheduler.run(owner, key, call, heavy)
        finally:
            self._requests -= 1

    def want_tile(
        self, dataset: Dataset, layer: Layer, place: Place, deliver: Callable[[Outcome], None], later: bool
    ) -> Want:
        """The wish of a viewer for a tile; its outcome is a `Prepared`."""

        def call(cancel: Cancel) -> Prepared:
            tile = self.compute_tile(dataset, layer, place, cancel)
            return Prepared(protocol.Type.TILE, protocol.tile_parts(tile), tile.cost)

        key = (dataset.fingerprint, dataset.version, layer, ("frame", place))
        return Want(key, call, deliver, later)

    def want_columns(
        self, dataset: Dataset, layer: Layer, wanted: ColumnsWanted, deliver: Callable[[Outcome], None]
    ) -> Want:
        """The wish of a viewer for a line's columns; its outcome is a `Prepared`."""
        bounds = {"x0": wanted.x0, "x1": wanted.x1}
        times = times_of(dataset, layer)
        x0, x1 = interval(bounds.get, "x0", "x1", time=times[0])

        def call(cancel: Cancel) -> Prepared:
            found = self.engine.columns(dataset, layer, x0, x1, wanted.width, cancel)
            return columns_message(found, times, (x0, x1), wanted.width)

        key = (dataset.fingerprint, dataset.version, layer, ("columns", x0, x1, wanted.width))
        return Want(key, call, deliver)

    def asked(self, document: Document, number: int, get: Callable[[str], str | None]) -> Asked:
        """The document's layer of that number, depth first, with what a query changes."""
        figure, style = document.layers()[number]
        definition = overridden(published(figure, style), document, get)
        dataset = dataset_of(document, definition.dataset)
        layer = layer_of(definition, dataset)
        return Asked(dataset, layer, figure, style, self.engine.etag(dataset, layer))

    def admit(self, size: int) -> None:
        """Take `size` bytes of the budget of all images; Busy when they do not fit now, TooLarge when they never do."""
        if size > self.limits.image_bytes:
            most = self.limits.image_bytes >> 20
            raise TooLarge(f"An image of {size >> 20} MiB of planes is over the limit of {most} MiB.", "width", size)
        if self._image_bytes + size > self.limits.image_bytes:
            raise Busy(f"Images of {self._image_bytes >> 20} MiB are being drawn already: try again in a second.")
        self._image_bytes += size

    def release(self, size: int) -> None:
        """Give back what `admit` took."""
        self._image_bytes -= size

    def observe(self, prepared: Prepared, waited: float) -> None:
        """Count an answer in the metrics."""
        cost = prepared.cost
        self.metrics.queue.observe(waited)
        self.metrics.kernel.observe(cost.kernel_us / 1e6)
        self.metrics.rows.inc(cost.rows)
        if prepared.kind == protocol.Type.TILE:
            self.metrics.tiles.labels("rows" if cost.rows else "kept").inc()

    def close(self) -> None:
        """Cancel all that runs."""
        self.scheduler.close()
        self.builds.close()

    def compute_tile(self, dataset: Dataset, layer: Layer, place: Place, cancel: Cancel) -> Tile:
        """One tile of a built layer; blocks."""
        return self.engine.tile(dataset, layer, TileKey(*place), cancel)

    def _refresh(self) -> None:
        self.metrics.waiting.set(self.scheduler.waiting)
        self.metrics.running.set(self.scheduler.running)
        self.metrics.builds.set(self.builds.running)
        for what, size in self.engine.memory().items():
            self.metrics.memory.labels(what).set(size)


def columns_message(
    found: Columns, times: tuple[bool, bool], window: tuple[Number, Number], width: int
) -> Prepared:
    """A line's columns for the wire: positions in axis space, nanoseconds as offsets from int64 origins."""
    xorigin = (int(window[0]) + int(window[1])) // 2 if times[0] else 0
    yorigin = (int(found.y.min()) + int(found.y.max())) // 2 if times[1] and len(found.y) else 0
    x = offsets(found.x, xorigin) if times[0] else found.x
    y = offsets(found.y, yorigin) if times[1] else found.y
    cost = found.cost
    info = {
        "width": width,
        "xorigin": str(xorigin),
        "yorigin": str(yorigin),
        "flagged": [int(column) for column in found.flagged],
        "queue_us": cost.queue_us,
        "kernel_us": cost.kernel_us,
        "encode_us": cost.encode_us,
        "rows": cost.rows,
        "bytes": cost.bytes,
    }
    parts = protocol.columns_parts(info, (found.column, found.run, found.row, x, y))
    return Prepared(protocol.Type.COLUMNS, parts, cost)


def offsets(values: np.ndarray, origin: int) -> np.ndarray:
    """int64 `values` as float64 offsets from `origin`: exact within 2^53 of it, rounded further away, never wrapped."""
    near = values.astype(np.float64) - float(origin)
    with np.errstate(over="ignore"):
        exact = (values - np.int64(origin)).astype(np.float64)
    return np.where(np.abs(near) < 2.0**62, exact, near)
