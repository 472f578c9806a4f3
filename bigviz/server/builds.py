"""Indexes being built: one build a layer however many wait for it, with progress, stopped when nobody waits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from bigviz.data.cancel import Cancel
from bigviz.data.errors import Busy, Cancelled

if TYPE_CHECKING:
    from bigviz.data.dataset import Dataset
    from bigviz.tiles.engine import Engine, LayerInfo
    from bigviz.tiles.layer import Layer

__all__ = ["Builds", "Listener"]

Listener = Callable[[dict[str, Any]], None]

_THREADS: Final = 2  # a build spreads over all cores by itself; the second thread lets a small one pass a large one
_SECONDS_BETWEEN: Final = 0.1


@dataclass(eq=False)
class _Build:
    dataset: Dataset
    layer: Layer
    done: asyncio.Future[LayerInfo]
    cancel: Cancel = field(default_factory=Cancel)
    waiting: int = 0
    listeners: list[Listener] = field(default_factory=list)
    began: float = field(default_factory=time.perf_counter)
    latest: dict[str, Any] | None = None


class Builds:
    """Runs `Engine.ensure` in threads of its own, so that no tile waits behind a build. Lives on the event loop."""

    def __init__(self, engine: Engine, most: int) -> None:
        self._engine = engine
        self._most = most
        self._loop = asyncio.get_running_loop()
        self._executor = ThreadPoolExecutor(_THREADS, "bigviz-build")
        self._running: dict[tuple[str, Layer], _Build] = {}

    @property
    def running(self) -> int:
        """Builds that run or wait for a thread."""
        return len(self._running)

    async def ensure(self, dataset: Dataset, layer: Layer, listener: Listener | None = None) -> LayerInfo:
        """The layer's facts, once its index is ready.

        `listener` gets `{stage, done, rows, seconds}` on the loop's thread, at most ten times a second and stage. When
        the last caller's task is cancelled, so is the build. Raises Busy when too many builds wait.
        """
        if self._engine.state(dataset, layer) == "ready":
            return await self._loop.run_in_executor(self._executor, self._engine.info, dataset, layer)
        build = self._running.get((dataset.fingerprint, layer)) or self._begin(dataset, layer)
        build.waiting += 1
        if listener is not None:
            build.listeners.append(listener)
            if build.latest is not None:
                listener(build.latest)
        try:
            return await asyncio.shield(build.done)
        finally:
            build.waiting -= 1
            if listener is not None:
                build.listeners.remove(listener)
            if not build.waiting and not build.done.done():
                build.cancel.cancel()
                self._end(build)

    def close(self) -> None:
        """Stop all builds; their waiters get Cancelled."""
        for build in list(self._running.values()):
            build.cancel.cancel()
            if not build.done.done():
                build.done.set_exception(Cancelled("the server stops"))
                build.done.exception()  # nobody may be waiting for it
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _begin(self, dataset: Dataset, layer: Layer) -> _Build:
        if len(self._running) >= self._most:
            raise Busy(f"{len(self._running)} indexes are being built already: try again when one is done.")
        build = _Build(dataset, layer, self._loop.create_future())
        self._running[dataset.fingerprint, layer] = build
        self._executor.submit(self._build, build)
        return build

    def _end(self, build: _Build) -> None:
        key = (build.dataset.fingerprint, build.layer)
        if self._running.get(key) is build:
            del self._running[key]

    def _build(self, build: _Build) -> None:
        last = ("", 0.0)

        def progress(stage: str, done: float, rows: int) -> None:
            nonlocal last
            now = time.perf_counter()
            if stage != last[0] or done >= 1 or now - last[1] >= _SECONDS_BETWEEN:
                last = (stage, now)
                report = {"stage": stage, "done": min(max(done, 0.0), 1.0), "rows": rows, "seconds": now - build.began}
                self._loop.call_soon_threadsafe(self._report, build, report)

        info, error = None, None
        try:
            build.cancel.check()
            self._engine.ensure(build.dataset, build.layer, progress, build.cancel)
            info = self._engine.info(build.dataset, build.layer)
        except BaseException as failure:  # handed to whoever waits for the build
            error = failure
        self._loop.call_soon_threadsafe(self._finish, build, info, error)

    def _report(self, build: _Build, report: dict[str, Any]) -> None:
        build.latest = report
        for listener in list(build.listeners):
            listener(report)

    def _finish(self, build: _Build, info: LayerInfo | None, error: BaseException | None) -> None:
        self._end(build)
        if build.done.done():
            return
        if info is not None:
            build.done.set_result(info)
        elif error is not None:
            build.done.set_exception(error)
            build.done.exception()  # nobody may be waiting for it
