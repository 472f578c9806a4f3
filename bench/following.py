"""What viewers wait for while rows are appended: in Chromium, in a crowd, beside others who read nothing, while a view
is moved. Each case starts a server of its own."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from bench.followers import Came, followers
from bench.load.crowd import crowd, job_of
from bench.load.machine import Process
from bench.report import Figure, statistic
from bigviz.client.connect import connect
from bigviz.client.streams import Stream
from bigviz.commands.bench.browser import READY, chromium
from bigviz.commands.bench.run import serving
from bigviz.document.figure import figure

__all__ = ["following"]

_COLUMNS: Final = {f"c{number}": "float64" for number in range(5)}
_BATCH: Final = 10_000  # rows, of the first rows and of sustained appends
_FEW: Final = 100  # rows of an append that viewers follow
_RATE: Final = 10.0  # appends a second
_WIDTH: Final = 1_000
_MB: Final = 1e6
_VIEWS: Final = 10.0  # a second, of the viewer who pans
_SMALL: Final = 100_000
_WARM_UP: Final = 3.0  # seconds

_WATCH: Final = """() => {
  window.drawn = {};
  const decoder = new TextDecoder();
  const { addEventListener } = EventTarget.prototype;
  Object.defineProperty(WebSocket.prototype, "onmessage", {
    set(handler) {
      addEventListener.call(this, "message", (event) => {
        handler.call(this, event);
        const view = new DataView(event.data);
        if (view.getUint8(4) !== 11) return;
        const { datasets } = JSON.parse(decoder.decode(new Uint8Array(event.data, 40, view.getUint32(32, true))));
        const note = () => {
          for (const { version } of Object.values(datasets)) window.drawn[version] = Date.now();
        };
        requestAnimationFrame(() => {
          const channel = new MessageChannel();
          channel.port1.onmessage = note;
          channel.port2.postMessage(0);
        });
      });
    },
  });
}"""
"""Notes when the frame after the update of each version is done, by the clock that appends are noted by."""


@dataclass
class Grown:
    """A server over one dataset that grows: its page, its stream, and how far x has come."""

    url: str
    stream: Stream
    process: Process
    rows: int
    at: int

    @property
    def line(self) -> dict[str, Any]:
        """What a viewer of the whole range of x has of the line."""
        kinds = {"agg": "any", "xaxis": "linear", "yaxis": "linear", "root": "default"}
        definition = {"dataset": "grown", "glyph": "line", "x": "c0", "y": "c1", **kinds}
        return {"layer": 0, "definition": definition, "columns": {"x0": 0.0, "x1": 2.0 * self.rows, "width": _WIDTH}}

    def append(self, count: int) -> int:
        """Append rows whose first column ascends: the version."""
        table = _rows(self.at, count)
        self.at += count
        return int(self.stream.append(table)["version"])


def following(folder: Path, seconds: float, large: int, viewers: int = 200, stopped: int = 10) -> Iterator[Figure]:
    """The figures, with libraries below a folder; `large` is the number of rows of the large table."""
    small = _pixels(folder / "small", _SMALL, seconds)
    what = f"append to pixels in Chromium, {_RATE:g} batches a second"
    yield Figure(what, "ms", small, bound=150.0, delivered=f"{len(small)} updates drawn")
    many = _pixels(folder / "large", large, seconds)
    ratio = statistic(many, "p95") / statistic(small, "p95")
    yield Figure(f"{what}, into {large:,} rows", "ms", many, delivered=f"{len(many)} updates drawn")
    yield Figure("the same, against the p95 of the small table", "x", [ratio], "max", 1.3)
    yield _crowd(folder / "crowd", seconds, viewers)
    yield from _stopped(folder / "stopped", seconds, stopped)
    yield from _panning(folder / "panning", seconds)


def _pixels(folder: Path, rows: int, seconds: float) -> list[float]:
    """Milliseconds from the call of an append to the frame that shows it; of versions that were skipped none."""
    with _grown(folder, rows) as grown, chromium() as browser:
        page = browser.new_page()
        page.add_init_script(f"({_WATCH})()")
        page.goto(grown.url)
        page.wait_for_selector(READY, state="attached")
        for _ in _ticks(_WARM_UP):
            grown.append(_FEW)
        called = {}
        for _ in _ticks(seconds):
            now = time.time()
            called[str(grown.append(_FEW))] = now
        page.wait_for_timeout(1_000)
        drawn = page.evaluate("() => window.drawn")
        return [drawn[version] - 1e3 * at for version, at in called.items() if version in drawn]


def _crowd(folder: Path, seconds: float, viewers: int) -> Figure:
    """Viewers of one line."""
    with _grown(folder, _SMALL) as grown:
        came, appends = _followed(grown, seconds, viewers)
    share = 100 * min(came.updates) / appends
    what = f"{viewers} viewers of one line, {_RATE:g} updates a second, from the append to its update"
    size = came.nbytes / max(1, sum(came.updates)) / 1e3
    return Figure(what, "ms", came.milliseconds, "p99", 300.0, f"{size:.1f} kB an update", f"each got {share:.0f} %")


def _stopped(folder: Path, seconds: float, stopped: int) -> Iterator[Figure]:
    """A hundred viewers, some of whom read nothing."""
    taken = []
    for number in (0, stopped):
        with _grown(folder / str(number), _SMALL) as grown:
            before = grown.process.memory()
            came, _ = _followed(grown, seconds, 100 - number, number)
            taken.append((statistic(came.milliseconds, "p99"), (grown.process.memory() - before) / _MB))
    (alone, held), (beside, more) = taken
    what = f"{stopped} of 100 viewers read nothing: p99 of the others against that without them"
    yield Figure(what, "x", [beside / alone], "max", 1.1, counts=f"{beside:.0f} ms, {alone:.0f} ms")
    yield Figure("memory of the server meanwhile, more than without them", "MB", [more - held], "max", 50.0)


def _panning(folder: Path, seconds: float) -> Iterator[Figure]:
    """Sustained appends, and one viewer who moves a view of the rows that were there first."""
    with _grown(folder, 1_000_000) as grown:
        definition = grown.line["definition"]
        starts = np.linspace(0, grown.rows / 2, 1_000)
        views = [
            {"layer": 0, "definition": definition, "columns": {"x0": x0, "x1": x0 + grown.rows / 2, "width": _WIDTH}}
            for x0 in starts.tolist()
        ]
        texts = [json.dumps({"op": "view", "figure": 0, "layers": [each]}) for each in views]
        job = job_of("views", grown.url, 1, _VIEWS, seconds=seconds, messages=[texts])
        stop = threading.Event()

        def write() -> None:
            while not stop.is_set():
                grown.append(_BATCH)

        with crowd(replace(job, path=f"{job.path}?follow=1")) as viewing:
            writer, began = threading.Thread(target=write), time.perf_counter()
            writer.start()
            came = viewing.work()
            stop.set()
            writer.join()
            rate = (grown.at - grown.rows) / (time.perf_counter() - began)
    what = f"sustained append, {_BATCH:,} rows of 5 float64 at a time, fsync, while one viewer pans"
    yield Figure(what, "rows/s", [rate], "p50", counts="at least 500,000 are promised")
    yield Figure("a view of the viewer who pans meanwhile", "ms", came.milliseconds, bound=100.0)


def _followed(grown: Grown, seconds: float, viewers: int, stopped: int = 0) -> tuple[Came, int]:
    """What came to viewers of the line, and how many appends there were."""
    appends = 1
    with followers(grown.url, "grown", grown.line, viewers, stopped) as watched:
        grown.append(_FEW)
        time.sleep(1.0)
        for _ in _ticks(seconds):
            grown.append(_FEW)
            appends += 1
        time.sleep(1.0)
    return watched.came, appends


def _ticks(seconds: float) -> Iterator[None]:
    """At even distances, as many a second as there are appends."""
    began = time.perf_counter()
    for number in range(round(seconds * _RATE)):
        time.sleep(max(0.0, began + number / _RATE - time.perf_counter()))
        yield


@contextmanager
def _grown(folder: Path, rows: int) -> Iterator[Grown]:
    """A server with so many rows and a page of a line over twice their range, which has been looked at once."""
    folder.mkdir(parents=True)
    started: list[int] = []
    note: Callable[[int], None] = started.append
    with serving(["--library", str(folder / "library")], note) as url:
        server = connect(url)
        stream = server.stream("grown", _COLUMNS)
        for first in range(0, rows, _BATCH):
            stream.append(_rows(first, min(_BATCH, rows - first)))
        drawn = figure(x_range=(0, 2 * rows), y_range=(-2, 2)).line("grown", x="c0", y="c1")
        server.publish("page", drawn)
        yield Grown(f"{url.rstrip('/')}/page/", stream, Process(started[0], url), rows, rows)


def _rows(first: int, count: int) -> pa.Table:
    x = np.arange(first, first + count, dtype=float)
    return pa.table({"c0": x, **{f"c{number}": np.sin(x / 10**number) for number in range(1, 5)}})
