"""Writes docs/live.png, the README's picture of `bigviz demo --live`: `make picture`."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image

from bigviz.commands.bench.browser import chromium, open_page

SIZE = {"width": 1200, "height": 820}
COLOURS = 256  # a palette makes the file a third of its size
VERSIONS = 100  # of data that the page has shown: rows have come for ten seconds then


@contextmanager
def demo() -> Iterator[str]:
    """A live demo on a free port: the address of its plots."""
    command = [sys.executable, "-m", "bigviz", "demo", "--live", "--no-browser", "--port", "0"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr is not None
        yield next(found[1] for line in process.stderr if (found := re.search(r"live plots are at (\S+)", line)))
        process.send_signal(signal.SIGINT)


def picture() -> Image.Image:
    """The page with some seconds of trades and readings, in light colours."""
    with demo() as url, chromium() as browser:
        page = open_page(browser, url)
        page.set_viewport_size(SIZE)
        grown = f"() => Number(document.querySelector('section.figure').dataset.version) > {VERSIONS}"
        page.wait_for_function(grown)
        page.wait_for_selector(".live-badge[data-delay]")
        image = Image.open(io.BytesIO(page.screenshot(animations="disabled"))).convert("RGB")
    return image.quantize(COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)


if __name__ == "__main__":
    picture().save(sys.argv[1], optimize=True)
