"""A page of data that grow: x follows the newest rows, stays when it is moved, and says what comes out of view."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from playwright.sync_api import BrowserContext, Page, expect

import bigviz as bv
from bigviz.client.streams import Stream

from . import axe
from .driver import figure, frames, hash_of, open_page, plot, rest, until, wait_hash
from .served import Server

START = np.datetime64("2026-03-29T00:59:00", "ms")  # a minute before the clocks of Berlin go from 2:00 to 3:00
SCHEMA = pa.schema({"time": pa.timestamp("ms", "Europe/Berlin"), "price": pa.float64()})
SECOND = 1_000_000_000
LIVE = f'{figure()} [data-act="live"]'
SURFACE = f"{figure()} .surface"


class Market:
    """A stream of a row a second, and its plot, in which x follows the newest minute."""

    def __init__(self, server: Server, *, follow: str | None = "60s") -> None:
        plots = bv.connect(server.url)
        self.url = f"{server.url}/market/"
        self.ticks: Stream = plots.stream("ticks", SCHEMA)
        self.rows = 0
        self.append(60)
        plots.publish("market", bv.figure(title="Market", follow=follow).line("ticks", x="time", y="price"))

    def append(self, seconds: int) -> None:
        rows = self.rows + np.arange(seconds)
        self.ticks.append({"time": START + rows * 1_000, "price": np.sin(rows / 5.0)})
        self.rows += seconds

    def grow(self, page: Page, seconds: int = 5) -> None:
        """Rows come, and the page has drawn them."""
        before = int(page.locator(figure()).get_attribute("data-version") or 0)
        self.append(seconds)
        until(page, f"before => Number(document.querySelector('{figure()}').dataset.version) > before", before)

    @property
    def newest(self) -> int:
        return int((START + (self.rows - 1) * 1_000).astype("datetime64[ns]").astype(np.int64))


@pytest.fixture
def market(serve: Callable[..., Server], tmp_path: Path) -> Market:
    return Market(serve("--library", "library", cwd=tmp_path))


def pan(page: Page, share: float) -> None:
    """Drags the plot to the right by a share of its width."""
    box = plot(page)
    page.mouse.move(*box.at(0.2, 0.5))
    page.mouse.down()
    page.mouse.move(*box.at(0.2 + share, 0.5), steps=4)
    page.mouse.up()
    rest(page)


def pause(page: Page) -> dict[str, str]:
    """Stays where it is, which the address then says."""
    page.locator(SURFACE).press("l")
    expect(page.locator(LIVE)).to_have_attribute("aria-pressed", "false")
    return wait_hash(page)


def ends(state: dict[str, str]) -> tuple[float, float]:
    """The x range, in seconds from the first row."""
    first = int(START.astype("datetime64[ns]").astype(np.int64))
    return (float(state["x0"]) - first) / SECOND, (float(state["x1"]) - first) / SECOND


def pause_at_newest(page: Page, market: Market) -> dict[str, str]:
    """Pauses once the window has come to the newest rows: sooner, the glide ends on its way."""
    for _ in range(100):
        state = pause(page)
        if ends(state)[1] == pytest.approx(market.rows - 1 + 1.2, abs=0.01):
            return state
        page.locator(SURFACE).press("l")
        frames(page, 30)
    raise AssertionError(f"the window stays at {state}")


def test_x_follows_the_newest_rows_and_is_paused_and_resumed(page: Page, market: Market) -> None:
    open_page(page, market.url)
    button, section, hint = page.locator(LIVE), page.locator(figure()), page.locator('[data-beyond="right"]')
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".live-badge")).to_be_hidden()
    market.grow(page, 10)
    expect(page.locator(".live-badge")).to_contain_text("rows/s")
    expect(section).to_have_attribute("data-live", "1")
    assert page.evaluate("() => location.hash") == "", "following as published is the plain address"

    pan(page, 0.5)
    expect(button).to_have_attribute("aria-pressed", "false")
    expect(section).to_have_attribute("data-follow", "0")
    expect(hint).to_be_hidden()
    where = wait_hash(page)
    market.grow(page)
    expect(hint).to_be_visible()
    assert hash_of(page) == where, "new data move nothing"
    hint.click()
    expect(hint).to_be_hidden()
    expect(button).to_have_attribute("aria-pressed", "true")
    until(page, "() => location.hash === ''")

    market.grow(page)
    expect(page.locator(SURFACE)).to_be_focused()
    page.keyboard.press("+")
    expect(button).to_have_attribute("aria-pressed", "false")
    market.grow(page)
    page.keyboard.press("l")
    expect(button).to_have_attribute("aria-pressed", "true")
    until(page, "() => location.hash.includes('follow=40')")
    market.grow(page)
    page.keyboard.press("Alt+ArrowLeft")
    expect(button).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("0")
    expect(button).to_have_attribute("aria-pressed", "true")
    until(page, "() => location.hash === ''")
    market.grow(page, 20)
    low, high = ends(pause_at_newest(page, market))
    assert (low, high) == pytest.approx((market.rows - 1 + 1.2 - 60, market.rows - 1 + 1.2), abs=0.01)


def test_while_it_follows_few_requests_are_made(page: Page, market: Market) -> None:
    open_page(page, market.url)
    market.grow(page, 10)
    page.evaluate("() => probe.countSent()")
    frames(page, 60)
    assert page.evaluate("() => probe.sent") < 10


def test_the_home_view_grows_only_while_nobody_has_moved_it(
    page: Page, serve: Callable[..., Server], tmp_path: Path
) -> None:
    market = Market(serve("--library", "library", cwd=tmp_path), follow=None)
    open_page(page, market.url)
    button, surface, hint = page.locator(LIVE), page.locator(SURFACE), page.locator('[data-beyond="right"]')
    expect(button).to_be_hidden()
    with labelled_anew(page):
        market.grow(page, 60)
    expect(button).to_have_attribute("aria-pressed", "false")
    expect(hint).to_be_hidden()
    surface.press("ArrowLeft")
    where = wait_hash(page)
    market.grow(page, 60)
    expect(hint).to_be_visible()
    assert hash_of(page) == where
    hint.click()
    until(page, "x1 => !location.hash.includes(x1)", where["x1"])
    expect(hint).to_be_hidden()
    expect(button).to_have_attribute("aria-pressed", "false")
    with labelled_anew(page):
        surface.press("0")
    with labelled_anew(page):
        market.grow(page, 60)
    until(page, "() => location.hash === ''")  # it is written a little later

    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    until(page, "() => location.hash.includes('follow=')")
    kept = hash_of(page)
    assert set(kept) == {"follow"} and float(kept["follow"]) / SECOND == pytest.approx(239 * 1.04)
    page.reload()
    page.wait_for_selector('html[data-ready="1"]', state="attached")
    market.grow(page)
    expect(button).to_have_attribute("aria-pressed", "true")
    assert hash_of(page) == kept


@contextmanager
def labelled_anew(page: Page) -> Iterator[None]:
    """What is done inside gives the plot another name: it shows another range."""
    before = page.locator(SURFACE).get_attribute("aria-label")
    yield
    until(page, f"before => document.querySelector('{SURFACE}').getAttribute('aria-label') !== before", before)


def test_the_window_goes_over_a_change_of_the_clock(page: Page, market: Market) -> None:
    open_page(page, market.url)
    market.grow(page, 30)
    label = re.compile(r"\(Europe/Berlin\) 2026-03-29 01:59:30\.20 to 2026-03-29 03:00:30\.20")
    pause_at_newest(page, market)
    expect(page.locator(SURFACE)).to_have_attribute("aria-label", label)


@pytest.mark.parametrize("context", [{"reduced_motion": "reduce"}], indirect=True)
def test_with_less_motion_the_window_moves_in_few_steps(context: BrowserContext, page: Page, market: Market) -> None:
    open_page(page, market.url)
    market.grow(page, 5)
    low, high = ends(pause(page))
    assert (low, high) == pytest.approx((market.rows - 1 + 1.2 + 7.5 - 60, market.rows - 1 + 1.2 + 7.5), abs=0.01)


def test_the_badge_and_the_buttons_are_accessible_in_both_schemes(page: Page, market: Market) -> None:
    open_page(page, market.url)
    page.locator(SURFACE).press("ArrowLeft")
    market.grow(page)
    hint = page.locator('[data-beyond="right"]')
    expect(hint).to_be_visible()
    expect(page.locator(".live-badge")).to_contain_text("rows/s")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        frames(page)
        assert axe.faults(page) == []
    said = page.locator(".sr.live").text_content()
    market.grow(page)
    assert page.locator(".sr.live").text_content() == said, "what data do is not announced"
    hint.focus()
    page.keyboard.press("Enter")
    expect(page.locator(LIVE)).to_have_attribute("aria-pressed", "true")
    expect(page.locator(SURFACE)).to_be_focused()
