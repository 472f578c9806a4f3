"""Views of scanned layers: all that a view lacks is one job, with progress for everybody who waits for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any, Final

from bigviz.server.jobs import window_jobs
from bigviz.server.jobs.encoded import Prepared, tile_message
from bigviz.server.jobs.wanted import TileWant, Wanted, WindowWant
from bigviz.tiles.interface import TileKey

if TYPE_CHECKING:
    from bigviz.aggregate.layer import Layer
    from bigviz.common.cancel import Cancel
    from bigviz.data.dataset import Dataset
    from bigviz.tiles.interface import Engine

__all__ = ["Answers", "Scans"]

Listener = Callable[[dict[str, Any]], None]
Answers = dict[Wanted, Prepared | None]  # of a window None where its tiles are the answer

_SECONDS_BETWEEN: Final = 0.1


class Scans:
    """Makes the jobs of views of scanned layers. Lives on the event loop; its jobs run in the runner's threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._loop = asyncio.get_running_loop()
        self._listeners: dict[Hashable, list[Listener]] = {}

    def job(
        self, dataset: Dataset, layer: Layer, wants: Sequence[Wanted]
    ) -> tuple[Hashable, Callable[[Cancel], Answers]]:
        """The job of what a view lacks: its tiles, and its window if that is among the wants."""
        tiles = [want for want in wants if isinstance(want, TileWant)]
        window = next((want for want in wants if isinstance(want, WindowWant)), None)
        ends = None if window is None else window_jobs.ends_of(dataset, layer, window)
        size = None if window is None else (window.width, window.height)
        key = (dataset.fingerprint, dataset.version, layer, ("scan", frozenset(tiles), ends, size))

        def call(cancel: Cancel) -> Answers:
            keys = [TileKey(*want.place) for want in tiles]
            found = self._engine.scan(dataset, layer, keys, ends, self._teller(key), cancel)
            answers: Answers = {}
            if window is not None and ends is not None:
                rows = window_jobs.answer(self._engine, dataset, layer, *ends, (window.width, window.height), cancel)
                answers[window] = None if rows is None else Prepared(*rows)
            for want, tile in zip(tiles, found, strict=True):
                answers[want] = tile_message(tile)
            return answers

        return key, call

    def listen(self, key: Hashable, listener: Listener) -> Callable[[], None]:
        """Report the progress of a job, as `{stage, done, rows, seconds}`, until the returned function is called."""
        self._listeners.setdefault(key, []).append(listener)

        def leave() -> None:
            known = self._listeners.get(key, [])
            if listener in known:
                known.remove(listener)
            if not known:
                self._listeners.pop(key, None)

        return leave

    def _teller(self, key: Hashable) -> Callable[[str, float, int], None]:
        began = time.perf_counter()
        last = began  # a job that ends at once needs no report

        def tell(stage: str, done: float, rows: int) -> None:
            nonlocal last
            now = time.perf_counter()
            if now - last >= _SECONDS_BETWEEN:
                last = now
                report = {"stage": stage, "done": min(max(done, 0.0), 1.0), "rows": rows, "seconds": now - began}
                self._loop.call_soon_threadsafe(self._report, key, report)

        return tell

    def _report(self, key: Hashable, report: dict[str, Any]) -> None:
        for listener in list(self._listeners.get(key, [])):
            listener(report)
