"""`python -m bench.brush_browser`: from a pointer's move to what the brush draws in the other figures, in Chromium.

A box is drawn over points and then dragged about, a move each frame, through the browser's own input pipeline. A move
has arrived at the end of the frame in which the last of the other figures has drawn it, or a later one: the server
answers the newest step. Moves come from the browser's own clock. Server, browser and script share the machine.
"""

from __future__ import annotations

import os
import tempfile
import time
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import click
from playwright.sync_api import Page

from bench.data import arrow
from bench.places import made
from bench.report import Figure, words
from bigviz.commands.bench.browser import READY, chromium
from bigviz.commands.bench.run import serving

__all__ = ["main"]

MOVES: Final = 240
PIXELS: Final = 8
BOUND: Final = 100.0
UPDATES: Final = 20.0  # a second, at least
_LATEST_MS: Final = 600_000.0
_FRAME: Final = 1 / 60
_APP: Final = """
import bigviz as bv

table = bv.open({path!r}, name="table")
where = bv.figure(title="Where").points(table, "x", "y")
other = bv.figure(title="Other").points(table, "y", "value")
values = bv.figure(title="Values").histogram(table, "value", bins=100)
bv.link(where, other, values)
bv.document(bv.grid(where, other, values, columns=2), title="Linked")
"""
_TARGETS: Final = (1, 2)
_WATCH: Final = """() => {
  const seen = window.seen = { moves: [], sent: [], drawn: [] };
  addEventListener("pointermove", (event) => event.buttons && seen.moves.push(event.timeStamp), true);
  const { send } = WebSocket.prototype;
  WebSocket.prototype.send = function (data) {
    if (typeof data === "string" && data.includes('"op":"brush"'))
      seen.sent.push([JSON.parse(data).seq, performance.now()]);
    return send.call(this, data);
  };
  new MutationObserver((records) => {
    for (const { target } of records) {
      const { figure, brush } = target.dataset;
      const channel = new MessageChannel();
      channel.port1.onmessage = () => seen.drawn.push([Number(figure), Number(brush ?? 0), performance.now()]);
      channel.port2.postMessage(0);
    }
  }).observe(document, { subtree: true, attributes: true, attributeFilter: ["data-brush"] });
}"""
_DRAWN: Final = """numbers => {
  const { sent, drawn } = window.seen;
  const last = Math.max(...sent.map(([seq]) => seq));
  return sent.length > 0 && numbers.every((n) => drawn.some(([figure, seq]) => figure === n && seq === last));
}"""


def measured(path: Path, folder: Path, store: Path) -> tuple[float, list[float], float]:
    """Seconds until the first brush is drawn, milliseconds of each move, and updates a second."""
    app = folder / "linked.py"
    app.write_text(_APP.format(path=str(path)))
    with chromium() as browser, serving([str(app), "--store-dir", str(store)]) as url:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.add_init_script(f"({_WATCH})()")
        page.goto(url)
        page.wait_for_selector(READY, state="attached", timeout=_LATEST_MS)
        box = page.locator('section[data-figure="0"] [role="application"]').bounding_box()
        assert box is not None
        left, top = box["x"] + 0.3 * box["width"], box["y"] + 0.3 * box["height"]
        begun = time.perf_counter()
        page.mouse.move(left, top)  # the pointer enters
        page.mouse.down()
        page.mouse.move(left + 0.3 * box["width"], top + 0.35 * box["height"], steps=10)
        page.mouse.up()
        page.wait_for_function(_DRAWN, arg=list(_TARGETS), timeout=_LATEST_MS)
        first = time.perf_counter() - begun
        page.mouse.move(left + 0.15 * box["width"], top + 0.15 * box["height"])
        page.mouse.down()
        _drag(page, (left + 0.15 * box["width"], top + 0.15 * box["height"]))
        page.wait_for_function(_DRAWN, arg=list(_TARGETS), timeout=_LATEST_MS)
        return first, *_times(page.evaluate("window.seen"))


def _drag(page: Page, start: tuple[float, float]) -> None:
    """Move the pointer 8 pixels a frame, to and fro."""
    page.evaluate("for (const list of Object.values(window.seen)) list.length = 0")
    due = time.perf_counter()
    for k in range(MOVES):
        across = abs((PIXELS * k + 100) % 400 - 200) - 100
        page.mouse.move(start[0] + across, start[1] + abs(PIXELS * k % 80 - 40) - 20)
        due += _FRAME
        time.sleep(max(0.0, due - time.perf_counter()))


def _times(seen: dict[str, Any]) -> tuple[list[float], float]:
    """Milliseconds of each move, and updates a second."""
    sent = sorted(seen["sent"], key=lambda each: float(each[1]))
    whole = list(_updates(seen["drawn"]))
    numbers = [number for number, _ in whole]
    found = []
    for move in seen["moves"]:
        at = bisect_left([when for _, when in sent], move)
        if at < len(sent):
            found.append(whole[bisect_left(numbers, sent[at][0])][1] - move)
    seconds = (seen["moves"][-1] - seen["moves"][0]) / 1e3
    return found, len(whole) / seconds


def _updates(drawn: list[list[float]]) -> Iterator[tuple[float, float]]:
    """The steps that all targets have drawn, or a later one, and when they had, ascending."""
    shown = dict.fromkeys(_TARGETS, 0.0)
    before = 0.0
    for figure, step, when in sorted(drawn, key=lambda each: each[2]):
        if figure in shown:
            shown[int(figure)] = step
        least = min(shown.values())
        if least > before:
            before = least
            yield least, when


@click.command()
@click.option("--rows", default="1e8", show_default=True, help="Number of rows.")
def main(rows: str) -> None:
    """Drag a brush in Chromium, and print what it took."""
    count = int(float(rows))
    path = arrow("points", count)
    with tempfile.TemporaryDirectory(prefix="bench-brush-") as folder:
        first, moves, updates = measured(path, Path(folder), made("stores") / f"{path.stem}-brush")
    what = f"a brush at {words(count)} rows"
    click.echo(Figure(f"pointer's move to painted targets of {what}", "ms", moves, bound=BOUND))
    click.echo(f"updates a second: {updates:.1f}, at least {UPDATES:g}; load {os.getloadavg()[0]:.1f}")
    click.echo(f"first step of {what}, from the pointer's entering to pixels: {first:.2f} s")


if __name__ == "__main__":
    main()
