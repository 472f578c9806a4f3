"""Writes docs/demo.png, the README's picture of the page that `make demo` opens: `make picture`."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from bigviz.commands.bench.browser import chromium, open_page
from bigviz.commands.bench.run import serving
from bigviz.commands.sample_tables import clifford, write_parquet

ROWS = 10_000_000
SIZE = {"width": 1200, "height": 750}
COLOURS = 256  # a palette makes the file a third of its size


def picture() -> Image.Image:
    """The page of the demo's points, exact and complete, in light colours."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "points.parquet"
        write_parquet(path, clifford(ROWS), ROWS)
        with serving([str(path), "--index", "never"]) as url, chromium() as browser:
            page = open_page(browser, url)
            page.set_viewport_size(SIZE)
            page.wait_for_selector('.figure[data-exact="1"] .status[data-state="exact"]', state="attached")
            page.wait_for_selector('[data-part="index"]', state="detached")
            image = Image.open(io.BytesIO(page.screenshot(animations="disabled"))).convert("RGB")
    return image.quantize(COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)


if __name__ == "__main__":
    picture().save(sys.argv[1], optimize=True)
