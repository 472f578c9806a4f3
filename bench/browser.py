"""What a person waits for in Chromium: pan and wheel steps to exact pixels, frames of a pan, a change of colours.

Input goes through the browser's own input pipeline; times are the page's `performance.measure("bigviz:view")` and its
animation frames.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from playwright.sync_api import Page

from bench.report import Figure

STEPS = 100
FLAGS = [
    "--disable-gpu", "--enable-unsafe-swiftshader", "--force-color-profile=srgb", "--hide-scrollbars", "--disable-quic",
    "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip

RESTYLES = (
    ("normalisation", "how", ("linear", "log", "cbrt", "eq_hist")),
    ("colour map", "cmap", ("bmy", "kbc", "bgy", "fire")),
)

_NEXT_VIEW = """() => new Promise(resolve => {
  new PerformanceObserver((list, self) => { self.disconnect(); resolve(list.getEntries().at(-1).duration); })
    .observe({ entryTypes: ["measure"] });
})"""

_FRAMES = """n => new Promise(resolve => {
  const gaps = []; let last = performance.now();
  const tick = now => {
    gaps.push(now - last); last = now;
    gaps.length < n ? requestAnimationFrame(tick) : resolve(gaps);
  };
  requestAnimationFrame(tick);
})"""

_COUNT_MESSAGES = """() => {
  const send = WebSocket.prototype.send; window.sentMessages = 0;
  WebSocket.prototype.send = function (...a) { window.sentMessages++; return send.apply(this, a); };
}"""

_RESTYLE = """([name, value]) => new Promise(resolve => {
  const control = document.querySelector(`section[data-figure="0"] form [name="${name}"]`);
  const start = performance.now(); control.value = value; control.dispatchEvent(new Event("change", { bubbles: true }));
  requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => resolve(performance.now() - start); channel.port2.postMessage(0);
  });
})"""


def run(page: Page) -> Iterator[Figure]:
    """Yield the figures of the first figure of a page that is ready."""
    page.evaluate(_COUNT_MESSAGES)
    box = page.locator('section[data-figure="0"] [role="application"]').bounding_box()
    assert box is not None
    centre = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(*centre)
    rng = np.random.default_rng(3)
    steps = [_step(page, centre, rng) for _ in range(STEPS)]
    yield Figure("pan or wheel step from the first on, input to all visible tiles exact", "ms", steps, "p95", 60.0)
    yield Figure("the same", "ms", steps, "median")
    warm = [_step(page, centre, rng) for _ in range(STEPS)]
    yield Figure("the next steps, the page's code compiled by the browser", "ms", warm, "p95")
    yield Figure("frames of a pan over tiles already there", "ms", _pan_frames(page, centre), "p95", 20.0)
    before = page.evaluate("sentMessages")
    for what, name, choices in RESTYLES:
        times = [page.evaluate(_RESTYLE, [name, choice]) for choice in choices * 5]
        yield Figure(f"{what} change, input to pixels", "ms", times, "p95", 30.0)
    yield Figure("messages sent by those changes", "", [float(page.evaluate("sentMessages") - before)], "max", 0.0)


def _step(page: Page, centre: tuple[float, float], rng: np.random.Generator) -> float:
    """One wheel step or one drag of 120 to 320 px that settles; milliseconds that the page measured."""
    settled = page.evaluate_handle(f"() => ({{ promise: ({_NEXT_VIEW})() }})")
    if rng.random() < 0.5:
        page.mouse.wheel(0, float(rng.choice([-240, 240])))
    else:
        dx, dy = (float(d) for d in rng.integers(120, 320, 2) * rng.choice([-1, 1], 2))
        page.mouse.down()
        page.mouse.move(centre[0] + dx, centre[1] + dy)
        page.mouse.up()
        page.mouse.move(*centre)
    return float(settled.evaluate("h => h.promise"))


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
