"""What is shown of a file without an index: from opening its page to the first picture, an estimate or exact already.

The server has opened the file and has just begun its index (in an empty directory of stores), or is in the middle of
it, when the page is opened in a Chromium that knows nothing of it.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import urljoin
from urllib.request import urlopen

from playwright.sync_api import Browser, Page

from bench import data
from bench.places import LARGE, made
from bench.report import Figure, words
from bigviz.commands.bench.browser import READY, chromium
from bigviz.commands.bench.run import serving
from bigviz.commands.bench.window import HEIGHT, WIDTH

REPEATS: Final = 3
BOUND: Final = 1.0  # s
MIDDLE: Final = 4.0  # s after which a build is in the middle of its work
_EXACT_MS: Final = 900_000.0

# The words of the estimate are written when the canvas has been drawn, and so is the mark of an exact figure.
_NOTE_FIRST: Final = """
new MutationObserver((_, self) => {
  const section = document.querySelector('section[data-figure="0"]');
  const state = section?.querySelector('[data-part="state"]')?.textContent ?? "";
  if (!section || !(section.dataset.exact === "1" || state.startsWith("estimate"))) return;
  self.disconnect();
  window.firstPicture = performance.now();
}).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
"""
_FIRST: Final = "() => window.firstPicture"
_NOW: Final = "() => performance.now()"


def run(rows: int) -> Iterator[Figure]:
    """Parquet with row groups of 2^20 rows; beyond what the disk holds twice, Arrow with batches of as many."""
    path = data.arrow("points", rows) if rows > LARGE else data.parquet("points", rows)
    with chromium() as browser:
        first_picture(browser, str(path))  # compiles, and starts what a browser starts once
        began = [first_picture(browser, str(path)) for _ in range(REPEATS)]
        middle = [first_picture(browser, str(path), after=MIDDLE) for _ in range(REPEATS)]
        exact = first_picture(browser, str(path), exact=True)
    what = f"page of {words(rows)} rows without an index ({path.suffix[1:]})"
    yield Figure(f"{what}, first picture", "s", began, "max", BOUND)
    yield Figure(f"{what}, first picture while the index is being built", "s", middle, "max", BOUND)
    yield Figure(f"{what}, exact", "s", [exact], "max")


def first_picture(
    browser: Browser, source: str, *, after: float = 0.0, exact: bool = False, env: Mapping[str, str] | None = None
) -> float:
    """Seconds from navigation to the first picture (with `exact`, to the exact one) of a server just started."""
    with tempfile.TemporaryDirectory(dir=made("scratch")) as store:
        options = ["--x=x", "--y=y", f"--store-dir={store}", "--store-limit=1TB"]
        with serving([source, *options], env=env) as url:
            _await_loaded(url)
            time.sleep(after)
            page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
            try:
                page.add_init_script(_NOTE_FIRST)
                page.goto(url)
                return (_exact if exact else _first)(page) / 1e3
            finally:
                page.close()


def _first(page: Page) -> float:
    return float(page.wait_for_function(_FIRST).json_value())


def _exact(page: Page) -> float:
    page.wait_for_selector(READY, state="attached", timeout=_EXACT_MS)
    return float(page.evaluate(_NOW))


def _await_loaded(url: str) -> None:
    """Wait until the server has opened its documents."""
    while True:
        with urlopen(urljoin(url, "/healthz")) as answer:
            if json.load(answer)["loaded"]:
                return
        time.sleep(0.01)
