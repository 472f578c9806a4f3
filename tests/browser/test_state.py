"""Pickers and views live in the URL; a reload restores them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Page, expect

from .driver import choose, figure, hash_of, home_view, moving, open_page, pixels, settle, until, view, wait_hash
from .served import Server, Tables, start_server


def test_the_form_has_its_controls(page: Page, server: Server) -> None:
    open_page(page, f"{server.url}/points/")
    names = page.evaluate("() => [...document.querySelector('section[data-figure] form').elements].map(e => e.name)")
    assert {"x", "y", "agg", "glyph", "cmap", "how"} <= set(names)
    options = page.evaluate("() => [...document.querySelector('[name=reduction]').options].map(o => o.value)")
    assert options == ["count", "any", "by", "mean", "sum", "min", "max", "first", "last"]


def test_a_reload_restores_the_view_and_the_choices(page: Page, server: Server) -> None:
    open_page(page, f"{server.url}/points/")
    choose(page, "cmap", "bmy")
    choose(page, "how", "log")
    choose(page, "agg", "mean(value)")
    settle(page)
    page.locator(f"{figure()} .surface").focus()
    with moving(page):
        page.keyboard.press("+")
    before, shown = view(page), pixels(page)
    assert {k: v for k, v in hash_of(page).items() if k[0] not in "xy"} == {
        "cmap": "bmy",
        "how": "log",
        "agg": "mean(value)",
    }
    page.reload()
    page.wait_for_selector('html[data-ready="1"]', state="attached")
    assert view(page) == before
    assert (pixels(page) == shown).all()
    assert page.locator('[name="agg"]').input_value() == "mean(value)"


def test_an_address_opens_at_its_view(page: Page, server: Server) -> None:
    open_page(page, f"{server.url}/points/#x0=-1&x1=1&y0=-0.5&y1=0.5&cmap=kbc&how=linear")
    assert page.locator('[name="cmap"]').input_value() == "kbc"
    assert page.locator('[name="how"]').input_value() == "linear"
    until(page, "() => document.querySelector('.surface').getAttribute('aria-label') !== null")
    label = page.locator(f"{figure()} .surface").get_attribute("aria-label")
    assert label
    assert re.fullmatch("points: x \u22121[.]0+ to 1[.]0+, y \u22120[.]50+ to 0[.]50+", label)


@pytest.mark.parametrize(
    "bad", ["x0=9&x1=-9", "x0=nan&x1=1", "x0=&x1=3", "x=nope&cmap=nope&how=nope&glyph=nope", "%%%&&&=", "x0=1e999&x1=2"]
)
def test_nonsense_in_the_address_is_left_out(page: Page, server: Server, bad: str) -> None:
    open_page(page, f"{server.url}/points/#{bad}")
    assert page.locator('[name="x"]').input_value() == "x"
    settle(page)


def test_editing_the_address_moves_the_page(page: Page, server: Server, tables: Tables) -> None:
    open_page(page, f"{server.url}/points/")
    with moving(page):
        page.locator(f"{figure()} .surface").focus()
        page.keyboard.press("+")
    page.evaluate("() => { location.hash = 'x0=-1&x1=1&y0=-1&y1=1&how=cbrt'; }")
    until(page, "() => document.querySelector('[name=how]').value === 'cbrt'")
    settle(page)
    got = view(page)
    assert (got.x0, got.x1, got.y0, got.y1) == (-1, 1, -1, 1)
    page.evaluate("() => { location.hash = ''; }")
    until(page, "() => document.querySelector('[name=how]').value === 'eq_hist'")
    settle(page)
    home = home_view(tables.x, tables.y)
    label = page.locator(f"{figure()} .surface").get_attribute("aria-label")
    assert label and f"{home.x0:.3f}".replace("-", "\u2212") in label


def test_other_columns_are_asked_for_and_remembered(page: Page, server: Server) -> None:
    open_page(page, f"{server.url}/points/")
    choose(page, "y", "value")
    settle(page)
    assert wait_hash(page, "y")["y"] == "value"
    label = page.locator(f"{figure()} .surface")
    expect(label).to_have_attribute("aria-label", re.compile("value"))
    choose(page, "x", "kind")
    settle(page)
    assert wait_hash(page, "x")["x"] == "kind"
    page.reload()
    page.wait_for_selector('html[data-ready="1"]', state="attached")
    assert page.locator('[name="x"]').input_value() == "kind"


def test_points_become_a_line_and_back(page: Page, server: Server) -> None:
    open_page(page, f"{server.url}/walk/")
    assert page.locator('[name="glyph"]').input_value() == "line"
    choose(page, "glyph", "points")
    settle(page)
    assert page.locator('[name="agg"]').input_value() == "count"
    choose(page, "glyph", "line")
    settle(page)
    assert page.locator('[name="agg"]').input_value() == "any"
    until(page, "() => location.hash === ''")


def test_time_ranges_in_the_address_are_nanoseconds(page: Page, server: Server, tables: Tables) -> None:
    open_page(page, f"{server.url}/walk/")
    page.locator(f"{figure()} .surface").focus()
    for _ in range(6):
        with moving(page):
            page.keyboard.press("+")
    state = hash_of(page)
    x0, x1 = int(state["x0"]), int(state["x1"])
    whole = int(tables.time[-1] - tables.time[0]) * 1.04
    assert x1 - x0 == pytest.approx(whole / 1.5**6, rel=1e-6)
    assert tables.time[0] < x0 < x1 < tables.time[-1]


@pytest.fixture(scope="module")
def trips(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A map with other columns."""
    folder = tmp_path_factory.mktemp("trips")
    rng = np.random.default_rng(5)
    stamps = 1_700_000_000_000_000 + rng.integers(0, 10**15, 2_000)
    columns = {
        "lon": rng.uniform(-74, -73, 2_000),
        "lat": rng.uniform(40, 41, 2_000),
        "time": pa.array(stamps, pa.timestamp("us")),
        "fare": rng.uniform(1, 100, 2_000),
    }
    pq.write_table(pa.table(columns), folder / "trips.parquet")
    running = start_server("trips.parquet", cwd=folder)
    yield running
    running.stop()


def test_other_columns_of_a_map_are_no_map(page: Page, trips: Server) -> None:
    """The map's locked aspect would show a unit of fare for each nanosecond, and a log axis of 10^16 decades."""
    open_page(page, f"{trips.url}/trips/")
    assert page.locator('[name="x"]').input_value() == "lon"
    choose(page, "x", "time")
    choose(page, "y", "fare")
    settle(page)
    label = page.locator(f"{figure()} .surface").get_attribute("aria-label") or ""
    found = re.search("fare (\u2212?[0-9.]+) to ([0-9.]+)$", label)
    assert found is not None, label
    low, high = (float(end.replace("\u2212", "-")) for end in found.groups())
    assert -5 < low < 2 and 99 < high < 105
    choose(page, "yaxis", "log")
    settle(page)
