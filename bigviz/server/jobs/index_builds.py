"""Indexes being built: one build a layer however many wait for it, with progress, stopped when nobody waits.

Before a build begins, the layer is sampled, so that there is something to look at; while somebody looks and the build
goes on, the sample grows.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar

from bigviz.common.cancel import Cancel
from bigviz.common.errors import Busy, Cancelled, out_of_memory
from bigviz.common.jit import told_of_compiling
from bigviz.common.progress import COMPILING
from bigviz.common.threads.waits import waits_end_with
from bigviz.tiles.readiness import EXACT, Readiness

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bigviz.aggregate.layer import Layer
    from bigviz.data.dataset import Dataset
    from bigviz.server.access.principal import Principal
    from bigviz.tiles.interface import DensePart, Engine, LayerInfo, SampledLayer

__all__ = ["Builds", "Known", "Listener"]

_log = logging.getLogger("bigviz")

Listener = Callable[[dict[str, Any]], None]
T = TypeVar("T")

_THREADS: Final = 6  # builds spread over all cores by themselves; more let a layer answer while others are completed
_REMOTE_THREADS: Final = 3  # for the tables of one host: if it does not answer, builds of others have theirs
_FACTS_THREADS: Final = 6  # for what is known of layers: it may have to be read from the disk, and waits for no build
_SECONDS_BETWEEN: Final = 0.1
_SECONDS_BETWEEN_SAMPLES: Final = 0.25  # a picture that changes more often is no easier to read


@dataclass(frozen=True)
class Known:
    """A layer's facts at some point: from a sample, exact while its index is being built, or from the index."""

    info: LayerInfo
    readiness: Readiness
    dense: DensePart | None = None


@dataclass(eq=False)
class _Build:
    dataset: Dataset
    layer: Layer
    first: asyncio.Future[SampledLayer | None]  # the sample; None where the index comes as soon
    opened: asyncio.Future[LayerInfo]  # the final facts, when the layer can be answered for exactly
    done: asyncio.Future[LayerInfo]  # the same, when its index is complete
    share: Hashable = None  # whose it counts among
    cancel: Cancel = field(default_factory=Cancel)
    waiting: int = 0
    listeners: list[Listener] = field(default_factory=list)
    watchers: set[Callable[[], None]] = field(default_factory=set)
    sampling: bool = False
    grown: float = 0.0  # when the sample that is shown was there
    began: float = field(default_factory=time.perf_counter)
    latest: dict[str, Any] | None = None

    @property
    def sampled(self) -> SampledLayer | None:
        """The sample, once it is there."""
        if not self.first.done() or self.first.cancelled() or self.first.exception() is not None:
            return None
        return self.first.result()


class _Lane:
    """The threads for tables of one place: this machine, or a host elsewhere. Those that find none free wait."""

    def __init__(self, threads: int) -> None:
        self.builders = ThreadPoolExecutor(threads, "bigviz-build")
        self.samplers = ThreadPoolExecutor(1, "bigviz-sample")


class Builds:
    """Runs `Engine.ensure` in threads of its own, so that no tile waits for a build. Lives on the event loop."""

    def __init__(self, engine: Engine, most: int, share: int | None = None) -> None:
        """At most `most` builds at a time, and `share` (default: all) of them for one principal's share; published
        layers are beyond both."""
        self._engine = engine
        self._most = most
        self._share = most if share is None else share
        self._published: set[tuple[str, Layer]] = set()
        self._loop = asyncio.get_running_loop()
        self._facts = ThreadPoolExecutor(_FACTS_THREADS, "bigviz-facts")
        self._lanes: dict[str, _Lane] = {}
        self._running: dict[tuple[str, Layer], _Build] = {}

    @property
    def running(self) -> int:
        """Builds that run or wait for a thread."""
        return len(self._running)

    def publish(self, dataset: Dataset, layer: Layer) -> None:
        """A layer of the operator's own."""
        self._published.add((dataset.fingerprint, layer))

    async def ensure(
        self,
        dataset: Dataset,
        layer: Layer,
        listener: Listener | None = None,
        whole: bool = False,
        principal: Principal | None = None,
    ) -> LayerInfo:
        """The layer's facts, once it can be answered for exactly; with `whole`, once its index is complete.

        `listener` gets `{stage, done, rows, seconds}` on the loop's thread, at most ten times a second and stage. When
        the last caller's task is cancelled, so is the build. Raises Busy when too many builds wait, or too many that
        `principal` began.
        """
        if self.is_known(dataset, layer, whole):
            return await self._loop.run_in_executor(self._facts, self._engine.info, dataset, layer)
        with self._joined(dataset, layer, listener, principal) as build:
            return await asyncio.shield(build.done if whole else build.opened)

    def is_known(self, dataset: Dataset, layer: Layer, whole: bool = False) -> bool:
        """Whether a layer can be answered for exactly; with `whole`, whether its index is complete."""
        readiness = self._engine.readiness(dataset, layer)
        return readiness in EXACT and not (whole and readiness == "answering")

    async def follow(
        self, dataset: Dataset, layer: Layer, listener: Listener, principal: Principal | None = None
    ) -> AsyncIterator[Known]:
        """What is known of a layer, each time more is known: from a sample, when exact answers can be given, and last
        when the index is complete; what becomes known at the same time is reported once. Otherwise as `ensure`."""
        if self.is_known(dataset, layer, True):
            info = await self.ensure(dataset, layer)
            yield Known(info, self._engine.readiness(dataset, layer), await self._dense(dataset, layer))
            return
        with self._joined(dataset, layer, listener, principal) as build:
            sampled = await _first_of(build.first, build.opened)
            if sampled is not None and not build.opened.done():
                found = await self._loop.run_in_executor(self._facts, lambda: (sampled.facts, sampled.dense))
                yield Known(found[0], "sampled", found[1])  # facts of bars on a cluster are asked of workers
            info = await asyncio.shield(build.opened)
            if not build.done.done():
                yield Known(info, "answering", await self._dense(dataset, layer))
            info = await asyncio.shield(build.done)
            yield Known(info, self._engine.readiness(dataset, layer), await self._dense(dataset, layer))

    async def shown(
        self,
        dataset: Dataset,
        layer: Layer,
        changed: Callable[[], None],
        principal: Principal | None = None,
        listener: Listener | None = None,
    ) -> Callable[[], None]:
        """Wait until the layer can be answered for, by estimates or exactly, and `watch` it from then on. A `listener`
        hears how far its index is meanwhile."""
        if self.is_known(dataset, layer, True):
            return _nothing
        with self._joined(dataset, layer, listener, principal) as build:
            if self._engine.readiness(dataset, layer) not in EXACT:
                await _first_of(build.first, build.opened)
                if build.sampled is None:
                    await asyncio.shield(build.opened)
            return self.watch(dataset, layer, changed)

    def is_under_way(self, dataset: Dataset, layer: Layer) -> bool:
        """Whether a layer is being built, for those that wait for it here."""
        return (dataset.fingerprint, layer) in self._running

    def readiness(self, dataset: Dataset, layer: Layer) -> Readiness:
        """What can be had of a layer now."""
        found = self._engine.readiness(dataset, layer)
        return found if found in EXACT or self.sampled(dataset, layer) is None else "sampled"

    def sampled(self, dataset: Dataset, layer: Layer) -> SampledLayer | None:
        """The sample of a layer that is being built, if there is one."""
        build = self._running.get((dataset.fingerprint, layer))
        return None if build is None else build.sampled

    def watch(self, dataset: Dataset, layer: Layer, changed: Callable[[], None]) -> Callable[[], None]:
        """Call `changed` on the loop's thread whenever better answers for a layer can be given, until the function that
        is returned is called. While somebody watches, the sample grows and the build goes on. Nothing happens where
        nobody builds it, or `changed` is called already."""
        build = self._running.get((dataset.fingerprint, layer))
        if build is None or changed in build.watchers:
            return _nothing
        build.waiting += 1
        if not build.watchers:
            build.grown = time.perf_counter()
        build.watchers.add(changed)
        self._grow(build)

        def leave() -> None:
            if changed in build.watchers:
                build.watchers.remove(changed)
                self._leave(build)

        return leave

    def close(self) -> None:
        """Stop all builds; their waiters get Cancelled."""
        for build in list(self._running.values()):
            build.cancel.cancel()
            _fail(build, Cancelled("the server stops"))
        self._facts.shutdown(wait=False, cancel_futures=True)
        for lane in self._lanes.values():
            lane.builders.shutdown(wait=False, cancel_futures=True)
            lane.samplers.shutdown(wait=False, cancel_futures=True)

    async def _dense(self, dataset: Dataset, layer: Layer) -> DensePart | None:
        """Where nearly all rows lie. In a thread: what is on the disk may have to be read."""
        return await self._loop.run_in_executor(self._facts, self._engine.dense, dataset, layer)

    @contextmanager
    def _joined(
        self, dataset: Dataset, layer: Layer, listener: Listener | None, principal: Principal | None
    ) -> Iterator[_Build]:
        """The layer's build, begun now or joined, for as long as the caller waits."""
        build = self._running.get((dataset.fingerprint, layer)) or self._begin(dataset, layer, principal)
        build.waiting += 1
        if listener is not None:
            build.listeners.append(listener)
            if build.latest is not None:
                listener(build.latest)
        try:
            yield build
        finally:
            if listener is not None:
                build.listeners.remove(listener)
            self._leave(build)

    def _leave(self, build: _Build) -> None:
        build.waiting -= 1
        if not build.waiting and not build.opened.done():  # what answers already is completed: that takes seconds
            build.cancel.cancel()
            self._end(build)

    def _begin(self, dataset: Dataset, layer: Layer, principal: Principal | None) -> _Build:
        share = None if principal is None else principal.share
        if (dataset.fingerprint, layer) not in self._published:
            picked = [build for key, build in self._running.items() if key not in self._published]
            if len(picked) >= self._most:
                raise Busy(f"{len(picked)} indexes are being built already: try again when one is done.")
            own = sum(build.share == share for build in picked)
            if own >= self._share:
                raise Busy(f"{own} indexes are being built for this address already: try again when one is done.")
        future = self._loop.create_future
        build = _Build(dataset, layer, future(), future(), future(), share)
        self._running[dataset.fingerprint, layer] = build
        self._lane(dataset).builders.submit(self._build, build)
        return build

    def _lane(self, dataset: Dataset) -> _Lane:
        """The threads for a dataset's builds."""
        host = next((file.host for file in dataset.files if file.host), "")
        lane = self._lanes.get(host)
        if lane is None:
            lane = self._lanes[host] = _Lane(_REMOTE_THREADS if host else _THREADS)
        return lane

    def _end(self, build: _Build) -> None:
        key = (build.dataset.fingerprint, build.layer)
        if self._running.get(key) is build:
            del self._running[key]

    def _build(self, build: _Build) -> None:
        last = ("", 0.0)
        told = False

        def progress(stage: str, done: float, rows: int) -> None:
            nonlocal last, told
            now = time.perf_counter()
            if not told and self._engine.readiness(build.dataset, build.layer) == "answering":
                told = True
                info = self._engine.info(build.dataset, build.layer)
                self._loop.call_soon_threadsafe(self._open, build, info)
            if stage != last[0] or done >= 1 or now - last[1] >= _SECONDS_BETWEEN:
                last = (stage, now)
                report = {"stage": stage, "done": min(max(done, 0.0), 1.0), "rows": rows, "seconds": now - build.began}
                self._loop.call_soon_threadsafe(self._report, build, report)

        def compiling() -> None:  # whoever compiles may hold locks of the engine
            report = {"stage": COMPILING, "done": 0.0, "rows": 0, "seconds": time.perf_counter() - build.began}
            self._loop.call_soon_threadsafe(self._report, build, report)

        info: LayerInfo | None = None
        error: BaseException | None = None
        try:
            build.cancel.check()
            with told_of_compiling(compiling), waits_end_with(build.cancel):
                sampled = self._engine.preview(build.dataset, build.layer, build.cancel)
                self._loop.call_soon_threadsafe(_settle, build.first, sampled)
                self._engine.ensure(build.dataset, build.layer, progress, build.cancel)
            info = self._engine.info(build.dataset, build.layer)
        except MemoryError:
            error = out_of_memory()
        except BaseException as failure:  # handed to those that wait for the build
            error = failure
        self._loop.call_soon_threadsafe(self._finish, build, info, error)

    def _report(self, build: _Build, report: dict[str, Any]) -> None:
        build.latest = report
        for listener in list(build.listeners):
            listener(report)

    def _open(self, build: _Build, info: LayerInfo) -> None:
        _settle(build.opened, info)
        self._tell(build)

    def _finish(self, build: _Build, info: LayerInfo | None, error: BaseException | None) -> None:
        self._end(build)
        if error is not None:
            _fail(build, error)
        elif info is not None:
            _settle(build.opened, info)
            _settle(build.done, info)
            _settle(build.first, None)
        self._tell(build)

    def _tell(self, build: _Build) -> None:
        for changed in list(build.watchers):
            changed()

    def _grow(self, build: _Build) -> None:
        """Let the sample grow once, if somebody looks and it can; then again."""
        sampled = build.sampled
        if sampled is None or sampled.whole or build.sampling or not build.watchers or build.opened.done():
            return
        build.sampling = True
        pause = max(0.0, build.grown + _SECONDS_BETWEEN_SAMPLES - time.perf_counter())
        self._loop.call_later(pause, self._lane(build.dataset).samplers.submit, self._sample, build, sampled)

    def _sample(self, build: _Build, sampled: SampledLayer) -> None:
        try:
            if not build.opened.done():
                with waits_end_with(build.cancel):
                    sampled.grow(build.cancel)
        except Cancelled:
            pass
        except Exception:  # the build itself will meet what is wrong with the file, and say so
            _log.debug("a sample could not be read", exc_info=True)
        self._loop.call_soon_threadsafe(self._sampled, build)

    def _sampled(self, build: _Build) -> None:
        build.sampling = False
        build.grown = time.perf_counter()
        self._tell(build)
        self._grow(build)


async def _first_of(
    first: asyncio.Future[SampledLayer | None], opened: asyncio.Future[LayerInfo]
) -> SampledLayer | None:
    """The sample, or None if exact answers come before it."""
    await asyncio.wait((first, opened), return_when=asyncio.FIRST_COMPLETED)
    if opened.done():
        opened.result()
        return None
    return first.result()


def _settle(future: asyncio.Future[T], value: T) -> None:
    if not future.done():
        future.set_result(value)


def _fail(build: _Build, error: BaseException) -> None:
    for future in (build.first, build.opened, build.done):
        if not future.done():
            future.set_exception(error)
            future.exception()  # nobody may be waiting for it


def _nothing() -> None:
    pass
