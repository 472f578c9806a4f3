"""Lines whose y follows what x shows, and colours that keep their range."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from .driver import figure, hash_of, home, moving, open_page, plot, settle, until, wait_hash
from .served import Server, Tables


def shown_walk(tables: Tables, state: dict[str, str]) -> np.ndarray:
    """The values of the walk within the view's times."""
    inside = (tables.time >= int(state["x0"])) & (tables.time <= int(state["x1"]))
    return tables.walk[inside & np.isfinite(tables.walk)]


def y_range(page: Page) -> list[float]:
    """The y range that the page tells."""
    label = page.locator(f"{figure()} .surface").get_attribute("aria-label") or ""
    return [float(end.replace("\u2212", "-").replace(",", "")) for end in label.rpartition(" value ")[2].split(" to ")]


def test_the_wheel_on_a_line_zooms_x_and_y_follows(page: Page, server: Server, tables: Tables) -> None:
    open_page(page, f"{server.url}/walk/")
    page.mouse.move(*plot(page).at(0.8, 0.2))
    with moving(page):
        page.mouse.wheel(0, -900)
    state = wait_hash(page)
    assert {"x0", "x1"} <= set(state)
    assert not {"y0", "y1"} & set(state)
    values = shown_walk(tables, state)
    low, high = home(values.min(), values.max())
    until(page, "() => document.querySelector('.surface').getAttribute('aria-label').includes(' to ')")
    assert y_range(page) == pytest.approx([low, high], abs=0.02 * (high - low))
    expect(page.locator('[data-act="follow"]')).to_have_attribute("aria-pressed", "true")


def test_a_gesture_on_y_ends_that_and_a_double_click_brings_it_back(page: Page, server: Server) -> None:
    open_page(page, f"{server.url}/walk/")
    button = page.locator('[data-act="follow"]')
    box = plot(page)
    page.mouse.move(box.x - 20, box.middle[1])
    with moving(page):
        page.mouse.wheel(0, -300)
    state = wait_hash(page, "y0")
    expect(button).to_have_attribute("aria-pressed", "false")
    page.mouse.move(*box.middle)
    with moving(page):
        page.mouse.wheel(0, -300)
    assert wait_hash(page, "y0")["y0"] != state["y0"], "the wheel then zooms both"
    page.reload()
    page.wait_for_selector('html[data-ready="1"]', state="attached")
    expect(button).to_have_attribute("aria-pressed", "false")
    with moving(page):
        page.mouse.dblclick(*box.middle)
    expect(button).to_have_attribute("aria-pressed", "true")
    until(page, "() => !location.hash.includes('y0')")


def test_the_button_and_the_key_of_following(page: Page, server: Server) -> None:
    open_page(page, f"{server.url}/walk/")
    button = page.locator('[data-act="follow"]')
    page.locator(f"{figure()} .surface").focus()
    page.keyboard.press("y")
    expect(button).to_have_attribute("aria-pressed", "false")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Alt+ArrowLeft")
    expect(button).to_have_attribute("aria-pressed", "false")
    open_page(page, f"{server.url}/points/")
    expect(page.locator('[data-act="follow"]')).to_be_hidden()


def test_a_drag_moves_x_and_one_straight_up_moves_y(page: Page, server: Server) -> None:
    open_page(page, f"{server.url}/walk/")
    box = plot(page)
    with moving(page):
        page.mouse.move(*box.at(0.6, 0.5))
        page.mouse.down()
        page.mouse.move(*box.at(0.4, 0.45), steps=4)
        page.mouse.up()
    assert "y0" not in wait_hash(page)
    with moving(page):
        page.mouse.move(*box.at(0.5, 0.7))
        page.mouse.down()
        page.mouse.move(*box.at(0.5, 0.3), steps=6)
        page.mouse.up()
    wait_hash(page, "y0")


def test_the_lock_keeps_the_colours_while_the_view_moves(page: Page, server: Server) -> None:
    open_page(page, f"{server.url}/points/#agg=mean(value)&how=linear")
    lock = page.get_by_role("button", name="Keep the range of colours")
    expect(lock).to_have_attribute("aria-pressed", "false")
    lock.focus()
    page.keyboard.press("Enter")
    expect(lock).to_have_attribute("aria-pressed", "true")
    state = wait_hash(page, "low")
    assert float(state["low"]) < float(state["high"])
    page.locator(f"{figure()} .surface").focus()
    with moving(page):
        page.keyboard.press("+")
    after = hash_of(page)
    assert [after["low"], after["high"]] == [state["low"], state["high"]]
    page.reload()
    page.wait_for_selector('html[data-ready="1"]', state="attached")
    expect(lock).to_have_attribute("aria-pressed", "true")
    lock.click()
    expect(lock).to_have_attribute("aria-pressed", "false")
    until(page, "() => !location.hash.includes('low')")
    settle(page)
