"""Rows are selected in the page: in a lasso with the pointer, in the view with the keyboard alone; what is known of
them stands at the side, with files and a filter."""

from __future__ import annotations

import csv
import io

import numpy as np
from playwright.sync_api import Page, expect

from .axe import faults
from .driver import figure, hash_of, open_page, plot, rest, settle
from .served import LABELS, Server, Tables


def chosen(page: Page) -> int:
    """How many rows are selected, once that is known."""
    page.wait_for_function(f"() => /^\\d+$/.test(document.querySelector('{figure()}').dataset.selected ?? '')")
    return int(page.locator(figure()).get_attribute("data-selected") or "")


def test_a_lasso_and_what_is_known_of_its_rows(page: Page, server: Server, tables: Tables) -> None:
    open_page(page, f"{server.url}/points/")
    page.get_by_role("button", name="Select rows in a lasso").click()
    corners = [plot(page).at(*at) for at in ((0.3, 0.3), (0.7, 0.3), (0.7, 0.7), (0.3, 0.7))]
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in corners[1:]:
        page.mouse.move(*corner, steps=8)
    page.mouse.up()
    rows = chosen(page)
    near = (np.abs(tables.x) < 1.2) & (np.abs(tables.y) < 1.2)
    assert abs(rows - near.sum()) < 0.03 * near.sum()
    side = page.get_by_role("complementary", name="Selected rows")
    expect(side.get_by_role("heading", name=f"{rows:,} rows selected")).to_be_visible()
    side.get_by_label("group by").select_option("kind")
    lines = side.get_by_role("region", name="The selected rows by kind").locator("tbody tr")
    expect(lines).to_have_count(len(LABELS))
    assert sum(int(text.replace(",", "")) for text in lines.locator("td:nth-child(2)").all_text_contents()) == rows
    with page.expect_download() as saving:
        side.get_by_role("link", name="CSV").click()
    found = list(csv.reader(io.StringIO(saving.value.path().read_text("utf-8"))))
    assert len(found) == rows + 1
    page.get_by_role("button", name="Select rows in a lasso").click()
    side.get_by_role("button", name="Clear the selection").click()
    expect(side).to_be_hidden()


def test_the_keyboard_alone_selects_sorts_and_filters(page: Page, server: Server, tables: Tables) -> None:
    open_page(page, f"{server.url}/points/#x0=-1&x1=1&y0=-1&y1=1")
    page.locator(f"{figure()} .surface").focus()
    page.keyboard.press("v")
    rows = chosen(page)
    side = page.get_by_role("complementary", name="Selected rows")
    assert faults(page) == []
    table = side.get_by_role("grid", name="Rows")
    table.get_by_role("button", name="value", exact=True).focus()
    page.keyboard.press("Enter")
    expect(table.locator('[aria-sort="ascending"]')).to_have_text("value")
    expect(table.locator("tbody tr").first).to_be_visible()
    side.get_by_role("button", name="Use as filter").focus()
    page.keyboard.press("Enter")
    settle(page)
    rest(page)
    assert hash_of(page)["filter"].startswith("x >= -1")
    assert chosen(page) == rows, "the same rows are counted anew"
    page.locator(f"{figure()} .surface").focus()
    page.keyboard.press("Escape")
    expect(side).to_be_hidden()


def test_the_keyboard_alone_draws_a_box_and_a_lasso(page: Page, server: Server, tables: Tables) -> None:
    """Enter sets a corner at the cursor, which starts in the middle; with Shift an arrow moves it by a tenth."""
    open_page(page, f"{server.url}/points/")
    surface, shown = page.locator(f"{figure()} .surface"), page.locator(f"{figure()} .overlay .box")
    to_corner = ("Enter", *["Shift+ArrowLeft"] * 2, *["Shift+ArrowUp"] * 2, "Enter")
    right, down = ["Shift+ArrowRight"] * 4, ["Shift+ArrowDown"] * 4
    near = (np.abs(tables.x) < 1.2) & (np.abs(tables.y) < 1.2)
    for keys in (
        ("e", *to_corner, *right, *down, "Enter"),
        ("o", *to_corner, *right, "Enter", *down, "Enter", *["Shift+ArrowLeft"] * 4, "Enter", "Enter"),
    ):
        surface.focus()
        for key in keys[:-1]:
            page.keyboard.press(key)
        expect(shown).to_be_visible(visible=keys[0] == "e")
        page.keyboard.press(keys[-1])
        rows = chosen(page)
        assert abs(rows - near.sum()) < 0.03 * near.sum()
        page.keyboard.press("Escape")
        page.keyboard.press("Escape")
        expect(page.get_by_role("complementary", name="Selected rows")).to_be_hidden()
    for key in ("b", *to_corner, *right, *down, "Enter"):
        page.keyboard.press(key)
    settle(page)
    rest(page)
    assert float(hash_of(page)["x1"]) - float(hash_of(page)["x0"]) < 0.5 * np.ptp(tables.x)
