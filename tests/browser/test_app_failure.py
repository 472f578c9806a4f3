"""`bigviz serve app.py --dev`: a mistake in the app is shown in the page, which continues by itself once it is
fixed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, expect

from .driver import figure, hash_of, open_page, pixels, settle, wait_hash
from .served import Server

GOOD = """
import pyarrow as pa
import bigviz as bv
table = pa.table({{"x": [1.0, 2.0], "y": [1.0, 3.0]}})
bv.serve(bv.row(bv.figure(title="{title}").points(table, "x", "y"), bv.slider("least", 0, 10)))
"""
BAD = "import bigviz\n\nraise ValueError('<img src=x onerror=alert(1)> & more')\n"


def test_from_the_first_start_to_the_last_save(page: Page, serve: Callable[..., Server], tmp_path: Path) -> None:
    app = tmp_path / "app.py"
    app.write_text(BAD)
    running = serve("app.py", "--dev", cwd=tmp_path)
    page.goto(f"{running.url}/app/")
    card = page.get_by_role("alert")
    expect(card).to_contain_text("app.py, line 3")
    expect(card).to_contain_text("ValueError: <img src=x onerror=alert(1)> & more")
    expect(card.locator("pre")).to_contain_text("Traceback (most recent call last)")
    expect(card.locator("img")).to_have_count(0)
    expect(card.get_by_role("button", name="Close")).to_have_count(0)

    app.write_text("import nothing_of_that_name\n")
    expect(card).to_contain_text("app.py, line 1")
    expect(card).to_contain_text("No module named 'nothing_of_that_name'")

    app.write_text(GOOD.format(title="First"))
    page.wait_for_selector('html[data-ready="1"]', state="attached")
    expect(card).to_have_count(0)

    app.write_text(GOOD.format(title="Second") + "1 / 0")
    expect(card).to_contain_text("app.py, line 6")
    expect(page.get_by_role("heading", name="First", level=2)).to_be_attached()
    card.get_by_role("button", name="Close").click()
    expect(card).to_have_count(0)

    page.reload()
    expect(card).to_contain_text("ZeroDivisionError: division by zero")

    app.write_text(GOOD.format(title="First") + "# mended, to the same document")
    expect(card).to_have_count(0)
    slider = page.locator('[data-control="least"] input').first
    slider.fill("7")
    expect(page).to_have_url(re.compile("c.least=7"))
    page.locator(f"{figure()} .surface").press("+")
    near = wait_hash(page)
    page.evaluate("() => { window.isSame = true; }")
    app.write_text(GOOD.format(title="Third").replace("[1.0, 2.0]", "[1.0, 1.6]"))
    expect(page.get_by_role("heading", name="Third", level=2)).to_be_attached()
    expect(slider).to_have_value("7")
    settle(page)
    assert page.evaluate("() => window.isSame") and hash_of(page) == near, "the page goes on where it was"
    drawn = pixels(page)
    page.reload()
    settle(page)
    assert hash_of(page) == near and np.array_equal(pixels(page), drawn), "of the rows that the table has now"


def test_without_dev_viewers_are_told_nothing(page: Page, serve: Callable[..., Server], tmp_path: Path) -> None:
    """The server ends with the script's error on its terminal; a script that works has no card."""
    (tmp_path / "app.py").write_text(GOOD.format(title="Only"))
    running = serve("app.py", cwd=tmp_path)
    open_page(page, f"{running.url}/app/")
    (tmp_path / "app.py").write_text(BAD)
    page.reload()
    expect(page.get_by_role("heading", name="Only", level=2)).to_be_attached()
    expect(page.get_by_role("alert")).to_have_count(0)
