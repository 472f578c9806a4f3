"""What a person waits for in Chromium: pan and wheel steps to exact pixels, frames of a pan, a change of colours.

Input goes through the browser's own input pipeline; times are the page's `performance.measure("bigviz:view")` and its
animation frames. HoloViews' page is driven by the same wheel: from the input event to the frame after its new image.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, Page

from bench import data, stores
from bench.peers.process import Peer, PeerFailed
from bench.places import LARGE
from bench.report import Figure, Rival, words
from bigviz.commands.bench.browser import Steps, chromium, open_page
from bigviz.commands.bench.run import serving
from bigviz.commands.bench.window import HEIGHT, WIDTH

STEPS: Final = 100
PEER_STEPS: Final = 15
BOUND: Final = 60.0

RESTYLES: Final = (
    ("normalisation", "how", ("linear", "log", "cbrt", "eq_hist")),
    ("colour map", "cmap", ("bmy", "kbc", "bgy", "fire")),
)

_FRAMES: Final = """n => new Promise(resolve => {
  const gaps = []; let last = performance.now();
  const tick = now => {
    gaps.push(now - last); last = now;
    gaps.length < n ? requestAnimationFrame(tick) : resolve(gaps);
  };
  requestAnimationFrame(tick);
})"""

_COUNT_MESSAGES: Final = """() => {
  const send = WebSocket.prototype.send; window.sentMessages = 0;
  WebSocket.prototype.send = function (...a) { window.sentMessages++; return send.apply(this, a); };
}"""

_RESTYLE: Final = """([name, value]) => new Promise(resolve => {
  const control = document.querySelector(`section[data-figure="0"] form [name="${name}"]`);
  const start = performance.now(); control.value = value; control.dispatchEvent(new Event("change", { bubbles: true }));
  requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => resolve(performance.now() - start); channel.port2.postMessage(0);
  });
})"""

# The data source of the page's image; a wheel step has arrived when the frame after its next change begins.
_NEXT_IMAGE: Final = """() => new Promise(resolve => {
  const models = [...Bokeh.documents[0]._all_models.values()];
  const image = models.find(m => m.type === "GlyphRenderer" && m.glyph.type.startsWith("Image"));
  const source = image.data_source; let input = 0;
  addEventListener("wheel", event => { input = event.timeStamp; }, { capture: true, once: true });
  const changed = () => {
    source.properties.data.change.disconnect(changed);
    requestAnimationFrame(() => requestAnimationFrame(now => resolve(now - input)));
  };
  source.properties.data.change.connect(changed);
})"""


def run(rows: int) -> Iterator[Figure]:
    """Steps at this number of rows; at 10^7 also frames and changes of style, which do not depend on it."""
    kind = data.arrow if rows > LARGE else data.parquet
    path = kind("points", rows)
    store = stores.of(data.arrow("points", rows)) if kind is data.arrow else None
    with chromium() as browser:
        with serving([str(path), "--x=x", "--y=y", *([f"--store-dir={store}"] if store else [])]) as url:
            page = open_page(browser, url)
            page.evaluate(_COUNT_MESSAGES)
            step = Steps(page)
            first, warm = ([step() for _ in range(STEPS)] for _ in range(2))
            style = list(_styles(page, step.centre)) if rows == 10**7 else []
            page.close()
        rivals = [] if rows > LARGE else [_holoviews(browser, data.arrow("points", rows))]
    what = f"pan or wheel step at {words(rows)} rows, input to all tiles exact"
    yield Figure(what, "ms", first, "p95", BOUND, "1024 x 768 page", "exact", rivals)
    yield Figure(f"{what}: the next {STEPS}, the page's code compiled by the browser", "ms", warm)
    yield from style


def _styles(page: Page, centre: tuple[float, float]) -> Iterator[Figure]:
    yield Figure("frames of a pan over tiles already there", "ms", _pan_frames(page, centre), "p95", 20.0)
    before = page.evaluate("sentMessages")
    for what, name, choices in RESTYLES:
        times = [page.evaluate(_RESTYLE, [name, choice]) for choice in choices * 5]
        yield Figure(f"{what} change, input to pixels", "ms", times, "p95", 30.0)
    yield Figure("messages sent by those changes", "", [float(page.evaluate("sentMessages") - before)], "max", 0.0)


def _pan_frames(page: Page, centre: tuple[float, float]) -> list[float]:
    """Gaps between animation frames while the pointer drags back and forth over an area that is loaded."""
    page.mouse.down()
    for _ in range(2):  # the first sweep loads the tiles
        page.mouse.move(centre[0] - 100, centre[1] - 60, steps=20)
        page.mouse.move(*centre, steps=20)
    gaps = page.evaluate_handle(f"() => ({{ promise: ({_FRAMES})(120) }})")
    for _ in range(3):
        page.mouse.move(centre[0] - 100, centre[1] - 60, steps=30)
        page.mouse.move(*centre, steps=30)
    page.mouse.up()
    return [float(gap) for gap in gaps.evaluate("h => h.promise")[2:]]


def _holoviews(browser: Browser, path: Path) -> Rival:
    """Wheel steps on a Panel server's page; what its websocket brings for a step is stated with it."""
    name = "HoloViews on Panel (wheel only)"
    received: list[int] = []
    try:
        with Peer("holoviews") as peer:
            peer.ask("load", path=str(path), columns=["x", "y"])
            url = peer.ask("start", port=_free_port(), width=WIDTH, height=HEIGHT)["url"]
            page = browser.new_page(viewport={"width": WIDTH + 200, "height": HEIGHT + 200})
            page.on("websocket", lambda socket: socket.on("framereceived", lambda data: received.append(len(data))))
            page.goto(url)
            canvas = page.locator(".bk-Figure").first
            canvas.wait_for(timeout=60_000)
            page.wait_for_timeout(2_000)
            box = canvas.bounding_box()
            assert box is not None
            page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
            received.clear()
            steps = [_image(page, -120 if k % 4 < 2 else 120) for k in range(PEER_STEPS)]
            page.close()
            return Rival(name, steps[1:], f"{sum(received) / len(steps) / 1e6:.2g} MB a step", "not compared")
    except (PeerFailed, TimeoutError) as error:
        return Rival(name, [], counts=f"failed: {error}")


def _image(page: Page, wheel: int) -> float:
    changed = page.evaluate_handle(f"() => ({{ promise: ({_NEXT_IMAGE})() }})")
    page.mouse.wheel(0, wheel)
    took = float(changed.evaluate("h => h.promise"))
    page.wait_for_timeout(500)
    return took


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
