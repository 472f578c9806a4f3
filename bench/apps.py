"""`python -m bench.apps`: from a control's change over an app's callback to what the page gets of it, with many pages.

The app runs under `bigviz serve` in processes of their own. Each page changes its slider at a steady rate. The callback
asks the server for the mean of what a filter keeps and sets another reduction of the layer; the page then asks for the
tiles of its view. Pages share the machine with the server.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import click
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from bench import machine, report
from bench.places import RESULTS
from bench.report import Figure
from bench.serving import serving
from bigviz.wire.frames import Reassembler, Type, parse, read_json

KEPT: Final = RESULTS / "results.json"
BOUND: Final = 150.0
APP: Final = """
import bigviz as bv
trips = bv.open({path!r}, name="trips")
number = bv.slider("number", 0, 1_000_000, 1)
plot = bv.figure(title="Trips").points(trips, "x", "y")

@number.on_change
def changed(session, value):
    session.set(plot, title=str(value))
    session.set(plot.layers[0], agg=("count", "mean(fare)")[value % 2])

bv.serve(bv.row(plot, number))
"""
TILES: Final = [[3, 3, i, j] for i in range(2, 6) for j in range(3, 6)]


class Page:
    """A page without a browser: it measures, in ms, until the push has come and until its tiles have."""

    def __init__(self, socket: WebSocketClientConnection) -> None:
        self._socket = socket
        self._parts = Reassembler()
        self._id = 0
        self.pushed: list[float] = []
        self.drawn: list[float] = []

    async def take(self) -> tuple[int, int, Any]:
        """The type, the request and the JSON of the next message."""
        while True:
            data = await self._socket.read_message()
            assert isinstance(data, bytes), "the server has closed the connection"
            frames = self._parts.add(parse(data))
            if frames is not None:
                of_json = frames[0].type in (Type.HELLO, Type.SESSION, Type.DONE, Type.ERROR, Type.LAYER)
                return frames[0].type, frames[0].request, read_json(frames)[0] if of_json else None

    def say(self, **message: Any) -> int:
        self._id += 1
        self._socket.write_message(json.dumps({"id": self._id, **message}))
        return self._id

    async def change(self, value: int) -> None:
        """One change of the slider, and what comes of it."""
        began = time.perf_counter()
        self.say(op="control", control="number", value=value)
        while True:
            kind, _, found = await self.take()
            assert kind != Type.ERROR, found
            if kind == Type.SESSION and "layers" in found.get("set", {}):
                break
        self.pushed.append(1e3 * (time.perf_counter() - began))
        definition = {"dataset": "trips", "glyph": "points", "x": "x", "y": "y", **found["set"]["layers"]["f0-0"]}
        wanted = [{"layer": 0, "definition": definition, "tiles": TILES}]
        asked = self.say(op="view", figure=0, layers=wanted)
        while (await self.take())[:2] != (Type.DONE, asked):
            pass
        self.drawn.append(1e3 * (time.perf_counter() - began))


async def _measured(url: str, pages: int, rate: float, seconds: float) -> list[Page]:
    parts = urlsplit(url)
    headers = {"Origin": f"{parts.scheme}://{parts.netloc}"}
    found = [
        Page(await websocket_connect(HTTPRequest(url.replace("http", "ws", 1) + "ws", headers=headers)))
        for _ in range(pages)
    ]
    for page in found:
        while (await page.take())[0] != Type.HELLO:
            pass
    await found[0].change(1)  # both reductions have their pyramid
    await found[0].change(2)
    found[0].pushed.clear()
    found[0].drawn.clear()
    end = time.monotonic() + seconds

    async def drive(page: Page, at: int) -> None:
        due, value = time.monotonic() + at / pages / rate, 10 * at
        while due < end:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            value += 1
            await page.change(value)
            due += 1 / rate

    await asyncio.gather(*(drive(page, at) for at, page in enumerate(found)))
    return found


def run(folder: Path, rows: int, pages: int, rate: float, seconds: float) -> list[Figure]:
    """Both figures."""
    rng = np.random.default_rng(1)
    columns = {name: rng.normal(size=rows).astype(np.float32) for name in ("x", "y", "fare")}
    pq.write_table(pa.table(columns), folder / "trips.parquet")
    (folder / "app.py").write_text(APP.format(path=str(folder / "trips.parquet")))
    with serving("app.py", event="built", cwd=folder) as url:
        found = asyncio.run(_measured(url, pages, rate, seconds))
    pushed, drawn = ([each for page in found for each in getattr(page, name)] for name in ("pushed", "drawn"))
    what = f"{pages} pages, each {rate:g} changes a second, {rows:.0e} rows: from a control's change"
    return [
        Figure(f"{what} over the callback to its push", "ms", pushed, "p95", BOUND, counts=f"{len(pushed)} changes"),
        Figure(f"{what} to the {len(TILES)} tiles of another reduction", "ms", drawn, "p95", BOUND),
    ]


@click.command()
@click.option("--rows", default=10**7, show_default=True, help="Rows of the table.")
@click.option("--pages", default=50, show_default=True, help="Pages that are open.")
@click.option("--rate", default=2.0, show_default=True, help="Changes a second of each.")
@click.option("--seconds", default=20.0, show_default=True, help="How long.")
@click.option(
    "--results", default=KEPT, show_default=True, type=click.Path(path_type=Path), help="Where they are kept."
)
def main(rows: int, pages: int, rate: float, seconds: float, results: Path) -> None:
    """Measure apps on this machine, and keep the figures; `python -m bench --write` prints them into docs/."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        figures = run(Path(folder), rows, pages, rate, seconds)
    for each in figures:
        click.echo(str(each), err=True)
    taken = {
        "date": date.today().isoformat(), "machine": machine.describe(), "seconds": round(time.perf_counter() - began)
    }  # fmt: skip
    report.keep(results, "apps", taken, figures)


if __name__ == "__main__":
    main()
