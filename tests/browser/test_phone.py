"""A phone: one finger scrolls where there is something to scroll, two move the plot, and the settings are a sheet."""

from __future__ import annotations

from itertools import pairwise

import pytest
from playwright.sync_api import Page, expect

from .driver import figure, hash_of, moving, open_page, plot, settle, until, view
from .served import Server, Tables
from .test_pointer import touch

PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "has_touch": True, "is_mobile": True}
pytestmark = pytest.mark.parametrize("context", [PHONE], indirect=True)
SCROLLED = "() => document.querySelector('.layout').scrollTop"
STEPS = 8


def test_one_finger_scrolls_a_page_of_several_figures(page: Page, app: Server) -> None:
    open_page(page, f"{app.url}/app/")
    box = plot(page)
    touch(page, [[box.at(0.5, 0.8 - 0.05 * k)] for k in range(STEPS)])
    until(page, "() => document.querySelector('.layout').scrollTop > 50")
    expect(page.locator(f"{figure()} .hint")).to_be_visible()
    settle(page)
    assert hash_of(page) == {}, "the plot did not move"


def test_one_finger_across_is_told_to_take_two(page: Page, app: Server) -> None:
    open_page(page, f"{app.url}/app/")
    box = plot(page)
    touch(page, [[box.at(0.3 + 0.05 * k, 0.5)] for k in range(STEPS)])
    expect(page.locator(f"{figure()} .hint")).to_have_text("Use two fingers to move the plot")
    expect(page.locator(f"{figure()} .hint")).to_be_hidden()
    assert page.evaluate(SCROLLED) == 0 and hash_of(page) == {}


def test_two_fingers_move_the_plot_and_not_the_page(page: Page, app: Server) -> None:
    open_page(page, f"{app.url}/app/")
    box = plot(page)
    with moving(page):
        touch(page, [[box.at(0.3, 0.8 - 0.05 * k), box.at(0.7, 0.8 - 0.05 * k)] for k in range(STEPS)])
    first = view(page)
    with moving(page):
        touch(page, [[box.at(0.4 - 0.03 * k, 0.5), box.at(0.6 + 0.03 * k, 0.5)] for k in range(STEPS)])
    assert view(page).width < first.width
    assert page.evaluate(SCROLLED) == 0


def test_a_tap_still_reads_a_value(page: Page, app: Server) -> None:
    open_page(page, f"{app.url}/app/")
    page.touchscreen.tap(*plot(page).middle)
    expect(page.locator(f"{figure()} .tip")).to_be_visible()


def test_one_finger_pans_a_plot_that_fills_the_page(page: Page, server: Server, tables: Tables) -> None:
    open_page(page, f"{server.url}/points/")
    box = plot(page)
    with moving(page):
        touch(page, [[box.at(0.5, 0.3 + 0.05 * k)] for k in range(STEPS)])
    assert view(page).y1 > float(tables.y.max()) + 0.2 * float(tables.y.max() - tables.y.min())
    expect(page.locator(f"{figure()} .hint")).to_be_hidden()


def test_the_settings_are_a_sheet_that_moves_no_plot(page: Page, app: Server) -> None:
    open_page(page, f"{app.url}/app/")
    before = plot(page)
    button = page.locator(f'{figure()} [data-act="settings"]')
    button.tap()
    sheet = page.locator(f"{figure()} form.pickers")
    expect(sheet).to_be_visible()
    box = sheet.bounding_box()
    assert box and (box["x"], box["width"], box["y"] + box["height"]) == (0, 390, 844)
    assert plot(page) == before
    assert page.evaluate("() => probe.poorControls()") == []
    sheet.locator('[name="cmap"]').select_option("kbc")
    settle(page)
    page.touchscreen.tap(*before.at(0.5, 0.1))
    expect(sheet).to_be_hidden()
    button.tap()
    sheet.locator('[name="cmap"]').press("Escape")
    expect(sheet).to_be_hidden()
    expect(button).to_be_focused()
    button.tap()
    sheet.get_by_role("button", name="Close").tap()
    expect(sheet).to_be_hidden()
    expect(button).to_have_attribute("aria-expanded", "false")


def test_figures_of_nested_rows_follow_one_another(page: Page, app: Server) -> None:
    open_page(page, f"{app.url}/app/")
    boxes = [page.locator(figure(k)).bounding_box() for k in range(3)]
    for above, below in pairwise(boxes):
        assert above and below and above["y"] + above["height"] <= below["y"] + 1
        assert above["height"] >= 0.7 * 844 - 1
