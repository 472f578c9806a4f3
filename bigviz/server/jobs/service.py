"""Between the handlers and the engine: jobs for the scheduler, builds, and answers as bytes.

Methods that start with `run` or are coroutines live on the event loop; the functions they hand to the scheduler run in
its threads. One object a server, made when the engine is loaded.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np

from bigviz.aggregate.layer import Layer
from bigviz.common.cancel import Cancel
from bigviz.common.errors import BigvizError, Busy
from bigviz.data.dataset import Dataset
from bigviz.document.spec import Document
from bigviz.render import colormaps
from bigviz.server.jobs import layer_json, window_jobs
from bigviz.server.jobs.encoded import Prepared
from bigviz.server.jobs.index_builds import Builds, Listener
from bigviz.server.jobs.layer_ref import Asked, dataset_of, layer_of, overridden, published, times_of
from bigviz.server.jobs.layer_ref import read as read_definition
from bigviz.server.jobs.scan_jobs import Scans
from bigviz.server.jobs.scheduler import Scheduler
from bigviz.server.jobs.wanted import ColumnsWanted, Roots, TilesWanted, WindowWanted
from bigviz.server.limits import Limits
from bigviz.server.metrics import Metrics
from bigviz.server.parse import Number, interval
from bigviz.tiles.answers.answer import Tile
from bigviz.tiles.answers.layer_info import LayerInfo
from bigviz.tiles.engine import Engine
from bigviz.tiles.estimates.preview import Preview
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.wire import frames
from bigviz.wire.columns import columns_parts
from bigviz.wire.tiles import tile_parts

if TYPE_CHECKING:
    from bigviz.aggregate.cells import Root
    from bigviz.tiles.answers.answer import Drawn
    from bigviz.tiles.answers.line_layer import Columns
    from bigviz.tiles.estimates.jackknife import Estimate

__all__ = ["Backend", "Prepared", "columns_message", "offsets"]

T = TypeVar("T")
Place = tuple[int, int, int, int]
Job = tuple[Hashable, Callable[[Cancel], "Prepared | None"]]  # its key, and the work

_OPENING: Final = 1.0  # seconds from a page's address to its greeting, at most
_GREETED: Final = 0.1  # and from there to what it asks first; with a second here, builds rested for most of it


class Backend:
    """The engine with its threads. Made on a running event loop."""

    def __init__(self, engine: Engine, limits: Limits, metrics: Metrics) -> None:
        self.engine = engine
        self.limits = limits
        self.metrics = metrics
        self.scheduler = Scheduler(os.cpu_count() or 1)
        self.builds = Builds(engine, limits.builds, limits.builds_per_address)
        self.scans = Scans(engine)
        self._requests = 0
        metrics.refresh = self._refresh

    def hello(self, document: Document) -> tuple[dict[str, Any], bytes]:
        """JSON and body of the first message on a socket."""
        return layer_json.hello(document), colormaps.body()

    def publish(self, document: Document) -> None:
        """Let the engine know what the operator shows: indexes of that may be kept on the disk."""
        for number in range(len(document.layers())):
            with suppress(BigvizError):  # a layer that cannot be drawn is told of when it is asked for
                asked = self.asked(document, number, lambda name: None)
                self.engine.publish(asked.dataset, asked.layer)
                self.builds.publish(asked.dataset, asked.layer)

    def expect(self, greeted: bool = False) -> None:
        """Somebody opens a page, or has it open and is about to ask: builds make way."""
        self.engine.expect(_GREETED if greeted else _OPENING)

    def resolve(self, document: Document, value: object) -> tuple[Dataset, Layer]:
        """The dataset and the checked layer of a message's definition."""
        definition = read_definition(value, document)
        dataset = dataset_of(document, definition.dataset)
        return dataset, layer_of(definition, dataset)

    async def layer(
        self, document: Document, value: object, listener: Listener, owner: Hashable = None
    ) -> AsyncIterator[dict[str, Any]]:
        """The JSON of each `layer` answer: of a sample, of exact answers, and last of the complete index."""
        dataset, layer = self.resolve(document, value)
        async for known in self.builds.follow(dataset, layer, listener, owner):
            yield layer_json.layer_answer(known.info, times_of(dataset, layer), known.index, known.provisional)

    def is_scanned(self, dataset: Dataset, layer: Layer) -> bool:
        """Whether exact answers take a pass over the source."""
        return self.engine.is_scanned(dataset, layer)

    def is_ready(self, dataset: Dataset, layer: Layer) -> bool:
        """Whether the layer's index is there, so that nothing has to be waited for."""
        return self.engine.state(dataset, layer) == "ready"

    async def info(self, dataset: Dataset, layer: Layer, whole: bool = False, owner: Hashable = None) -> LayerInfo:
        """The facts of a layer, once it can be answered for exactly; with `whole`, once its index is complete."""
        return await self.builds.ensure(dataset, layer, whole=whole, owner=owner)

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
            await self.info(dataset, layer, owner=owner)
            key = (dataset.fingerprint, dataset.version, layer, what)
            long = self.engine.is_scanned(dataset, layer)
            return await self.scheduler.run(owner, key, call, heavy, long)
        finally:
            self._requests -= 1

    def want_exact(
        self, dataset: Dataset, layer: Layer, wanted: TilesWanted | ColumnsWanted, place: Place | None
    ) -> Job:
        """The job of a viewer's tile, or of its columns; its value is a `Prepared`."""
        if isinstance(wanted, ColumnsWanted):
            window, times = self._window(dataset, layer, wanted)

            def columns(cancel: Cancel) -> Prepared:
                found = self.engine.columns(dataset, layer, *window, wanted.width, cancel)
                return columns_message(found, times, window, wanted.width)

            return (dataset.fingerprint, dataset.version, layer, ("columns", *window, wanted.width)), columns
        if place is None:
            return self._want_window(dataset, layer, wanted.window)

        def call(cancel: Cancel) -> Prepared:
            tile = self.compute_tile(dataset, layer, place, cancel)
            return Prepared(frames.Type.TILE, tile_parts(tile), tile.cost)

        return (dataset.fingerprint, dataset.version, layer, ("frame", place)), call

    def _want_window(self, dataset: Dataset, layer: Layer, window: WindowWanted | None) -> Job:
        """The job of what a view shows; its value is a `Prepared`, or None where tiles are to answer."""
        assert window is not None
        x, y = window_jobs.ends_of(dataset, layer, window)

        def call(cancel: Cancel) -> Prepared | None:
            found = window_jobs.answer(self.engine, dataset, layer, x, y, (window.width, window.height), cancel)
            return None if found is None else Prepared(*found)

        return window_jobs.key_of(dataset, layer, x, y, window), call

    def want_estimate(
        self,
        dataset: Dataset,
        layer: Layer,
        wanted: TilesWanted | ColumnsWanted,
        preview: Preview,
        place: Place | None,
    ) -> Job:
        """The job of an estimate from a sample as it is now; its value is a `Prepared`."""
        name = (dataset.fingerprint, dataset.version, layer, preview.generation)
        if isinstance(wanted, ColumnsWanted):
            window, times = self._window(dataset, layer, wanted)

            def columns(cancel: Cancel) -> Prepared:
                found, estimate = self.engine.previews.columns(preview, *window, wanted.width, cancel)
                return columns_message(found, times, window, wanted.width, asdict(estimate))

            return (*name, ("columns", *window, wanted.width)), columns
        assert place is not None

        def call(cancel: Cancel) -> Prepared:
            return _estimated(place, *self.engine.previews.tile(preview, TileKey(*place), cancel))

        return (*name, ("estimate", place)), call

    def want_rough(self, dataset: Dataset, layer: Layer, place: Place | None) -> Job:
        """The job of an estimate from ordered rows; its value is a `Prepared`, or None where the exact tile comes as
        soon."""
        assert place is not None

        def call(cancel: Cancel) -> Prepared | None:
            found = self.engine.estimate(dataset, layer, TileKey(*place), cancel)
            return None if found is None else _estimated(place, *found)

        return (dataset.fingerprint, dataset.version, layer, ("rough", place)), call

    def can_answer(self, dataset: Dataset, layer: Layer) -> bool:
        """Whether the layer can be answered for exactly, if not at once."""
        return self.engine.answers(dataset, layer)

    @staticmethod
    def is_rooted(of: Preview | LayerInfo, roots: Roots | None) -> bool:
        """Whether tiles of `roots` (None: of the final ones) are those of a sample, or of an index."""
        if isinstance(of, Preview):
            return roots == _texts(*of.roots)
        return roots is None or roots == _texts(of.root_x, of.root_y)

    def _window(
        self, dataset: Dataset, layer: Layer, wanted: ColumnsWanted
    ) -> tuple[tuple[Number, Number], tuple[bool, bool]]:
        bounds, times = {"x0": wanted.x0, "x1": wanted.x1}, times_of(dataset, layer)
        return interval(bounds.get, "x0", "x1", time=times[0]), times

    def asked(self, document: Document, number: int, get: Callable[[str], str | None]) -> Asked:
        """The document's layer of that number, depth first, with what a query changes."""
        figure, style = document.layers()[number]
        definition = overridden(published(figure, style), document, get)
        dataset = dataset_of(document, definition.dataset)
        layer = layer_of(definition, dataset)
        return Asked(dataset, layer, figure, style, self.engine.etag(dataset, layer))

    def observe(self, prepared: Prepared, waited: float) -> None:
        """Count an answer in the metrics."""
        cost = prepared.cost
        self.metrics.queue.observe(waited)
        self.metrics.kernel.observe(cost.kernel_us / 1e6)
        self.metrics.rows.inc(cost.rows)
        if prepared.kind == frames.Type.TILE:
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


def _estimated(place: Place, drawn: Drawn, estimate: Estimate) -> Prepared:
    tile = Tile(TileKey(*place), list(drawn.planes), drawn.cost, list)
    return Prepared(frames.Type.TILE, tile_parts(tile, estimate=asdict(estimate)), drawn.cost)


def _texts(x: Root, y: Root) -> Roots:
    """Roots as the wire has them."""
    return (x.start_text, x.exponent), (y.start_text, y.exponent)


def columns_message(
    found: Columns,
    times: tuple[bool, bool],
    window: tuple[Number, Number],
    width: int,
    estimate: dict[str, Any] | None = None,
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
    parts = columns_parts(info, (found.column, found.run, found.row, x, y), estimate=estimate)
    return Prepared(frames.Type.COLUMNS, parts, cost)


def offsets(values: np.ndarray, origin: int) -> np.ndarray:
    """int64 `values` as float64 offsets from `origin`: exact within 2^53 of it, rounded further away, never wrapped."""
    near = values.astype(np.float64) - float(origin)
    with np.errstate(over="ignore"):
        exact = (values - np.int64(origin)).astype(np.float64)
    return np.where(np.abs(near) < 2.0**62, exact, near)
