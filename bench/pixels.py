"""From an append to the pixels of a page in Chromium: bigviz's, the Bokeh server's and Perspective's, one by one.

All show the same rows as a line, get the same rows on the same schedule, and are timed alike: from the producer's call
to the end of the first animation frame that has its rows. Each page must have shown the last row before any is timed.
The producer of a peer is in the server's process, and nothing is written; that of bigviz is a client over HTTP, whose
rows are durable before they are shown. Peers draw with their defaults, Bokeh on a canvas: its WebGL, which
Chromium emulates where there is no GPU, did not keep up.
"""

from __future__ import annotations

import socket
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from playwright.sync_api import Error, Page

from bench.growing import COLUMNS, FEW, RATE, SMALL, Y_RANGE, growing, rows_from, ticks
from bench.peers.process import Peer, PeerFailed, modules
from bench.report import Figure, Rival, statistic
from bigviz.commands.bench.browser import READY, chromium
from bigviz.common.errors import NotFound

__all__ = ["Pixels", "beside_peers", "first_shown", "into_large"]

_WARM_UP: Final = 3.0  # seconds
_LATEST_MS: Final = 30_000.0  # until a page shows the last row
_SIZE: Final = {"width": 1_000, "height": 700}
_WHAT: Final = f"append to pixels in Chromium, {RATE:g} batches a second"

# Notes the time, by the clock that appends are noted by, at the end of the frame that first has so many rows.
_DRAWN: Final = """
  window.drawn = {};
  window.drew = (rows) => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => { window.drawn[rows] ??= Date.now(); };
    channel.port2.postMessage(0);
  };
"""
_BIGVIZ: Final = f"""() => {{ {_DRAWN}
  const decoder = new TextDecoder();
  const {{ addEventListener }} = EventTarget.prototype;
  Object.defineProperty(WebSocket.prototype, "onmessage", {{
    set(handler) {{
      addEventListener.call(this, "message", (event) => {{
        handler.call(this, event);
        const view = new DataView(event.data);
        if (view.getUint8(4) !== 11) return;
        const {{ datasets }} = JSON.parse(decoder.decode(new Uint8Array(event.data, 40, view.getUint32(32, true))));
        requestAnimationFrame(() => window.drew(datasets.grown.rows));
      }});
    }},
  }});
}}"""
"""An update is drawn in the frame after it came."""

_BOKEH: Final = f"""() => {{ {_DRAWN}
  const [plot] = Bokeh.documents[0].roots();
  const view = Bokeh.index.find_one(plot);
  const {{ paint }} = view;
  view.paint = function () {{
    paint.call(this);
    window.drew(plot.renderers[0].data_source.get_column("c0").at(-1) + 1);
  }};
}}"""
"""A plot paints in an animation frame all that its source has."""

_PERSPECTIVE: Final = f"""async () => {{ {_DRAWN}
  const plugin = await document.querySelector("perspective-viewer").getPlugin();
  const {{ update }} = plugin;
  plugin.update = async function (view, ...limits) {{
    let rows = 0;
    const {{ to_columns_string: read }} = Object.getPrototypeOf(view);
    view.to_columns_string = async (...options) => {{
      const text = await read.apply(view, options);
      rows = JSON.parse(text).c0.at(-1) + 1;
      return text;
    }};
    await update.call(this, view, ...limits);
    requestAnimationFrame(() => window.drew(rows));
  }};
}}"""
"""The viewer's plugin reads its view anew for each update, and draws it at the latest in the next frame."""

_SHOWN: Final = "rows => rows in window.drawn"


@dataclass(frozen=True)
class Pixels:
    """Milliseconds from each append to its pixels, and how many appends had a frame of their own."""

    milliseconds: list[float]
    alone: int

    @property
    def delivered(self) -> str:
        count = len(self.milliseconds)
        return f"{self.alone} of {count} appends had a frame of their own, {count - self.alone} came with a later one"


@dataclass(frozen=True)
class _Server:
    """A peer's adapter, the script that watches its page, and what is true once the page is ready."""

    adapter: str
    watch: str
    ready: str


_BOKEH_READY: Final = "window.Bokeh && Bokeh.documents.length > 0 && Bokeh.documents[0].is_idle"
_PEERS: Final = {
    "Bokeh server": _Server("bokeh", _BOKEH, _BOKEH_READY),
    "Perspective": _Server("perspective", _PERSPECTIVE, "window.ready === true"),
}


def beside_peers(folder: Path, seconds: float, rows: int) -> Iterator[Figure]:
    """Into a table of so many rows, below a folder, and into those of the peers; they draw every row anew."""
    mine = _bigviz(folder / "small", rows, seconds)
    rivals = [_rival(name, server, folder / "rows.arrow", seconds, rows) for name, server in _PEERS.items()]
    what = f"{_WHAT}, into {rows:,} rows"
    yield Figure(what, "ms", mine.milliseconds, bound=150.0, delivered=mine.delivered, rivals=rivals)


def into_large(folder: Path, seconds: float, rows: int) -> Iterator[Figure]:
    """Into a table of so many rows, against a small one."""
    small = _bigviz(folder / "beside", SMALL, seconds)
    large = _bigviz(folder / "large", rows, seconds)
    yield Figure(f"{_WHAT}, into {rows:,} rows", "ms", large.milliseconds, delivered=large.delivered)
    ratio = statistic(large.milliseconds, "p95") / statistic(small.milliseconds, "p95")
    yield Figure("the same, against the p95 of the small table", "x", [ratio], "max", 1.3)


def _bigviz(folder: Path, rows: int, seconds: float) -> Pixels:
    with growing(folder, rows) as grown, chromium() as browser:
        page = browser.new_page()
        page.add_init_script(f"({_BIGVIZ})()")
        page.goto(grown.url)
        page.wait_for_selector(READY, state="attached")

        def append() -> tuple[int, float]:
            called = grown.append(FEW)
            return grown.at, called

        return _measured(page, append, seconds)


def _rival(name: str, server: _Server, path: Path, seconds: float, rows: int) -> Rival:
    """What a peer took; where it could not be had or failed, why."""
    try:
        got = _peer(server, path, seconds, rows)
    except (PeerFailed, NotFound, Error) as error:
        return Rival(name, [], counts=f"failed: {str(error).splitlines()[0]}")
    return Rival(name, got.milliseconds, got.delivered)


def _peer(server: _Server, path: Path, seconds: float, count: int) -> Pixels:
    table = rows_from(0, count)
    with pa.ipc.new_file(path, table.schema) as file:
        file.write_table(table)
    options: dict[str, Any] = {**_SIZE, "port": _free_port(), "x_range": (0, 2 * count), "y_range": Y_RANGE}
    if found := modules(server.adapter):
        options["modules"] = str(found)
    with Peer(server.adapter) as peer, chromium() as browser:
        peer.ask("load", path=str(path), columns=list(COLUMNS))
        page = browser.new_page()
        page.goto(peer.ask("start", **options)["url"])
        page.wait_for_function(server.ready)
        page.evaluate(server.watch)
        at = count

        def append() -> tuple[int, float]:
            nonlocal at
            rows = rows_from(at, FEW).to_pydict()
            at += FEW
            return at, float(peer.ask("append", rows=rows)["called"])

        return _measured(page, append, seconds)


def _measured(page: Page, append: Callable[[], tuple[int, float]], seconds: float) -> Pixels:
    """What appends took, each of which gives how many rows there are then, and when it was called.

    Nothing is timed before the page has shown the last row of a warm-up. Raises playwright's Error where a page does
    not show the last row in half a minute.
    """
    at = 0
    for _ in ticks(_WARM_UP):
        at, _ = append()
    page.wait_for_function(_SHOWN, arg=at, timeout=_LATEST_MS)
    called = dict(append() for _ in ticks(seconds))
    page.wait_for_function(_SHOWN, arg=max(called), timeout=_LATEST_MS)
    return first_shown(called, {int(rows): at for rows, at in page.evaluate("() => window.drawn").items()})


def first_shown(called: Mapping[int, float], drawn: Mapping[int, float]) -> Pixels:
    """For each append, by the number of rows after it and its time in seconds, the first frame, by its rows and its
    time in milliseconds, that has at least so many rows."""
    counts = sorted(drawn)
    earliest = list(accumulate((drawn[rows] for rows in reversed(counts)), min))[::-1]
    milliseconds = [earliest[bisect_left(counts, rows)] - 1e3 * at for rows, at in called.items()]
    return Pixels(milliseconds, sum(rows in drawn for rows in called))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
