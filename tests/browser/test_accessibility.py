"""The pages of plots as axe-core sees them, by day on a desk and by night on a phone; test_people has
those of people."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page

import bigviz as bv
from bigviz.commands.export.html import write_pages
from bigviz.document.document import document

from ..patience import PATIENCE
from .axe import faults
from .driver import figure, open_page, plot, settle
from .served import Server

CONTEXTS = pytest.mark.parametrize(
    "context",
    [
        {"viewport": {"width": 1280, "height": 800}},
        {"viewport": {"width": 390, "height": 800}, "color_scheme": "dark", "has_touch": True},
    ],
    indirect=True,
    ids=["desk", "phone in the dark"],
)


@CONTEXTS
def test_a_plot_has_no_serious_fault(page: Page, server: Server) -> None:
    """Alone, with categories, with its help open, and with the value under the pointer told."""
    open_page(page, f"{server.url}/points/")
    assert faults(page) == []
    page.mouse.move(*plot(page).middle)
    settle(page)
    assert faults(page) == []
    page.keyboard.press("?")
    page.wait_for_selector("dialog.help[open]")
    assert faults(page) == []
    open_page(page, f"{server.url}/walk/?again#agg=any")
    assert faults(page) == []
    open_page(page, f"{server.url}/points/?again#agg=by(kind)")
    assert faults(page) == []


@CONTEXTS
def test_several_figures_have_no_serious_fault(page: Page, app: Server) -> None:
    open_page(page, f"{app.url}/app/")
    assert page.locator(figure(2)).count() == 1
    assert faults(page) == []


@CONTEXTS
def test_a_plot_in_a_file_or_in_a_frame_has_no_serious_fault(
    context: BrowserContext, files: Path, server: Server, tmp_path: Path
) -> None:
    made = document(bv.figure(title="Points").points(bv.open(str(files / "points.parquet")), "x", "y"), id="points")
    path = tmp_path / "points.html"
    assert write_pages([made], path, 2, None, None, tmp_path / "stores") == 0
    for address in (f"{server.url}/points/?embed=1", path.as_uri()):
        page = context.new_page()
        page.set_default_timeout(PATIENCE * 1_000)
        open_page(page, address)
        assert faults(page) == []
