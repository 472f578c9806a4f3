"""Steps in a real Chromium: wheel and drag through the browser's own input, timed by the page itself.

Needs the `playwright` package (`pip install 'bigviz[browser]'`) and a Chromium. Blocks; not for an event loop's thread.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import numpy as np

from bigviz.commands.bench.window import HEIGHT, WIDTH
from bigviz.common.errors import NotFound

try:
    from playwright.sync_api import Browser, Error, Page, sync_playwright

    INSTALLED = True
except ImportError:  # an optional extra: without it nothing is measured in a browser
    INSTALLED = False

__all__ = ["FLAGS", "INSTALLED", "NAMES", "READY", "Steps", "chromium", "open_page"]

FLAGS: Final = (
    "--disable-gpu", "--enable-unsafe-swiftshader", "--force-color-profile=srgb", "--hide-scrollbars", "--disable-quic",
    "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
READY: Final = 'html[data-ready="1"]'
NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FIRST_MS: Final = 600_000.0  # until a page is exact, its index being built
_STEP_MS: Final = 60_000.0
_WHEEL: Final = 240
_HOME_EVERY: Final = 20  # steps
_EXACT: Final = 'section[data-figure="0"][data-exact="1"]'
_NEXT_FRAME: Final = "() => new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve)))"
_NEXT_VIEW: Final = """most => new Promise((resolve, reject) => {
  const late = setTimeout(() => reject(new Error(`no exact view within ${most} ms`)), most);
  new PerformanceObserver((list, self) => {
    self.disconnect(); clearTimeout(late); resolve(list.getEntries().at(-1).duration);
  }).observe({ entryTypes: ["measure"] });
})"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium: the system's, else playwright's own. NotFound, saying what to install, without either."""
    if not INSTALLED:
        raise NotFound("playwright is not installed: pip install 'bigviz[browser]'.")
    with sync_playwright() as playwright:
        path = next((found for name in NAMES if (found := shutil.which(name))), None)
        try:
            browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        except Error as error:
            raise NotFound(f"no Chromium could be started: {error.message.splitlines()[0]}") from error
        try:
            yield browser
        finally:
            browser.close()


def open_page(browser: Browser, url: str) -> Page:
    """The page at `url`, once all its figures are exact."""
    page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
    page.goto(url)
    page.wait_for_selector(READY, state="attached", timeout=_FIRST_MS)
    return page


class Steps:
    """Wheel steps and drags over a page's first figure, seeded; calling it takes one and returns its ms.

    A drag goes 120 to 320 px both ways; the wheel zooms about the middle, in and out alike, and not out of the whole
    range. Every 20 steps a double click, which is not timed, leads back to the whole range, so that the data is not
    lost from sight. A time is the page's own: from the input event to the frame with the last exact part.
    """

    def __init__(self, page: Page, seed: int = 3) -> None:
        self._page = page
        self._random = np.random.default_rng(seed)
        self._taken = self._depth = 0
        box = page.locator('section[data-figure="0"] [role="application"]').bounding_box()
        if box is None:
            raise NotFound("the page shows no figure")
        self.centre = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(*self.centre)

    def __call__(self) -> float:
        if self._taken and self._taken % _HOME_EVERY == 0:
            self._home()
        self._taken += 1
        settled = self._page.evaluate_handle(f"most => ({{ promise: ({_NEXT_VIEW})(most) }})", _STEP_MS)
        if self._random.random() < 0.5:
            self._zoom()
        else:
            self._drag()
        return float(settled.evaluate("h => h.promise"))

    def _home(self) -> None:
        self._page.mouse.dblclick(*self.centre)
        self._page.evaluate(_NEXT_FRAME)
        self._page.wait_for_selector(_EXACT, state="attached", timeout=_STEP_MS)
        self._depth = 0

    def _zoom(self) -> None:
        inward = not self._depth or self._random.random() < 0.5
        self._depth += 1 if inward else -1
        self._page.mouse.wheel(0, -_WHEEL if inward else _WHEEL)

    def _drag(self) -> None:
        mouse = self._page.mouse
        dx, dy = (float(each) for each in self._random.integers(120, 320, 2) * self._random.choice([-1, 1], 2))
        mouse.down()
        mouse.move(self.centre[0] + dx, self.centre[1] + dy)
        mouse.up()
        mouse.move(*self.centre)
