"""`bigviz png` against the picture that the page saves: the same document, size, view and theme in both."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, Page

from bigviz.commands.document_inputs import drawable_documents_at
from bigviz.data.formats.delimited.dialect import CsvOptions
from bigviz.document.spec import Document
from bigviz.export.png.document import picture
from bigviz.export.png.view_text import read_view
from bigviz.server.run.loading import Columns
from bigviz.tiles.engine import Engine

from .driver import figure, open_page, plot
from .served import Server

ENGINE = Engine()
TITLE = 40
DARK_TWICE = {"device_scale_factor": 2, "color_scheme": "dark"}
SMALL = """import bigviz as bv, numpy as np, pyarrow as pa
x = np.arange(40) / 4
t = pa.table({"x": x, "a": np.sin(x), "b": np.cos(x), "n": 10.0 ** (x / 3)})
marks = bv.figure(title="Marks")
marks.points(t, "x", "a", color="#2a9d8f", size=9, marker="diamond", alpha=0.6, legend_label="diamonds")
marks.points(t, "x", "b", color="tomato", size=14, marker="x", legend_label="crosses")
bv.document(marks)
"""


def document_at(path: Path) -> Document:
    return drawable_documents_at([str(path)], Columns(), CsvOptions(), (), None)[0]


def compared(page: Page, url: str, document: Document, view: str, folder: Path) -> tuple[np.ndarray, np.ndarray, tuple]:
    """RGB of the page's picture and of ours, and where the plot lies in both: rows and columns."""
    dpr = page.evaluate("devicePixelRatio")
    dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    open_page(page, f"{url}#{view}")
    surface = page.locator(f"{figure()} .surface")
    box, inside = surface.bounding_box(), plot(page)
    assert box
    surface.focus()
    with page.expect_download() as download:
        page.keyboard.press("s" if dpr == 1 else "Shift+S")
    download.value.save_as(folder / "saved.png")
    theirs = np.asarray(Image.open(folder / "saved.png").convert("RGB")).astype(int)
    title = TITLE if document.figures()[0].title else 0
    size = round(box["width"]), round(box["height"] + title)
    ours = picture(ENGINE, document, size, dpr, "dark" if dark else "light", read_view(view)).astype(int)
    assert ours.shape == theirs.shape
    top, left = round((inside.y - box["y"] + title) * dpr), round((inside.x - box["x"]) * dpr)
    return theirs, ours, np.s_[top : top + round(inside.height * dpr), left : left + round(inside.width * dpr)]


def astray(one: np.ndarray, other: np.ndarray, frame: tuple, pixels: int) -> int:
    """How many pixels with ink outside the frame have none so near in the other picture."""

    def ink(image: np.ndarray, least: int) -> np.ndarray:
        found = np.abs(image - image[0, 0]).max(2) > least
        found[frame] = False
        return found

    strong, weak = ink(one, 100), ink(other, 30)
    near = np.zeros_like(weak)
    steps = range(-pixels, pixels + 1)
    for down in steps:
        for across in steps:
            near |= np.roll(weak, (down, across), (0, 1))
    return int((strong & ~near).sum())


def assert_chrome(theirs: np.ndarray, ours: np.ndarray, frame: tuple, dpr: int) -> None:
    assert astray(theirs, ours, frame, dpr) == 0
    assert astray(ours, theirs, frame, dpr) == 0


@pytest.mark.parametrize(
    ("view", "context"),
    [
        ("", {}),
        ("agg=mean(value)&cmap=viridis&how=linear", {}),
        ("agg=by(kind)&x0=-2&x1=1&y0=-1&y1=1", DARK_TWICE),
        ("agg=max(value)&x0=-0.1&x1=0.05&y0=-0.04&y1=0.09", {}),
        ("x=value&xaxis=log&cmap=blues&how=log", {"color_scheme": "dark"}),
        ("x=kind&agg=min(value)", {}),
    ],
    indirect=["context"],
)
def test_points(page: Page, server: Server, files: Path, tmp_path: Path, view: str, context: BrowserContext) -> None:
    document = document_at(files / "points.parquet")
    theirs, ours, frame = compared(page, f"{server.url}/points/", document, view, tmp_path)
    assert np.abs(theirs[frame] - ours[frame]).max() <= 1
    assert_chrome(theirs, ours, frame, page.evaluate("devicePixelRatio"))


@pytest.mark.parametrize("context", [{}, DARK_TWICE], indirect=True)
def test_a_line_over_time(page: Page, server: Server, files: Path, tmp_path: Path, context: BrowserContext) -> None:
    view = "x0=1616000000000000000&x1=1616500000000000000"
    theirs, ours, frame = compared(page, f"{server.url}/walk/", document_at(files / "walk.parquet"), view, tmp_path)
    off = np.abs(theirs[frame] - ours[frame]).max(2)
    # A few pixels at a stroke's edges, where the browser's fixed-point numbers are not all known.
    assert (off > 1).mean() < 0.001
    assert (off > 8).mean() < 0.0001
    assert_chrome(theirs, ours, frame, page.evaluate("devicePixelRatio"))


def test_single_marks_with_a_legend(page: Page, serve: Callable[..., Server], tmp_path: Path) -> None:
    (tmp_path / "small.py").write_text(SMALL)
    running = serve("small.py", cwd=tmp_path)
    document = document_at(tmp_path / "small.py")
    theirs, ours, frame = compared(page, f"{running.url}/small/", document, "", tmp_path)
    off = np.abs(theirs[frame] - ours[frame]).max(2)
    legend = np.s_[: off.shape[0] // 5, off.shape[1] * 4 // 5 :]
    assert off.max() > 1  # the letters of the legend
    off[legend] = 0
    assert off.max() <= 1
    assert_chrome(theirs, ours, frame, 1)


@pytest.mark.parametrize("kind", [pa.float64(), pa.timestamp("us")])
def test_an_empty_table(page: Page, serve: Callable[..., Server], tmp_path: Path, kind: pa.DataType) -> None:
    """Times begin nowhere."""
    pq.write_table(pa.table({"x": pa.array([], kind), "y": pa.array([], pa.float64())}), tmp_path / "no.parquet")
    running = serve("no.parquet", cwd=tmp_path)
    theirs, ours, frame = compared(page, f"{running.url}/no/", document_at(tmp_path / "no.parquet"), "", tmp_path)
    assert np.abs(theirs[frame] - ours[frame]).max() <= 1
    assert_chrome(theirs, ours, frame, 1)
