"""Other screens: twice the pixels, a phone, the dark; no motion for users who want none; no request to other
servers."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from .driver import figure, moving, open_page, pixels, plot, settle, tip, until
from .served import Server

PHONE = {"viewport": {"width": 390, "height": 780}, "device_scale_factor": 2, "has_touch": True, "is_mobile": True}


def contrast(a: list[int], b: list[int]) -> float:
    """WCAG 2's contrast of two sRGB colours."""
    linear = [np.where((c := np.array(v) / 255) <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4) for v in (a, b)]
    bright, dim = sorted((float(v @ [0.2126, 0.7152, 0.0722]) for v in linear), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


@pytest.mark.parametrize("context", [{"device_scale_factor": 2}], indirect=True)
def test_twice_the_pixels_are_drawn(page: Page, server: Server) -> None:
    open_page(page, f"{server.url}/points/")
    shown, box = pixels(page), plot(page)
    assert shown.shape[:2] == (round(box.height * 2), round(box.width * 2))
    # Not each pixel four times: the cells are half as large.
    assert (shown[::2, ::2] != shown[1::2, 1::2]).any(axis=2).mean() > 0.05
    page.mouse.move(*box.middle)
    assert tip(page)["count"]


@pytest.mark.parametrize("context", [PHONE], indirect=True)
def test_the_plot_fills_a_phone(page: Page, server: Server) -> None:
    open_page(page, f"{server.url}/points/")
    box = plot(page)
    assert box.width > 0.78 * 390
    assert box.height > 0.6 * 780
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    # The pickers fold away; the button brings them.
    picker = page.locator('form [name="cmap"]')
    expect(picker).to_be_hidden()
    page.get_by_role("button", name="Columns and colours").tap()
    expect(picker).to_be_visible()
    picker.select_option("kbc")
    settle(page)
    page.get_by_role("button", name="Columns and colours").tap()
    with moving(page):
        page.get_by_role("button", name="Zoom in").tap()
    page.touchscreen.tap(*plot(page).middle)
    assert tip(page)["count"]
    assert page.evaluate("() => probe.poorControls()") == []
    # Tools that find no room are scrolled to.
    last = page.get_by_role("button", name="Save as an image")
    last.tap()
    expect(last).to_have_attribute("aria-expanded", "true")


@pytest.mark.parametrize("context", [{"color_scheme": "light"}, {"color_scheme": "dark"}], indirect=True)
def test_words_stand_out_in_both_schemes(page: Page, server: Server) -> None:
    open_page(page, f"{server.url}/far/")
    page.locator(f"{figure()} .surface").focus()
    page.keyboard.press("c")
    for open_it in ("about", None, "latency"):
        if open_it:
            page.locator(f'[data-act="{open_it}"]').click()
        else:
            page.keyboard.press("Escape")
            page.keyboard.press("?")
        read = [(words, contrast(*colours)) for words, *colours in page.evaluate("() => probe.words()")]
        assert [(words, ratio) for words, ratio in read if ratio < 4.5] == []
        if open_it is None:
            page.keyboard.press("Escape")


@pytest.mark.parametrize("context", [{"color_scheme": "dark"}], indirect=True)
def test_the_theme_follows_the_system_until_it_is_chosen(page: Page, server: Server) -> None:
    open_page(page, f"{server.url}/walk/")

    def dark() -> bool:
        settle(page)
        return bool(pixels(page)[0, 0, :3].astype(int).sum() < 200)

    button = page.get_by_role("button", name="Theme:")
    assert dark()
    button.click()
    expect(button).to_have_accessible_name("Theme: light")
    assert not dark()
    page.reload()
    page.wait_for_selector('html[data-ready="1"]', state="attached")
    assert not dark()
    button.click()
    expect(button).to_have_accessible_name("Theme: dark")
    button.click()
    expect(button).to_have_accessible_name("Theme: automatic")
    page.emulate_media(color_scheme="light")
    assert not dark()


@pytest.mark.parametrize("context", [{"reduced_motion": "reduce"}], indirect=True)
def test_nothing_moves_by_itself_for_who_wants_no_motion(page: Page, server: Server) -> None:
    open_page(page, f"{server.url}/points/")
    assert page.evaluate("() => probe.animated()") == []


def test_a_resized_window_shows_the_same_ranges(page: Page, server: Server) -> None:
    open_page(page, f"{server.url}/points/#x0=-1&x1=1&y0=-1&y1=1")
    before = plot(page)
    page.set_viewport_size({"width": 760, "height": 560})
    until(page, "w => document.querySelector('canvas.data').getBoundingClientRect().width < w", before.width - 100)
    settle(page)
    assert plot(page).width < before.width
    assert "x0=-1&x1=1&y0=-1&y1=1" in page.url
