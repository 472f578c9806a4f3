"""Wheel, drag, box, double click, pinch: each moves the view as its pixels say."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Page

from .driver import Box, View, figure, frames, home_view, moving, open_page, plot, rest, settle, view
from .served import Server, Tables


@pytest.fixture
def points(page: Page, server: Server) -> Page:
    open_page(page, f"{server.url}/points/")
    return page


def near(got: float, wanted: float, scale: float) -> bool:
    """Equal up to a pixel's fraction of a view of this size."""
    return abs(got - wanted) < 2e-3 * scale


def same_point(before: View, after: View, fx: float, fy: float) -> bool:
    (ax, ay), (bx, by) = before.at(fx, fy), after.at(fx, fy)
    return near(ax, bx, before.width) and near(ay, by, before.height)


def test_wheel_zooms_about_the_pointer(points: Page, tables: Tables) -> None:
    before = home_view(tables.x, tables.y)
    points.mouse.move(*plot(points).at(0.3, 0.2))
    with moving(points):
        points.mouse.wheel(0, -240)
    after = view(points)
    assert after.width < 0.8 * before.width
    assert near(after.width / before.width, after.height / before.height, 1)
    assert same_point(before, after, 0.3, 0.2)


@pytest.mark.parametrize("axis", ["x", "y"])
def test_wheel_over_an_axis_zooms_that_axis_only(points: Page, tables: Tables, axis: str) -> None:
    before = home_view(tables.x, tables.y)
    box = plot(points)
    points.mouse.move(
        *((box.at(0.4, 1)[0], box.y + box.height + 12) if axis == "x" else (box.x - 20, box.at(0, 0.4)[1]))
    )
    with moving(points):
        points.mouse.wheel(0, -240)
    after = view(points)
    changed, kept = (after.width / before.width, after.height / before.height)[:: 1 if axis == "x" else -1]
    assert changed < 0.8
    assert near(kept, 1, 1)


def test_shift_and_alt_wheel_keep_to_one_axis(points: Page, tables: Tables) -> None:
    before = home_view(tables.x, tables.y)
    points.mouse.move(*plot(points).middle)
    points.keyboard.down("Shift")
    with moving(points):
        points.mouse.wheel(0, -240)
    points.keyboard.up("Shift")
    after = view(points)
    assert after.width < 0.8 * before.width
    assert near(after.height, before.height, before.height)


def drag(page: Page, box: Box, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*box.at(*start))
    page.mouse.down()
    page.mouse.move(*box.at(*end), steps=6)
    page.mouse.up()


def test_drag_pans(points: Page, tables: Tables) -> None:
    before = home_view(tables.x, tables.y)
    with moving(points):
        drag(points, plot(points), (0.5, 0.5), (0.7, 0.4))
    after = view(points)
    assert near(after.x0, before.x0 - 0.2 * before.width, before.width)
    assert near(after.y0, before.y0 - 0.1 * before.height, before.height)
    assert near(after.width, before.width, before.width)


def test_drag_on_an_axis_pans_that_axis_only(points: Page, tables: Tables) -> None:
    before = home_view(tables.x, tables.y)
    box = plot(points)
    points.mouse.move(box.at(0.5, 0)[0], box.y + box.height + 12)
    points.mouse.down()
    with moving(points):
        points.mouse.move(box.at(0.6, 0)[0], box.y + box.height - 60, steps=5)
        points.mouse.up()
    after = view(points)
    assert near(after.x0, before.x0 - 0.1 * before.width, before.width)
    assert near(after.y0, before.y0, before.height)


def test_shift_drag_zooms_into_the_box(points: Page, tables: Tables) -> None:
    before = home_view(tables.x, tables.y)
    box = plot(points)
    points.keyboard.down("Shift")
    points.mouse.move(*box.at(0.25, 0.25))
    points.mouse.down()
    points.mouse.move(*box.at(0.5, 0.75), steps=5)
    assert points.locator(f"{figure()} .surface .box").is_visible()
    with moving(points):
        points.mouse.up()
    points.keyboard.up("Shift")
    after = view(points)
    (x0, y1), (x1, y0) = before.at(0.25, 0.25), before.at(0.5, 0.75)
    assert all(near(a, b, before.width) for a, b in ((after.x0, x0), (after.x1, x1), (after.y0, y0), (after.y1, y1)))


def test_box_mode_boxes_without_shift_and_escape_gives_up(points: Page, tables: Tables) -> None:
    box = plot(points)
    button = points.get_by_role("button", name="Box zoom")
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    points.mouse.move(*box.at(0.2, 0.2))
    points.mouse.down()
    points.mouse.move(*box.at(0.6, 0.6), steps=4)
    points.locator(f"{figure()} .surface").focus()
    points.keyboard.press("Escape")
    assert points.locator(f"{figure()} .surface .box").is_hidden()
    points.mouse.up()
    settle(points)
    assert "x0" not in points.url
    assert button.get_attribute("aria-pressed") == "false"


def test_double_click_resets(points: Page) -> None:
    points.mouse.move(*plot(points).at(0.3, 0.3))
    with moving(points):
        points.mouse.wheel(0, -400)
    view(points)
    points.mouse.dblclick(*plot(points).at(0.3, 0.3))
    points.wait_for_function("() => !location.hash.includes('x0')")
    settle(points)


def test_double_click_on_an_axis_resets_that_axis(points: Page, tables: Tables) -> None:
    before = home_view(tables.x, tables.y)
    points.mouse.move(*plot(points).middle)
    with moving(points):
        points.mouse.wheel(0, -400)
    box = plot(points)
    with moving(points):
        points.mouse.dblclick(box.at(0.5, 0)[0], box.y + box.height + 12)
    after = view(points)
    assert near(after.width, before.width, before.width)
    assert after.height < 0.9 * before.height


def touch(page: Page, *gestures: list[list[tuple[float, float]]]) -> None:
    """Plays the places of all fingers, step by step, as the screen would, 10 ms apart by their time stamps."""
    session = page.context.new_cdp_session(page)
    stamp = time.time() - 0.01 * sum(len(steps) + 1 for steps in gestures)
    for steps in gestures:
        for k, places in enumerate([*steps, []]):
            kind = "touchStart" if k == 0 else "touchEnd" if not places else "touchMove"
            fingers = [{"x": x, "y": y, "id": n} for n, (x, y) in enumerate(places)]
            stamp += 0.01
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers, "timestamp": stamp})


@pytest.mark.parametrize("context", [{"has_touch": True}], indirect=True)
def test_pinch_zooms_each_axis_by_itself(points: Page, tables: Tables) -> None:
    before = home_view(tables.x, tables.y)
    box = plot(points)
    apart = [[box.at(0.5 - 0.1 - 0.02 * k, 0.4), box.at(0.5 + 0.1 + 0.02 * k, 0.6)] for k in range(6)]
    with moving(points):
        touch(points, apart)
    after = view(points)
    assert near(after.width, before.width / 2, before.width)
    assert near(after.height, before.height, before.height)
    assert same_point(before, after, 0.5, 0.5)


@pytest.mark.parametrize("context", [{"has_touch": True}], indirect=True)
def test_one_finger_pans_and_two_taps_reset(points: Page, tables: Tables) -> None:
    before = home_view(tables.x, tables.y)
    box = plot(points)
    with moving(points):
        touch(points, [[box.at(0.5 + 0.04 * k, 0.5)] for k in range(6)])
    assert near(view(points).x0, before.x0 - 0.2 * before.width, before.width)
    touch(points, [[box.middle]], [[box.middle]])
    points.wait_for_function("() => !location.hash.includes('x0')")


def test_the_wheel_stops_where_doubles_end(page: Page, server: Server) -> None:
    open_page(page, f"{server.url}/points/#x0=2.5&x1=2.5000000000005&y0=2.5&y1=2.5000000000005")
    page.mouse.move(*plot(page).middle)
    for _ in range(5):
        page.mouse.wheel(0, -1000)
        frames(page)
    settle(page)
    rest(page)
    assert view(page).width == pytest.approx(2.5 * 2**-44, rel=0.01), "256 doubles"


def test_one_step_over_what_is_here_is_exact_in_its_first_frame(page: Page, server: Server):
    """A frame that only moves the old picture would come before it in a drag, where frames follow each other."""
    open_page(page, f"{server.url}/points/")
    settle(page)
    with moving(page):
        page.keyboard.press("+")
    frames(page, 6)  # a view that has not moved for a while
    frames_before = page.evaluate(
        """() => new Promise(resolve => {
          const section = document.querySelector('section[data-figure="0"]');
          let frames = 0;
          const count = () => { frames++; requestAnimationFrame(count); };
          new MutationObserver(() => {
            if (section.dataset.exact === "0") requestAnimationFrame(count);  // runs after the page's own
            else resolve(frames);
          }).observe(section, { attributes: true, attributeFilter: ["data-exact"] });
          const key = new KeyboardEvent("keydown", { key: "-", bubbles: true });
          section.querySelector('[role="application"]').dispatchEvent(key);
        })"""
    )
    assert frames_before == 0
