"""The keyboard alone reaches everything; undo and redo; help; what screen readers announce."""

from __future__ import annotations

import itertools

import pytest
from playwright.sync_api import Page, expect

from .driver import figure, hash_of, home_view, moving, open_page, plot, rest, settle, tip, until, view
from .served import Server, Tables

SURFACE = f"{figure()} .surface"


@pytest.fixture
def points(page: Page, server: Server) -> Page:
    open_page(page, f"{server.url}/points/")
    page.locator(SURFACE).focus()
    return page


def press(page: Page, *keys: str) -> None:
    for key in keys:
        with moving(page):
            page.keyboard.press(key)


@pytest.mark.parametrize(
    ("key", "dx", "dy"),
    [("ArrowLeft", -0.1, 0), ("ArrowRight", 0.1, 0), ("ArrowUp", 0, 0.1), ("Shift+ArrowDown", 0, -0.5)],
)
def test_arrows_pan(points: Page, tables: Tables, key: str, dx: float, dy: float) -> None:
    before = home_view(tables.x, tables.y)
    press(points, key)
    after = view(points)
    assert after.x0 - before.x0 == pytest.approx(dx * before.width, abs=1e-3)
    assert after.y0 - before.y0 == pytest.approx(dy * before.height, abs=1e-3)


def test_keys_work_for_the_plot_under_the_pointer(page: Page, app: Server) -> None:
    open_page(page, f"{app.url}/app/")
    page.mouse.move(*plot(page, 2).middle)
    with moving(page, 2):
        page.keyboard.press("+")
    assert {key[-2:] for key in hash_of(page)} == {".2"}


def test_keys_work_after_a_click_on_a_button(points: Page, tables: Tables) -> None:
    before = home_view(tables.x, tables.y)
    box, theme = points.get_by_role("button", name="Box zoom"), points.get_by_role("button", name="Theme")
    box.click()
    points.keyboard.press("b")
    expect(box).to_have_attribute("aria-pressed", "false")
    theme.click()
    press(points, "+")
    assert view(points).width == pytest.approx(before.width / 1.5, rel=1e-3)
    theme.focus()
    said = str(theme.get_attribute("title"))
    points.keyboard.press("Enter")
    expect(theme).to_be_focused()
    expect(theme).not_to_have_attribute("title", said)


def test_plus_minus_and_zero(points: Page, tables: Tables) -> None:
    before = home_view(tables.x, tables.y)
    press(points, "+")
    assert view(points).width == pytest.approx(before.width / 1.5, rel=1e-3)
    press(points, "-", "-")
    assert view(points).width == pytest.approx(before.width * 1.5, rel=1e-3)
    press(points, "0")
    assert "x0" not in points.url


def test_undo_and_redo_by_keys_and_buttons(points: Page) -> None:
    undo, redo = (points.get_by_role("button", name=name) for name in ("Undo", "Redo"))
    assert undo.is_disabled()
    press(points, "+")
    expect(undo).to_be_enabled()
    first = view(points)
    press(points, "ArrowRight")
    expect(undo).to_be_enabled()
    second = view(points)
    press(points, "Alt+ArrowLeft")
    assert view(points) == first
    with moving(points):
        undo.click()
    assert "x0" not in points.url
    expect(undo).to_be_disabled()
    with moving(points):
        redo.click()
    points.locator(SURFACE).focus()
    press(points, "Alt+ArrowRight")
    assert view(points) == second


def test_help_opens_and_gives_the_focus_back(points: Page) -> None:
    points.keyboard.press("?")
    help_dialog = points.get_by_role("dialog", name="Move around")
    expect(help_dialog).to_be_visible()
    points.keyboard.press("Escape")
    expect(help_dialog).to_be_hidden()
    assert points.evaluate("() => document.activeElement.className") == "surface"


def test_full_screen(points: Page) -> None:
    points.keyboard.press("f")
    until(points, "() => document.fullscreenElement?.matches('section[data-figure=\"0\"]')")
    settle(points)
    points.locator(SURFACE).focus()
    points.keyboard.press("f")
    until(points, "() => document.fullscreenElement === null")


def test_tab_reaches_every_control_and_shows_where_it_is(page: Page, server: Server) -> None:
    open_page(page, f"{server.url}/points/")
    reached = []
    for _ in range(60):
        page.keyboard.press("Tab")
        found = page.evaluate("() => probe.focus()")
        if found[0] == "BODY":
            break
        assert found[1], f"no visible focus on {found[0]}"
        reached.append(found[0])
    for name in ("x", "y", "agg", "glyph", "cmap", "how", "clip", "link", "surface"):
        assert name in reached
    # A toolbar is one stop; its arrows reach the rest.
    page.locator('[data-act="in"]').focus()
    page.keyboard.press("End")
    assert page.evaluate("() => document.activeElement.dataset.act") == "full"


def test_every_control_has_a_name_and_is_large_enough(page: Page, server: Server) -> None:
    open_page(page, f"{server.url}/points/")
    page.keyboard.press("?")
    assert page.evaluate("() => probe.poorControls()") == []


def test_values_are_read_with_the_keyboard(points: Page) -> None:
    points.keyboard.press("c")
    before = tip(points)
    points.keyboard.press("Shift+ArrowRight")
    after = tip(points)
    assert before["x"] != after["x"]
    assert before["y"] == after["y"]
    live = points.locator(".live")
    expect(live).to_contain_text(f"x {after['x']}, y {after['y']}, count {after['count']}")
    points.keyboard.press("Escape")
    expect(points.locator(f"{figure()} .tip")).to_be_hidden()
    assert "x0" not in points.url


def test_the_live_region_tells_the_view_at_most_once_a_second(points: Page) -> None:
    points.evaluate("() => probe.listen()")
    for _ in range(3):
        press(points, "ArrowRight")
        rest(points, 350)  # as long as the page waits before it calls a view at rest
    until(points, "() => probe.spoken.length >= 2")
    times = points.evaluate("() => probe.spoken")
    assert all(b - a > 950 for a, b in itertools.pairwise(times))
    label = points.locator(SURFACE).get_attribute("aria-label")
    assert label and label.startswith("points: x ")
    expect(points.locator(".live")).to_have_text(label)
