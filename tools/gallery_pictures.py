"""Writes the pictures of docs/gallery.md into a directory, those that are named or all: `make gallery`."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from PIL import Image
from playwright.sync_api import Page

from bigviz.commands.bench.browser import READY, chromium

SCRIPTS: Final = Path(__file__).parents[1] / "examples" / "dashboards"
HEIGHTS: Final = {"taxi": 800, "flights": 1080, "sky": 800, "market": 800}  # CSS pixels, of 1280
COLOURS: Final = 256  # a palette makes the file a third of its size
READY_MS: Final = 120_000
BRUSHED: Final = "section[data-brush]"
COUNTED: Final = "() => [...document.querySelectorAll('.brush')].some(e => /^[0-9,]+ rows?$/.test(e.textContent))"


@contextmanager
def _running(arguments: list[str], **environment: str) -> Iterator[str]:
    """A command until the block ends: the first address that it prints."""
    command = [sys.executable, *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1", **environment}
    ) as process:
        assert process.stdout is not None
        try:
            yield next(found[0] for line in process.stdout if (found := re.search(r"http://\S+", line)))
        finally:
            process.terminate()


@contextmanager
def dashboard(name: str) -> Iterator[str]:
    """The address of a dashboard that is served, with some rows of its stream if it has one."""
    serve = ["-m", "bigviz", "serve", "--port", "0", "--no-browser"]
    script = str(SCRIPTS / f"{name}.py")
    if name != "market":
        with _running([*serve, script]) as url:
            yield url
        return
    with (
        TemporaryDirectory(ignore_cleanup_errors=True) as library,
        _running([*serve, "--library", library]) as url,
        _running([script], BIGVIZ_URL=url) as address,
    ):
        yield address


def _drag(page: Page, figure: int, x0: float, y0: float, x1: float, y1: float) -> None:
    """Drag over a figure between two places, which are shares of its width and height; its brush is drawn after it."""
    box = page.locator(f'section[data-figure="{figure}"] [role="application"]').bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + x0 * box["width"], box["y"] + y0 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + x1 * box["width"], box["y"] + y1 * box["height"], steps=5)
    page.mouse.up()
    page.wait_for_selector(BRUSHED, state="attached", timeout=READY_MS)
    page.wait_for_function(COUNTED, timeout=READY_MS)
    page.mouse.move(1, 1)


def picture(page: Page, name: str) -> Image.Image:
    """A dashboard in light colours, as somebody who has touched it sees it."""
    with dashboard(name) as url:
        page.set_viewport_size({"width": 1280, "height": HEIGHTS[name]})
        page.goto(url)
        page.wait_for_selector(READY, state="attached", timeout=READY_MS)
        if name == "flights":
            _drag(page, 1, 0.55, 0.5, 0.85, 0.5)
            _drag(page, 2, 0.2, 0.5, 0.45, 0.5)
        if name == "sky":
            _drag(page, 1, 0.51, 0.2, 0.95, 0.36)
        if name == "market":
            page.wait_for_selector(".live-badge[data-delay]", timeout=READY_MS)
        page.wait_for_timeout(2_000)
        image = Image.open(io.BytesIO(page.screenshot(animations="disabled"))).convert("RGB")
        page.goto("about:blank")
    return image.quantize(COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)


if __name__ == "__main__":
    into = Path(sys.argv[1])
    into.mkdir(exist_ok=True)
    with chromium() as browser:
        for each in sys.argv[2:] or HEIGHTS:
            picture(browser.new_page(), each).save(into / f"{each}.png", optimize=True)
