"""Between the handlers and the engine: jobs for the runner, builds, and answers as bytes.

Methods that start with `run` or are coroutines live on the event loop; the functions they hand to the runner run in
its threads. One object a server, made when the engine is loaded.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Hashable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar
from weakref import WeakKeyDictionary

from bigviz.aggregate.layer import MOST_CATEGORIES, Layer
from bigviz.common.cancel import Cancel
from bigviz.common.daemon_thread import start_daemon
from bigviz.common.errors import BigvizError, Busy
from bigviz.common.threads.shared_thread import in_shared_thread
from bigviz.data.dataset import Dataset
from bigviz.data.many_values import columns_of_many
from bigviz.document.spec import Document
from bigviz.document.substitute import substituted
from bigviz.render import colormaps
from bigviz.server.brushes.cell_budget import CellBudget
from bigviz.server.brushes.dragged import dragged
from bigviz.server.brushes.resolved import resolved
from bigviz.server.brushes.steps import HeldBrush
from bigviz.server.controls.figure_values import FigureValues
from bigviz.server.controls.options import read_options
from bigviz.server.jobs import layer_json, layer_ref
from bigviz.server.jobs.encoded import Prepared
from bigviz.server.jobs.index_builds import Builds, Listener
from bigviz.server.jobs.job_runner import JobRunner
from bigviz.server.jobs.layer_ref import Asked, times_of
from bigviz.server.jobs.push_jobs import Pushes
from bigviz.server.jobs.scan_jobs import Scans
from bigviz.server.jobs.usage import EVERYTHING, Usage
from bigviz.server.jobs.view_jobs import ViewJobs
from bigviz.server.jobs.wanted import Roots
from bigviz.server.limits import Limits
from bigviz.server.metrics import Metrics
from bigviz.server.open_datasets import dataset_of
from bigviz.server.rehearsals import Rehearsals
from bigviz.server.selections.jobs import SelectionJobs
from bigviz.tiles.interface import Engine, LayerInfo, Tile, TileKey
from bigviz.tiles.readiness import EXACT
from bigviz.wire import frames

if TYPE_CHECKING:
    from bigviz.aggregate.dyadic_cells import Root
    from bigviz.server.access.principal import Principal
    from bigviz.server.brushes.wanted import AskedBrush, BrushRequest
    from bigviz.server.documents.opened import Shown

__all__ = ["Backend"]

T = TypeVar("T")
Place = tuple[int, int, int, int]

_INDEXED_ROWS: Final = 1 << 20  # of a table below, nothing is kept on the disk
_INDEXED_WITHIN: Final = 30.0  # seconds that a request waits for rows that workers index
_TRIES: Final = 3  # of a request whose workers are lost again and again
_LOOKED: Final = 5.0  # seconds that a page waits for the first rows of its tables
_OPENING: Final = 1.0  # seconds from a page's address to its greeting, at most
_MOST_RESOLVED: Final = 64  # layers of a page
_SHOWN: Final = 2.0  # seconds from a page's greeting until its figures are there, about
_GREETED: Final = 0.1  # and from there to what it asks first; with a second here, builds rested for most of it


class Backend:
    """The engine with its threads. Made on a running event loop."""

    def __init__(self, engine: Engine, limits: Limits, metrics: Metrics) -> None:
        self.engine = engine
        self.limits = limits
        self.metrics = metrics
        self.runner = JobRunner(engine.at_once, lambda owner: getattr(owner, "share", owner))
        self.builds = Builds(engine, limits.builds, limits.builds_per_address)
        self.jobs = ViewJobs(engine)
        self.scans = Scans(engine)
        self.selections = SelectionJobs(self)
        self.figures = FigureValues(self.job)
        self.brush_cells = CellBudget(limits.brush_cells, limits.brushes_cells)
        self.pushes = Pushes(engine, self.builds, self.runner, self.jobs)
        self.rehearsals = Rehearsals(engine)
        self._requests = 0
        self._rehearsed = False
        self._tiles = {source: metrics.tiles.labels(source) for source in ("rows", "kept")}
        self._of_many: WeakKeyDictionary[Dataset, frozenset[str]] = WeakKeyDictionary()
        metrics.refresh = self._refresh

    async def hello(self, document: Document, usage: Usage = EVERYTHING) -> tuple[dict[str, Any], bytes]:
        """JSON and body of the first message on a socket."""
        datasets = {name: dataset_of(document, name) for name in document.datasets}
        for dataset in datasets.values():
            await self._look_for_many(dataset)
        await read_options(document, usage)
        if (document.links or document.controls) and not self._rehearsed:
            self._rehearsed = True
            asyncio.get_running_loop().call_later(
                _SHOWN, start_daemon, "bigviz-rehearsal", self.engine.rehearse_brushes
            )
        self.rehearsals.begin(document, partial(self._layers_of, document), _SHOWN)
        of_many = {name: self._of_many.get(dataset, frozenset()) for name, dataset in datasets.items()}
        return layer_json.hello(document, self.limits, of_many, usage), colormaps.body()

    async def _look_for_many(self, dataset: Dataset) -> None:
        """Find out which columns of a dataset have many values, unless its files take long to say."""
        if dataset in self._of_many:
            return
        look = in_shared_thread(("columns of many", dataset), partial(columns_of_many, dataset, MOST_CATEGORIES))
        with suppress(TimeoutError):
            self._of_many[dataset] = await asyncio.wait_for(look, _LOOKED)

    def _layers_of(self, document: Document) -> list[tuple[Dataset, Layer]]:
        """The layers of a document that can be drawn, as published."""
        found = []
        for number in range(len(document.layers())):
            with suppress(BigvizError):
                asked = self.asked(document, number, lambda name: None)
                found.append((asked.dataset, asked.layer))
        return found

    @staticmethod
    def changes(before: Shown, now: Shown) -> dict[str, int] | None:
        """The versions of the datasets that are others than before; None where a page has to build its figures anew."""
        old, new = (layer_json.datasets_answer(each.document, {}, each.usage) for each in (before, now))
        if before.document != now.document or old.keys() != new.keys():
            return None
        if any(dataset["columns"] != old[name]["columns"] for name, dataset in new.items()):
            return None
        sources = before.document.sources, now.document.sources
        return {name: new[name]["version"] for name in new if sources[0][name] is not sources[1][name]}

    def keep_indexes(self, document: Document) -> None:
        """Let indexes of a published document's layers be kept on the disk, if its tables are large enough."""
        for number in range(len(document.layers())):
            with suppress(BigvizError):
                asked = self.asked(document, number, lambda name: None)
                if asked.dataset.files and asked.dataset.num_rows >= _INDEXED_ROWS:
                    self.engine.publish(asked.dataset, asked.layer)

    def publish(self, document: Document) -> None:
        """Tell the engine what the operator shows: its indexes may be kept on the disk."""
        for number in range(len(document.layers())):
            with suppress(BigvizError):  # a layer that cannot be drawn is reported when it is requested
                asked = self.asked(document, number, lambda name: None)
                self.engine.publish(asked.dataset, asked.layer)
                self.builds.publish(asked.dataset, asked.layer)

    def expect(self, greeted: bool = False) -> None:
        """Somebody opens a page, or has it open and is about to ask: builds make way."""
        self.engine.expect(_GREETED if greeted else _OPENING)

    def resolve(self, document: Document, value: object, usage: Usage = EVERYTHING) -> tuple[Dataset, Layer]:
        """The dataset and the checked layer of a message's definition, as `usage` allows."""
        return layer_ref.read(value, document, usage).resolve(document, usage)

    def resolve_shown(self, shown: Shown, value: object) -> tuple[Dataset, Layer]:
        """The same; what a page asks about again is not checked again."""
        name = json.dumps(value, sort_keys=True) if isinstance(value, dict) else None
        found = None if name is None else shown.resolved.get(name)
        if found is None:
            found = self.resolve(shown.document, value, shown.usage)
            if name is not None and len(shown.resolved) < _MOST_RESOLVED:
                shown.resolved[name] = found
        return found

    async def layer(
        self,
        document: Document,
        value: object,
        listener: Listener,
        principal: Principal | None = None,
        usage: Usage = EVERYTHING,
    ) -> AsyncIterator[dict[str, Any]]:
        """The JSON of each `layer` answer: of a sample, of exact answers, and last of the complete index."""
        dataset, layer = self.resolve(document, value, usage)
        async for known in self.builds.follow(dataset, layer, listener, principal):
            self.pushes.learn(dataset, layer, known)
            yield layer_json.layer_answer(known.info, times_of(dataset, layer), known.readiness, known.dense)

    async def info(
        self, dataset: Dataset, layer: Layer, whole: bool = False, principal: Principal | None = None
    ) -> LayerInfo:
        """The facts of a layer, once it can be answered for exactly; with `whole`, once its index is complete."""
        return await self.builds.ensure(dataset, layer, whole=whole, principal=principal)

    async def wait(self, dataset: Dataset, layer: Layer, principal: Principal | None = None) -> None:
        """Wait until a layer can be answered for exactly; for one that can be, no thread is asked. Busy where workers
        have not indexed all of its rows after 30 s."""
        if not self.builds.is_known(dataset, layer):
            async with _in_time(self.engine.holders(dataset, layer) is not None):
                await self.info(dataset, layer, principal=principal)

    async def run(
        self,
        principal: Principal,
        dataset: Dataset,
        layer: Layer,
        what: Hashable,
        call: Callable[[Cancel], T],
        heavy: bool = False,
    ) -> T:
        """The result of one job over a built layer for one HTTP request; Busy when too many wait already, or workers
        have not indexed all of its rows after 30 s."""
        with self._counted():
            holders = self.engine.holders(dataset, layer)
            if holders is None:
                return await self._run(principal, dataset, layer, what, call, heavy)
            async with _in_time(holders.rows_held < dataset.num_rows) as limit:
                return await self._run_on_workers(principal, dataset, layer, what, call, heavy, limit)

    async def _run_on_workers(
        self, principal: Principal, dataset: Dataset, layer: Layer, what: Hashable, call: Callable[[Cancel], T],
        heavy: bool, limit: asyncio.Timeout,
    ) -> T:  # fmt: skip
        """The same; once more where a worker was lost meanwhile, as soon as others have its rows, for which `limit`
        begins then. Raises Busy too where these cannot be indexed now."""
        tries = 0
        while True:
            await self.wait(dataset, layer, principal)  # what this raises would be raised at once the next time, too
            try:
                return await self._run(principal, dataset, layer, what, call, heavy)
            except Busy:
                tries += 1  # others may have its rows by now
                if tries > _TRIES and self.engine.readiness(dataset, layer) in EXACT:
                    raise
                if limit.when() is None:
                    limit.reschedule(asyncio.get_running_loop().time() + _INDEXED_WITHIN)

    async def _run(
        self, principal: Principal, dataset: Dataset, layer: Layer, what: Hashable, call: Callable[[Cancel], T],
        heavy: bool,
    ) -> T:  # fmt: skip
        readiness = self.engine.readiness(dataset, layer)
        if readiness not in EXACT:
            await self.info(dataset, layer, principal=principal)
            readiness = self.engine.readiness(dataset, layer)
        key = (dataset.fingerprint, dataset.version, layer, what)
        return await self.runner.run(principal.share, key, call, heavy, long=readiness == "scanned")

    async def tile_tag(self, principal: Principal, asked: Asked, place: Place) -> str:
        """The name of what a tile depends on: versions of a dataset that grows share that of a tile that they do not
        change. Waits until the layer can be answered for."""
        dataset, layer = asked.dataset, asked.layer
        if dataset.lineage is None:
            return asked.etag

        def call(cancel: Cancel) -> str:
            return self.engine.etag(dataset, layer, TileKey(*place))

        return await self.run(principal, dataset, layer, ("tag", place), call)

    def held_brush(self) -> HeldBrush:
        """What a connection holds of its brush, to begin with."""
        return HeldBrush(self.engine, self.brush_cells)

    def resolved(self, request: BrushRequest, shown: Shown) -> AskedBrush:
        """What a message asks for in which no control is dragged."""
        return resolved(request, shown, self)

    def dragged(self, request: BrushRequest, shown: Shown, cancel: Cancel) -> AskedBrush:
        """What a message asks for in which a control is dragged; blocks."""
        return dragged(request, shown, self, cancel)

    async def job(self, principal: Principal, key: Hashable, call: Callable[[Cancel], T], heavy: bool = False) -> T:
        """The result of one job over no layer in particular; otherwise as `run`."""
        with self._counted():
            return await self.runner.run(principal.share, key, call, heavy)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        """One HTTP request more that waits or runs."""
        if self._requests >= self.limits.queued_requests:
            raise Busy(f"{self._requests} requests wait or run already: try again in a second.")
        self._requests += 1
        try:
            yield
        finally:
            self._requests -= 1

    @staticmethod
    def is_rooted(of: tuple[Root, Root], roots: Roots | None, final: bool) -> bool:
        """Whether tiles of `roots` (None: of the final ones) are of these, which are `final` unless a sample's."""
        return final if roots is None else roots == _texts(*of)

    def asked(
        self, document: Document, number: int, get: Callable[[str], str | None], usage: Usage = EVERYTHING
    ) -> Asked:
        """The document's layer of that number, depth first, with what a query changes as far as `usage` allows."""
        figure, style = document.layers()[number]
        values = layer_ref.values_in_query(document, get)
        published = layer_ref.published(document, figure, style, values)
        dataset, layer = layer_ref.overridden(published, document, get, usage, values).resolve(document, usage)
        return Asked(dataset, layer, figure, substituted(style, values), self.engine.etag(dataset, layer))

    def tagged(self, asked: Asked) -> Asked:
        """The same question with the ETag of what answers it now."""
        etag = self.engine.etag(asked.dataset, asked.layer)
        return asked if etag == asked.etag else replace(asked, etag=etag)

    def observe(self, prepared: Prepared, waited: float) -> None:
        """Count an answer in the metrics."""
        cost = prepared.cost
        self.metrics.queue.observe(waited)
        self.metrics.kernel.observe(cost.kernel_us / 1e6)
        self.metrics.rows.inc(cost.rows)
        if prepared.kind == frames.Type.TILE:
            self._tiles["rows" if cost.rows else "kept"].inc()

    def observe_kept(self, tiles: int) -> None:
        """Count so many tiles that were sent once more, for which nothing waited and no kernel ran."""
        if tiles:
            self._tiles["kept"].inc(tiles)

    def close(self) -> None:
        """Cancel all that runs."""
        self.runner.close()
        self.builds.close()
        self.rehearsals.close()

    def compute_tile(self, dataset: Dataset, layer: Layer, place: Place, cancel: Cancel) -> Tile:
        """One tile of a built layer; blocks."""
        return self.engine.tile(dataset, layer, TileKey(*place), cancel)

    def _refresh(self) -> None:
        self.metrics.waiting.set(self.runner.waiting)
        self.metrics.running.set(self.runner.running)
        self.metrics.builds.set(self.builds.running)
        for what, size in {**self.engine.memory(), "answers": self.jobs.kept.nbytes}.items():
            self.metrics.memory.labels(what).set(size)


@asynccontextmanager
async def _in_time(is_late: bool) -> AsyncIterator[asyncio.Timeout]:
    """Raise Busy after 30 s, if what is waited for are rows that workers have not indexed yet, or once they are."""
    try:
        async with asyncio.timeout(_INDEXED_WITHIN if is_late else None) as limit:
            yield limit
    except TimeoutError:
        raise Busy("The workers of the cluster still index rows of this table: try again.") from None


def _texts(x: Root, y: Root) -> Roots:
    """Roots as the wire has them."""
    return (x.start_text, x.exponent), (y.start_text, y.exponent)
