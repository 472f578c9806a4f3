"""`python -m bench.brush_browser`: from a pointer's move to what the brush draws in the other figures, in Chromium.

A box is drawn over points and, once all that it shows is exact and the server has nothing left to compile, dragged
about, a move each frame, through the browser's own input pipeline. A move has arrived at the end of the frame in which
the last of the other figures has drawn it, or a later one: the server answers the newest step. Moves come from the
browser's own clock. Server, browser and script share the machine. Where the time goes is told with it:
`bench/brush_stages.py`.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from pathlib import Path
from typing import Final

import click

from bench.brush_stages import WATCH, Drag, drag_of
from bench.data import arrow
from bench.devtools import Tab, opened_tab
from bench.places import made
from bench.processes import spent_since, times_of
from bench.report import Figure, words
from bigviz.commands.bench.browser import READY
from bigviz.commands.bench.run import serving

__all__ = ["main"]

MOVES: Final = 240
PIXELS: Final = 8
BOUND: Final = 100.0
UPDATES: Final = 20.0  # a second, at least
_WARM_UP: Final = 60  # moves that are not counted: kernels of rows at the edges of a brush are compiled in them
_LATEST: Final = 600.0  # seconds
_LOOK: Final = 0.5
_IDLE: Final = 0.04  # of a core
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
_DRAWN: Final = """((numbers, isExact) => {
  const { sent, drawn, done } = window.seen;
  const last = Math.max(...sent.map(([, seq]) => seq));
  const isThere = (n) => drawn.some(([figure, seq]) => figure === n && seq === last);
  return sent.length > 0 && numbers.every(isThere) && (!isExact || done.some((end) => end.brush === last && end.exact));
})(%s, %s)"""
_READY: Final = f"document.querySelector({READY!r}) !== null"
_SURFACE: Final = """(() => {
  const { x, y, width, height } = document.querySelector(
    'section[data-figure="0"] [role="application"]').getBoundingClientRect();
  return [x, y, width, height];
})()"""


async def measured(path: Path, folder: Path, store: Path) -> tuple[float, float, Drag, dict[str, float]]:
    """Seconds until the first brush is drawn and until it is exact, the drag, and seconds of processor time in it."""
    app = folder / "linked.py"
    app.write_text(_APP.format(path=str(path)))
    with serving([str(app), "--store-dir", str(store)]) as url:
        async with opened_tab(1280, 900) as tab:
            await tab.call("Page.addScriptToEvaluateOnNewDocument", source=f"({WATCH})()")
            await tab.call("Page.navigate", url=url)
            await tab.until(_READY, _LATEST)
            left, top, width, height = await tab.evaluate(_SURFACE)
            begun = time.perf_counter()
            await tab.mouse("mouseMoved", left + 0.3 * width, top + 0.3 * height, held=False)  # the pointer enters
            await tab.mouse("mousePressed", left + 0.3 * width, top + 0.3 * height, held=True)
            for step in range(1, 11):
                across, down = (0.3 + 0.03 * step) * width, (0.3 + 0.035 * step) * height
                await tab.mouse("mouseMoved", left + across, top + down, held=True)
            await tab.mouse("mouseReleased", left + 0.6 * width, top + 0.65 * height, held=False)
            await _until_drawn(tab, is_exact=False)
            first = time.perf_counter() - begun
            await _until_drawn(tab, is_exact=True)
            exact = time.perf_counter() - begun
            middle = left + 0.45 * width, top + 0.45 * height
            await tab.mouse("mouseMoved", *middle, held=False)
            await tab.mouse("mousePressed", *middle, held=True)
            await _drag(tab, middle, _WARM_UP)
            await _until_drawn(tab, is_exact=True)
            await _until_idle()
            before = times_of(os.getpid())
            await _drag(tab, middle, MOVES)
            spent = spent_since(before, os.getpid())
            await _until_drawn(tab, is_exact=False)
            return first, exact, drag_of(await tab.evaluate("window.seen"), _TARGETS), spent


async def _until_drawn(tab: Tab, is_exact: bool) -> None:
    """Wait until the newest step is drawn in all targets."""
    await tab.until(_DRAWN % (list(_TARGETS), "true" if is_exact else "false"), _LATEST)


async def _until_idle() -> None:
    """Wait until the server has compiled and rehearsed its kernels: it does so once a page is shown."""
    while True:
        before = times_of(os.getpid())
        await asyncio.sleep(_LOOK)
        if spent_since(before, os.getpid())["server"] <= _IDLE * _LOOK:
            return


async def _drag(tab: Tab, start: tuple[float, float], moves: int) -> None:
    """Move the pointer 8 pixels a frame, to and fro."""
    await tab.evaluate("for (const list of Object.values(window.seen)) list.length = 0")
    due = time.perf_counter()
    for k in range(moves):
        across = abs((PIXELS * k + 100) % 400 - 200) - 100
        down = abs(PIXELS * k % 80 - 40) - 20
        await tab.mouse("mouseMoved", start[0] + across, start[1] + down, held=True)
        due += _FRAME
        await asyncio.sleep(max(0.0, due - time.perf_counter()))


@click.command()
@click.option("--rows", default="1e8", show_default=True, help="Number of rows.")
def main(rows: str) -> None:
    """Drag a brush in Chromium, and print what it took."""
    count = int(float(rows))
    path = arrow("points", count)
    with tempfile.TemporaryDirectory(prefix="bench-brush-") as folder:
        first, exact, drag, spent = asyncio.run(measured(path, Path(folder), made("stores") / f"{path.stem}-brush"))
    what = f"a brush at {words(count)} rows"
    click.echo(Figure(f"pointer's move to painted targets of {what}", "ms", drag.moves, bound=BOUND))
    click.echo(f"updates a second: {drag.updates:.1f}, at least {UPDATES:g}; load {os.getloadavg()[0]:.1f}")
    for stage, samples in drag.stages.items():
        click.echo(f"  of which {Figure(stage, 'ms', samples)}")
    each = ", ".join(f"{name} {1e3 * seconds / drag.steps:.0f}" for name, seconds in _largest(spent))
    click.echo(f"processor time of each of {drag.steps} updates, ms: {each}; {drag.estimates} were estimates")
    click.echo(f"first step of {what}, from the pointer's entering to pixels: {first:.2f} s, exact after {exact:.2f} s")


def _largest(spent: dict[str, float]) -> list[tuple[str, float]]:
    """Those that took any time, the largest first."""
    return sorted(((name, seconds) for name, seconds in spent.items() if seconds > 0), key=lambda each: -each[1])


if __name__ == "__main__":
    main()
