"""What few rows look like, in both schemes: plain marks on the page's ground, cells and bands of whole numbers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Page

from .driver import figure, open_page, pixels, plot, settle, tip
from .served import Server, start_server

ACCENT = {"light": (0x1D, 0x5F, 0xC4), "dark": (0x7F, 0xB0, 0xFF)}
PAGE = {"light": (255, 255, 255), "dark": (0x0F, 0x12, 0x17)}
DAYS = np.array(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"])
BOTH = pytest.mark.parametrize("context", [{"color_scheme": "light"}, {"color_scheme": "dark"}], indirect=True)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("small")
    rng = np.random.default_rng(12)
    few = {"x": rng.normal(170, 10, 100), "y": rng.normal(70, 12, 100)}
    calls = {"month": rng.integers(1, 13, 6000), "day": pa.array(DAYS[rng.integers(0, 7, 6000)]).dictionary_encode()}
    many = {"hour": rng.integers(0, 24, 200_000), "fare": rng.lognormal(2, 0.3, 200_000)}
    line = {"x": np.arange(100), "y": rng.normal(size=100).cumsum()}
    for name, table in {"few": few, "calls": calls, "many": many, "line": line}.items():
        pq.write_table(pa.table(table), folder / f"{name}.parquet")
    running = start_server("few.parquet", "calls.parquet", "many.parquet", "line.parquet", cwd=folder)
    yield running
    running.stop()


def scheme_of(page: Page) -> str:
    return "dark" if page.evaluate("() => matchMedia('(prefers-color-scheme: dark)').matches") else "light"


def near(image: np.ndarray, color: tuple[int, int, int], slack: int = 12) -> np.ndarray:
    return np.abs(image[..., :3].astype(int) - color).max(axis=2) <= slack


@BOTH
def test_few_rows_are_plain_marks_on_the_page(page: Page, small: Server) -> None:
    open_page(page, f"{small.url}/few/#x=x&y=y")
    settle(page)
    image, scheme = pixels(page), scheme_of(page)
    assert near(image, PAGE[scheme], 3).mean() > 0.9
    inked = near(image, ACCENT[scheme], 40)
    assert 0.002 < inked.mean() < 0.05
    assert page.evaluate("() => document.querySelector('.surface canvas.data').getBoundingClientRect().right") > 960, (
        "no colour bar, and no room for one"
    )


@BOTH
def test_a_line_of_few_rows_is_on_the_page_too(page: Page, small: Server) -> None:
    open_page(page, f"{small.url}/line/#x=x&y=y&glyph=line")
    settle(page)
    image, scheme = pixels(page), scheme_of(page)
    assert near(image, PAGE[scheme], 3).mean() > 0.9 and 0.002 < near(image, ACCENT[scheme], 40).mean() < 0.05


@BOTH
def test_a_table_of_counts_is_cells_with_gaps(page: Page, small: Server) -> None:
    open_page(page, f"{small.url}/calls/#x=month&y=day")
    settle(page)
    image = pixels(page)[..., :3].astype(int)
    ground = image[1, 1]
    cells = np.abs(image - ground).sum(axis=2) > 0
    # A row of pixels through cells, and one between two rows of cells.
    across = cells.sum(axis=1)
    assert across.max() > 0.85 * cells.shape[1] and cells.any(axis=1).mean() > 0.85
    edges = np.flatnonzero(np.diff(cells[cells.shape[0] // 14 + 3].astype(int)))
    assert len(edges) == 24, "12 cells, whole at both ends"
    box = plot(page)
    page.mouse.move(*box.at(0.02 / 1.04 + 2.1 / 12 / 1.04, 0.02 / 1.04 + 0.1 / 7 / 1.04))  # a corner of March's first
    told = tip(page)
    assert told["month"] == "3" and told["day"] == "Wed" and int(told["rows here"]) > 30


def test_whole_numbers_are_bands_over_density(page: Page, small: Server) -> None:
    open_page(page, f"{small.url}/many/#x=hour&y=fare")
    settle(page)
    image = pixels(page)[..., :3].astype(int)
    lit = np.abs(image - image[1, 1]).sum(axis=2) > 60
    assert lit[np.argmax(lit.sum(axis=1))].mean() > 0.85
    box = plot(page)
    step = box.width / (23 * 1.04)
    row = int(np.argmax(lit.sum(axis=1))) / image.shape[0]
    for away in (-0.4, 0.0, 0.4):
        page.mouse.move(box.x + step * (0.02 * 23 + 7 + away), box.y + box.height * row)
        page.wait_for_function("() => !document.querySelector('.tip').hidden && probe.tip(0).hour === '7'")
        assert int(tip(page)["count"].replace(",", "")) > 0
    assert page.locator(f"{figure()} .mark").bounding_box()["width"] == pytest.approx(step, abs=1.5)
