"""Plots in the cells of a JupyterLab: no port, the page's own modules, and what they show told to Python."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Frame, Page, expect

from bigviz.export.inlined_page import inlined_page
from bigviz.server.http.pages import STATIC

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
SELECTED = "print('none' if w.selection is None else w.selection.count)"
RULES = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' blob:; style-src 'unsafe-inline'; "
    "img-src https: http: data:; font-src https:; connect-src https:; child-src https: data:"
)
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


def test_a_plot_in_a_notebook(notebook: Page, lab: Lab, wrong: list[str]):
    """One test, since a JupyterLab and its page take longer to start than all that is looked at."""
    page = notebook
    lab.open(page, "wave", [MADE, TOLD, "w", BUSY, SELECTED])
    outputs = run_cell(page, 0)
    frame = plot_of(page, 0)
    expect(outputs.locator("iframe")).to_have_count(1)
    assert outputs.locator("iframe").bounding_box()["height"] == 420  # type: ignore[index]

    tells_what_is_selected(page, frame)
    moved = follows_the_view(page, frame)
    stands_in_two_places(page, moved)
    page.evaluate("() => document.documentElement.style.setProperty('--jp-layout-color0', '#101010')")
    frame.wait_for_selector('html[data-theme="dark"]', state="attached")

    run_cell(page, 0)  # the widget of before is closed, with its viewers
    frame = plot_of(page, 0)
    assert frame.locator('html[data-theme="dark"]').count() == 1
    assert told(page, 1)[1] == [0, 1]
    answers_while_a_cell_runs(page, frame)
    says_when_its_kernel_has_ended(page, frame)
    assert wrong == []


def tells_what_is_selected(page: Page, frame: Frame) -> None:
    """The rows of a box that is dragged in the plot are Python's, as many as the page tells."""
    assert run_cell(page, 4).inner_text().strip() == "none"
    tool = frame.get_by_role("button", name="Select rows in a box")
    tool.click()
    canvas = frame.locator("canvas.data")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] - 2, steps=4)
    page.mouse.up()
    frame.wait_for_function("() => /^\\d+$/.test(document.querySelector('section.figure').dataset.selected ?? '')")
    rows = int(frame.locator("section.figure").get_attribute("data-selected") or "")
    assert 400 < rows < 600, "about a quarter of 2,000"
    assert run_cell(page, 4).inner_text().strip() == str(rows)
    tool.click()


def follows_the_view(page: Page, frame: Frame) -> np.ndarray[Any, Any]:
    """Python knows the ranges, and others once the plot was dragged: by as much as it was. Those."""
    first, counts = told(page, 1)
    assert counts == [1] and first[0] < first[1]
    width = drag(page, frame, 200)
    moved = first
    while (moved == first).all():  # it comes to the kernel when the view has rested
        moved, _ = told(page, 1)
    np.testing.assert_allclose(first - moved, (first[1] - first[0]) * 200 / width, rtol=0.02)
    return moved


def stands_in_two_places(page: Page, moved: np.ndarray[Any, Any]) -> None:
    """In a second cell the plot begins where the first place of it is."""
    run_cell(page, 2)
    plot_of(page, 2)
    same, counts = told(page, 1)
    assert counts == [2]
    np.testing.assert_allclose(same, moved, atol=2e9)


def answers_while_a_cell_runs(page: Page, frame: Frame) -> None:
    prompt = cell_at(page, 3).locator(".jp-InputPrompt")
    cell_at(page, 3).locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    expect(prompt).to_have_text("[*]:")
    drag(page, frame, 150)
    expect(prompt).to_have_text("[*]:")


def says_when_its_kernel_has_ended(page: Page, frame: Frame) -> None:
    page.get_by_role("menuitem", name="Kernel", exact=True).click()
    page.get_by_role("menuitem", name=re.compile("^Restart Kernel…")).first.click()
    page.locator(".jp-Dialog .jp-mod-accept").click()
    expect(frame.get_by_text("The kernel no longer has this plot: run the cell again.").first).to_be_attached()


def test_a_frame_starts_under_the_rules_of_vs_code(page: Page, tmp_path: Path):
    """Its cells may run scripts that stand in them, and load none; nothing reaches this machine's ports."""
    static = tmp_path / "static"
    shutil.copytree(STATIC, static)
    subprocess.run(["node", STATIC.parent.parent / "tools" / "bundle.mjs", static / "page.js"], check=True)
    text = json.dumps(inlined_page("parent", static=static).text).replace("</", "<\\/")
    page.set_content(
        f'''<meta http-equiv="Content-Security-Policy" content="{RULES}">
        <script>
          window.heard = [];
          addEventListener("message", ({{ data }}) => heard.push(data));
          addEventListener("DOMContentLoaded", () => {{
            const frame = document.createElement("iframe");
            frame.srcdoc = {text};
            document.body.append(frame);
          }});
        </script>'''
    )
    page.wait_for_function("() => window.heard.includes('bigviz:ready')")
