"""Lines and marks as a document styles them, and the legend: on the screen, in a saved image, at a click."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page

from .driver import figure, open_page, pixels, plot, settle, tip
from .served import Server, start_server
from .test_save import saved
from .test_small_data import BOTH, near

APP = """
import bigviz as bv
import numpy as np

x = [1, 2, 3, 4, 5]
lines = bv.figure(title="Two lines", width=590, height=420)
lines.line({"x": x, "y": [6, 7, 2, 4, 5]}, "x", "y", color="#d33682", line_width=3, legend_label="first")
lines.line({"x": x, "y": [3, 4, 6, 6, 7]}, "x", "y", color="#2aa198", line_width=2, line_dash="dashed",
           legend_label="second")
lines.points({"x": x, "y": [6, 7, 2, 4, 5]}, "x", "y", color="#d33682", size=12, legend_label="first")
lines.points({"x": x, "y": [2, 2, 3, 3, 4]}, "x", "y", color="#b58900", size=14, marker="square", alpha=0.5,
             legend_label="third")
rng = np.random.default_rng(3)
many = {"x": rng.normal(size=20_000), "y": rng.normal(size=20_000)}
cloud = bv.figure(title="Many", width=400, height=420).points(many, "x", "y", color="#268bd2", size=3, alpha=0.4)
bv.document(bv.row(lines, cloud), id="styles")
"""
FIRST, SECOND, THIRD, CLOUD = (0xD3, 0x36, 0x82), (0x2A, 0xA1, 0x98), (0xB5, 0x89, 0x00), (0x26, 0x8B, 0xD2)


@pytest.fixture(scope="module")
def styles(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("styles")
    (folder / "styles.py").write_text(APP)
    running = start_server("styles.py", cwd=folder)
    yield running
    running.stop()


@BOTH
def test_lines_marks_and_their_legend(page: Page, styles: Server, tmp_path: Path) -> None:
    open_page(page, f"{styles.url}/styles/")
    box = page.locator(figure()).bounding_box()
    assert box and (round(box["width"]), round(box["height"])) == (590, 420)
    image = pixels(page)
    first, second = near(image, FIRST), near(image, SECOND)
    at, entry = plot(page), page.get_by_role("button", name="first", exact=True)
    line = entry.bounding_box()
    assert line and line["x"] > at.x + at.width / 2 and line["y"] > at.y + at.height / 2, "where nothing is drawn"
    legend = round(line["x"] - at.x) - 10
    assert first[:, :legend].any(axis=0).mean() > 0.85, "a solid line crosses its columns"
    dashes = second[:, :legend].any(axis=0)
    starts = np.flatnonzero(np.diff(dashes.astype(int)) == 1)
    assert len(starts) > 15, "a dashed line has gaps"
    top = round(line["y"] - at.y)
    for number, color in enumerate((FIRST, SECOND)):
        assert near(image[top + 20 * number : top + 20 * (number + 1), legend:], color).any(), "a swatch"
    # Half of a mark's colour over the page's.
    paper = image[-1, 0, :3].astype(int)
    half = tuple((paper + THIRD) // 2)
    assert near(image, half, 4).sum() > 3 * 14 * 13
    name, picture = saved(page, "s", tmp_path)
    assert name == "Two-lines.png"
    for color in (FIRST, SECOND):
        assert abs(int(near(picture, color).sum()) - int(near(image, color).sum())) < 60, "the image has all of it"

    # Hover tells the row and its entry; a click on an entry hides its layers, from the pointer too.
    page.mouse.move(*at.at(0.5, 0.9))
    assert "first" in tip(page) and tip(page)["row"] == "2"
    assert entry.get_attribute("aria-pressed") == "true"
    entry.click()
    settle(page)
    page.wait_for_selector('.legend-entries [aria-pressed="false"]')
    assert not near(pixels(page), FIRST).any()
    entry.press("Enter")
    page.wait_for_selector('.legend-entries :not([aria-pressed="false"])')
    settle(page)
    assert (pixels(page) == image).all()


def test_rows_with_a_colour_are_plain_marks_up_to_50_000(page: Page, styles: Server) -> None:
    open_page(page, f"{styles.url}/styles/")
    image = pixels(page, 1)[..., :3].astype(int)
    assert page.locator(f"{figure(1)} .legend-entries button").count() == 0
    blue = image[..., 2] - image[..., 0]
    assert (blue > 40).mean() > 0.15 and near(image, CLOUD, 10).any(), "deeper where they overlap"
    paper = image[-1, 0]
    # All colours lie between the page's and the marks'.
    share = (paper - image) @ (paper - np.array(CLOUD)) / ((paper - np.array(CLOUD)) ** 2).sum()
    mixed = paper - share[..., None] * (paper - np.array(CLOUD))
    grid = (np.abs(image - mixed).max(axis=2) > 12).mean()
    assert grid < 0.05, f"{grid:.0%} of other colours"
