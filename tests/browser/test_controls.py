"""Controls and tabs in the page: with the keyboard alone, in its address, on a phone, and free of axe-core's faults."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Page, expect

from .axe import faults
from .driver import figure, hash_of, open_page, settle, until, wait_hash
from .served import Server, start_server

ROWS = 3_000
APP = """
import bigviz as bv

trips = bv.open("trips.parquet")
metric = bv.select("metric", {"Trips": "count", "Mean fare": "mean(fare)"}, "count", "Show")
stop = bv.select("stop", trips, column="stop", label="Stop")
kinds = bv.multiselect("kinds", trips, column="kind", label="Kinds")
colours = bv.radio("colours", ["fire", "viridis"])
paid = bv.checkbox("paid", label="Only paid")
least = bv.slider("least", 0, 50, 1, label="At least")
fare = bv.range_slider("fare", 0, 50, 1, label="Fare")
days = bv.date_range("days", "2025-01-01", "2025-12-31", label="Days")
word = bv.text_input("word", label="Kind begins with", placeholder="t")
kept = ("stop = $stop and kind in $kinds and (paid = $paid or not $paid) and fare >= $least and "
        "fare between $fare and day between $days and starts_with(kind, $word)")
count = bv.number("count", "count()", trips, kept, "Trips")
text = "# Trips\\n- **made** up\\n- <b>no</b> [page](https://example.org) [none](javascript:alert)"
words = bv.markdown(text, id="w")
points = bv.figure(title="Points", id="points")
points.points(trips, "x", "y", agg=metric, cmap=colours, filter=kept)
other = bv.figure(title="All").points(trips, "x", "fare")
below = bv.row(bv.figure(title="Fares").histogram(trips, "fare"), bv.figure(title="Kinds").bar(trips, "kind"))
panel = bv.column(words, count, metric, kinds, colours, paid, least, fare, days, word, stop, bv.button("go", "Go"))
plots = bv.tabs({"Points": points, "All": bv.column(other, below), "Rows": bv.table("rows", points, ["fare", "kind"])})
bv.document(bv.row(panel, plots), title="Controls", id="controls")
"""


@pytest.fixture(scope="module")
def trips() -> pa.Table:
    rng = np.random.default_rng(11)
    return pa.table(
        {
            "x": rng.normal(size=ROWS),
            "y": rng.normal(size=ROWS),
            "fare": rng.integers(0, 50, ROWS),
            "kind": rng.choice(["bus", "taxi", "tram"], ROWS),
            "stop": rng.choice(["", *(f"stop {k:02}" for k in range(60))], ROWS),
            "paid": rng.random(ROWS) < 0.5,
            "day": pa.array(20_089 + rng.integers(0, 365, ROWS), pa.int32()).cast(pa.date32()),
        }
    )


@pytest.fixture(scope="module")
def controls(trips: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("controls")
    pq.write_table(trips, folder / "trips.parquet")
    (folder / "controls.py").write_text(APP)
    running = start_server("controls.py", cwd=folder)
    yield running
    running.stop()


def value(page: Page, control: str) -> Any:
    """The value of a control that the address has."""
    found = hash_of(page).get(f"c.{control}")
    return None if found is None else json.loads(found)


def counted(page: Page, rows: int) -> None:
    """Wait until the live figure says so many rows."""
    expect(page.locator("[data-control=count] output")).to_have_text(f"{rows:,}")


def press(page: Page, selector: str, *keys: str) -> None:
    page.locator(selector).focus()
    for key in keys:
        page.keyboard.press(key)


def test_every_control_works_with_the_keyboard_and_is_in_the_address(
    page: Page, controls: Server, trips: pa.Table
) -> None:
    open_page(page, f"{controls.url}/controls/")
    settle(page)
    fare, kind = trips["fare"].to_numpy(), np.array(trips["kind"].to_pylist())
    counted(page, ROWS)
    press(page, "[name=kinds][value=bus]", "Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    kept = np.isin(kind, ["bus", "taxi"])
    counted(page, int(kept.sum()))
    press(page, "[name=least]", "ArrowRight", "ArrowRight", "ArrowRight")
    kept &= fare >= 3
    counted(page, int(kept.sum()))
    press(page, "[name=fare] >> nth=1", *["ArrowLeft"] * 10)
    kept &= fare <= 40
    counted(page, int(kept.sum()))
    press(page, "[name=paid]", "Space")
    kept &= trips["paid"].to_numpy()
    counted(page, int(kept.sum()))
    page.locator("[name=word]").focus()
    page.keyboard.type("ta")
    kept &= kind == "taxi"
    counted(page, int(kept.sum()))
    page.locator("[name=days]").nth(0).fill("2025-03-01")
    page.locator("[name=days]").nth(1).fill("2025-08-31")
    day = trips["day"].to_numpy()
    kept &= (day >= np.datetime64("2025-03-01")) & (day <= np.datetime64("2025-08-31"))
    counted(page, int(kept.sum()))
    expect(page.locator("[name=stop] option").nth(1)).to_have_text("(blank)")
    page.get_by_label("Search Stop").focus()
    page.keyboard.type("07")
    expect(page.locator("[name=stop] option")).to_have_text(["All", "stop 07"])
    press(page, "[name=stop]", "ArrowDown")
    kept &= np.array(trips["stop"].to_pylist()) == "stop 07"
    counted(page, int(kept.sum()))
    press(page, "[name=colours][value=fire]", "ArrowRight")
    press(page, "[name=metric]", "ArrowDown")
    until(page, "() => new URLSearchParams(location.hash.slice(1)).get('c.metric') === '\"mean(fare)\"'")
    settle(page)
    assert value(page, "kinds") == ["bus", "taxi"] and value(page, "least") == 3 and value(page, "fare") == [0, 40]
    assert value(page, "paid") is True and value(page, "word") == "ta" and value(page, "colours") == "viridis"
    assert value(page, "days") == ["2025-03-01", "2025-08-31"] and value(page, "stop") == "stop 07"
    rows = page.locator(f"{figure()} [data-part=rows]")
    expect(rows).to_contain_text(f"{int(kept.sum()):,} of {ROWS:,}")
    again = page.url
    page.goto("about:blank")
    open_page(page, again)
    settle(page)
    counted(page, int(kept.sum()))
    expect(page.locator("[name=metric]")).to_have_value("mean(fare)")
    expect(page.locator("[name=kinds]:checked")).to_have_count(2)


def test_tabs_are_one_stop_and_figures_behind_them_ask_for_nothing(page: Page, controls: Server) -> None:
    open_page(page, f"{controls.url}/controls/")
    settle(page)
    tabs = page.get_by_role("tab")
    expect(tabs).to_have_text(["Points", "All", "Rows"])
    assert page.locator(figure(1)).get_attribute("data-exact") == "0"
    press(page, "[role=tab][aria-selected=true]", "ArrowRight")
    settle(page, 1)
    expect(tabs.nth(1)).to_have_attribute("aria-selected", "true")
    expect(tabs.nth(1)).to_be_focused()
    widths = [page.locator(figure(k)).evaluate("each => each.offsetWidth") for k in (2, 3)]
    assert abs(widths[0] - widths[1]) <= 1, "a row within a row of controls and figures has columns of its own"
    page.keyboard.press("End")
    expect(page.locator("[data-control=rows]")).to_contain_text("No rows are selected in Points.")
    page.keyboard.press("Home")
    settle(page)
    page.locator("[name=least]").fill("20")
    until(page, "() => location.hash.includes('c.least=20')")
    settle(page)
    page.evaluate("() => { location.hash = '' }")
    expect(page.locator("[name=least]")).to_have_value("0")
    counted(page, ROWS)
    page.locator(f"{figure()} .surface").press("v")
    press(page, "[role=tab][aria-selected=true]", "End")
    rows = page.locator("[data-control=rows]")
    expect(rows.locator(".table-feet")).to_contain_text(f"1 to 20 of {ROWS:,} rows")
    expect(rows.locator("th")).to_have_text(["fare", "kind"])
    press(page, "[data-control=rows] th:first-child button", "Enter", "Enter")
    expect(rows.locator("td:first-child")).to_have_text(["49"] * 20)
    expect(rows.locator("th:first-child button")).to_be_focused()
    rows.get_by_role("button", name="Next page").press("Enter")
    expect(rows.locator(".table-feet")).to_contain_text("21 to 40")
    words = page.locator("[data-control=w]")
    expect(words.locator("a")).to_have_count(1)
    expect(words).to_contain_text("<b>no</b> page [none](javascript:alert)")


def test_back_and_forward_go_through_values_tabs_and_views(page: Page, controls: Server) -> None:
    open_page(page, f"{controls.url}/controls/")
    settle(page)
    press(page, "[name=paid]", "Space")
    until(page, "() => location.hash.includes('c.paid=true')")
    settle(page)
    page.locator(f"{figure()} .surface").press("+")
    wait_hash(page)
    near = hash_of(page)
    tabs = page.get_by_role("tab")
    tabs.nth(2).click()
    until(page, "() => location.hash.includes('tab=2')")
    again = page.url
    page.go_back()
    expect(tabs.nth(0)).to_have_attribute("aria-selected", "true")
    settle(page)
    assert hash_of(page) == near, "the view that was zoomed is that of the tab's entry"
    page.go_back()
    expect(page.locator("[name=paid]")).not_to_be_checked()
    settle(page)
    assert hash_of(page) == {}
    page.go_forward()
    expect(page.locator("[name=paid]")).to_be_checked()
    settle(page)
    assert hash_of(page) == near
    page.goto("about:blank")
    open_page(page, again)
    expect(page.get_by_role("tab").nth(2)).to_have_attribute("aria-selected", "true")
    expect(page.locator("[name=paid]")).to_be_checked()


@pytest.mark.parametrize("context", [{"viewport": {"width": 390, "height": 844}, "has_touch": True}], indirect=True)
def test_on_a_phone_controls_stand_over_each_other_and_can_be_hit(page: Page, controls: Server) -> None:
    open_page(page, f"{controls.url}/controls/#c.least=3")
    settle(page)
    expect(page.locator("[name=least]")).to_be_hidden()
    expect(page.locator("[data-control=count] output")).to_be_visible()
    fold = page.get_by_role("button", name="Controls 1 set")
    height = fold.bounding_box()
    assert height and height["height"] >= 44
    fold.tap()
    expect(page.locator("[name=least]")).to_be_visible()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert faults(page) == []
    sizes = page.eval_on_selector_all(
        "[data-control] :is(select, [type=range], [type=text], [type=date], button.action, .choice), .tab",
        "all => all.map(each => [each.outerHTML.slice(0, 60), each.getBoundingClientRect().height])",
    )
    assert len(sizes) > 15 and [each for each in sizes if each[1] < 44] == []
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    panel = "document.querySelector('.panel-of-controls')"
    bottom, last, below = page.evaluate(
        f"() => [{panel}, {panel}.lastElementChild].map(each => each.getBoundingClientRect().bottom)"
        ".concat(document.querySelector('.layout-tabs').getBoundingClientRect().top)"
    )
    assert bottom - last < 20 and below >= bottom, "no gap below controls, no overlap"
