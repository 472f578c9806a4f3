"""The first view: where nearly all rows lie, if a few lie far off, with a word about those and one click to all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Page, expect

from .driver import figure, hash_of, moving, open_page, pixels, settle, view
from .served import Server, start_server

ROWS = 50_000
OUTSIDE = f'{figure()} [data-part="outside"]'


@pytest.fixture(scope="module")
def rows() -> tuple[np.ndarray, np.ndarray]:
    """A cloud about (100, 40), and 1 % of the rows at (0, 0)."""
    rng = np.random.default_rng(6)
    x, y = rng.normal(100, 1, ROWS), rng.normal(40, 0.5, ROWS)
    missing = rng.random(ROWS) < 0.01
    return np.where(missing, 0.0, x), np.where(missing, 0.0, y)


@pytest.fixture(scope="module")
def off(rows: tuple[np.ndarray, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("first")
    pq.write_table(pa.table(dict(zip("xy", rows, strict=True))), folder / "off.parquet")
    running = start_server("off.parquet", "--x", "x", "--y", "y", cwd=folder)
    yield running
    running.stop()


def test_it_starts_where_the_rows_are_and_one_click_shows_all(
    page: Page, off: Server, rows: tuple[np.ndarray, np.ndarray]
) -> None:
    open_page(page, f"{off.url}/off/")
    note = page.locator(OUTSIDE)
    share = 100 * (rows[0] == 0).mean()
    expect(note).to_contain_text(f"{share:.1f} % of rows lie outside this view")
    image = pixels(page)[..., :3].astype(int)
    lit = np.abs(image - image[2, 2]).sum(axis=2) > 40
    across, down = lit.any(axis=0).nonzero()[0], lit.any(axis=1).nonzero()[0]
    assert np.ptp(across) > 0.8 * lit.shape[1] and np.ptp(down) > 0.8 * lit.shape[0], "the cloud fills the plot"
    assert hash_of(page) == {}
    with moving(page):
        page.get_by_role("button", name="Show all").click()
    seen = view(page)
    assert seen.x0 < 0 < rows[0].max() < seen.x1 and seen.y0 < 0 < rows[1].max() < seen.y1
    expect(note).to_be_hidden()
    # Home is the first view again, and undo goes back to all.
    with moving(page):
        page.keyboard.press("0")
    assert hash_of(page) == {}
    expect(note).to_be_visible()
    with moving(page):
        page.keyboard.press("Alt+ArrowLeft")
    assert view(page) == seen


def test_an_address_with_ranges_wins(page: Page, off: Server) -> None:
    open_page(page, f"{off.url}/off/#x0=-5&x1=120&y0=-5&y1=50")
    settle(page)
    seen = view(page)
    assert (seen.x0, seen.x1, seen.y0, seen.y1) == (-5, 120, -5, 50)
    expect(page.locator(OUTSIDE)).to_be_hidden()


def test_the_view_that_the_note_is_about_is_left(page: Page, off: Server) -> None:
    open_page(page, f"{off.url}/off/")
    note = page.locator(OUTSIDE)
    expect(note).to_be_visible()
    with moving(page):
        page.keyboard.press("+")
    expect(note).to_be_hidden()
