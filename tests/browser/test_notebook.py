"""Plots in the cells of a JupyterLab: no port, the page's own modules, and what they show told to Python."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Frame, Page, expect

from ..patience import PATIENCE
from .lab import Lab, cell_at, run_cell

MADE = """\
import json, time, numpy as np, pyarrow as pa, bigviz as bv
t = np.datetime64("2026-01-01", "ns") + np.arange(2_000) * np.timedelta64(60, "s")
table = pa.table({"t": t, "y": np.sin(np.arange(2_000) / 50)})
w = bv.show(bv.figure(title="Wave", id="wave").line(table, "t", "y"), height=420)
made = [*globals().get("made", []), w]
w"""
TOLD = """\
found = w.ranges.get("wave", {}).get("x")
print(json.dumps([str(end) for end in found or ()]), [each._cells.count for each in made])"""
BUSY = "time.sleep(0.1)\nwhile not bv.__dict__.get('go_on'): time.sleep(0.05)"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    running = Lab(tmp_path_factory.mktemp("lab"))
    try:
        running.wait()
        yield running
    finally:
        running.close()


@pytest.fixture
def wrong() -> list[str]:
    """What went wrong in frames of plots, and in the notebook's page because of them."""
    return []


@pytest.fixture
def notebook(browser: Browser, lab: Lab, wrong: list[str]) -> Iterator[Page]:
    """A page for JupyterLab, which complains of what it does not find itself: only what comes of plots counts."""
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    page = context.new_page()
    page.set_default_timeout(PATIENCE * 1_000)
    page.on("pageerror", lambda error: wrong.append(f"uncaught: {error}"))

    def said(message: Any) -> None:
        ours = message.location["url"].startswith(("about:", "data:", "blob:")) or "widget" in message.text.lower()
        if message.type == "error" and ours:
            wrong.append(f"{message.text} {message.location}")

    page.on("console", said)
    yield page
    context.close()


def plot_of(page: Page, index: int) -> Frame:
    """The frame of a cell's plot, once it is exact."""
    element = cell_at(page, index).locator(".jp-OutputArea iframe").element_handle()
    frame = element.content_frame()
    assert frame
    frame.wait_for_selector('section.figure[data-exact="1"]')
    return frame


def drag(page: Page, frame: Frame, dx: float) -> float:
    """Drag the plot to the right; the width of it."""
    canvas = frame.locator("canvas.data")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    settled = "() => performance.getEntriesByName('bigviz:view').length"
    before = frame.evaluate(settled)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx, y, steps=4)
    page.mouse.up()
    frame.wait_for_function(f"(before) => ({settled})() > before", arg=before)
    frame.wait_for_selector('section.figure[data-exact="1"]')
    return float(box["width"])


def told(page: Page, index: int) -> tuple[np.ndarray[Any, Any], list[int]]:
    """The range of x in nanoseconds, and how many viewers each widget has."""
    text = run_cell(page, index).inner_text().strip()
    ends, _, counts = text.partition("] ")
    return np.array(json.loads(f"{ends}]"), "M8[ns]").astype(float), json.loads(counts)


def test_a_plot_draws_pans_and_tells_its_ranges(notebook: Page, lab: Lab, wrong: list[str]):
    page = notebook
    lab.open(page, "wave", [MADE, TOLD, "w"])
    outputs = run_cell(page, 0)
    frame = plot_of(page, 0)
    expect(outputs.locator("iframe")).to_have_count(1)
    assert outputs.locator("iframe").bounding_box()["height"] == 420  # type: ignore[index]
    first, counts = told(page, 1)
    assert counts == [1] and first[0] < first[1]

    width = drag(page, frame, 200)
    moved = first
    while (moved == first).all():  # it comes to the kernel when the view has rested
        moved, _ = told(page, 1)
    shift = (first[1] - first[0]) * 200 / width
    np.testing.assert_allclose(first - moved, shift, rtol=0.02)

    run_cell(page, 2)  # a second place of the same plot goes on where the first one is
    again = plot_of(page, 2)
    expect(again.locator("section.figure")).to_be_visible()
    same, counts = told(page, 1)
    assert counts == [2]
    np.testing.assert_allclose(same, moved, atol=2e9)

    page.evaluate("() => document.documentElement.style.setProperty('--jp-layout-color0', '#101010')")
    frame.wait_for_selector('html[data-theme="dark"]', state="attached")

    run_cell(page, 0)  # the widget of before is closed, with its viewers
    plot_of(page, 0)
    _, counts = told(page, 1)
    assert counts == [0, 1]
    assert wrong == []


def test_a_plot_answers_while_a_cell_runs_and_says_when_its_kernel_has_ended(
    notebook: Page, lab: Lab, wrong: list[str]
):
    page = notebook
    lab.open(page, "busy", [MADE, BUSY])
    run_cell(page, 0)
    frame = plot_of(page, 0)
    cell_at(page, 1).locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    expect(cell_at(page, 1).locator(".jp-InputPrompt")).to_have_text("[*]:")
    drag(page, frame, 150)
    expect(cell_at(page, 1).locator(".jp-InputPrompt")).to_have_text("[*]:")
    assert wrong == []

    page.get_by_role("menuitem", name="Kernel", exact=True).click()
    page.get_by_role("menuitem", name=re.compile("^Restart Kernel…")).first.click()
    page.locator(".jp-Dialog .jp-mod-accept").click()
    expect(frame.get_by_text("The kernel no longer has this plot: run the cell again.").first).to_be_attached()
