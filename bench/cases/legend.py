"""A category is hidden by its entry in the legend: what the server does for it, and how long until it is drawn."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bench import data, stores
from bench.report import Figure, words
from bigviz.commands.bench.browser import chromium, open_page
from bigviz.commands.bench.run import serving

AGG: Final = "by(kind)"
PRESSES: Final = 24
BOUND: Final = 16.0  # ms of the server at 10^8 rows
_TICKS: Final = 1e3 / 100  # ms of a tick of /proc

_WATCH: Final = """() => {
  const send = WebSocket.prototype.send, fetched = window.fetch; window.asked = 0;
  WebSocket.prototype.send = function (...a) { window.asked++; return send.apply(this, a); };
  window.fetch = function (...a) { window.asked++; return fetched.apply(this, a); };
}"""
_PRESS: Final = """at => new Promise(resolve => {
  const entries = document.querySelectorAll('.legend-entries[data-of="categories"] button[data-code]');
  const start = performance.now(); entries[at % entries.length].click();
  requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => resolve(performance.now() - start); channel.port2.postMessage(0);
  });
})"""


def run(rows: int) -> Iterator[Figure]:
    """Entries of the legend pressed one after the other, over the view of all rows."""
    path = data.arrow("points", rows)
    store = stores.of(path, stores.COLUMNS, [AGG])
    pids: list[int] = []
    options = [str(path), "--x=x", "--y=y", f"--agg={AGG}", *([f"--store-dir={store}"] if store else [])]
    with chromium() as browser, serving(options, pids.append) as url:
        page = open_page(browser, url)
        page.wait_for_selector('.legend-entries[data-of="categories"] button[data-code]')
        page.evaluate(_PRESS, 0)
        page.evaluate(_PRESS, 0)
        page.evaluate(_WATCH)
        before = _ticks(pids[0])
        times = [float(page.evaluate(_PRESS, at)) for at in range(PRESSES)]
        spent = (_ticks(pids[0]) - before) * _TICKS / PRESSES
        asked = float(page.evaluate("asked"))
        page.close()
    what = f"hide a category of {words(rows)} rows"
    yield Figure(f"{what}: server's processor time each", "ms", [spent], "max", BOUND if rows <= 10**8 else None)
    yield Figure(f"{what}: requests and messages, so rows read", "", [asked], "max", 0.0)
    yield Figure(f"{what}: input to pixels", "ms", times)


def _ticks(pid: int) -> int:
    """Processor time of a process so far, in ticks."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
