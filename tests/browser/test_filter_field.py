"""The filter in a figure's form."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Page, expect

from .axe import faults
from .driver import open_page, settle, until
from .served import Server, start_server

ROWS = 100_000
# Where the mark stands, in characters of the field.
MARKED = """() => {
  const mark = parseFloat(getComputedStyle(document.querySelector('.filter .caret'), '::before').left) + 4;
  const input = document.querySelector('[name="filter"]');
  const style = getComputedStyle(input);
  const pen = new OffscreenCanvas(1, 1).getContext('2d');
  pen.font = `${style.fontSize} ${style.fontFamily}`;
  const text = input.getBoundingClientRect().left + parseFloat(style.paddingLeft);
  const { left } = document.querySelector('.filter .fault').getBoundingClientRect();
  return (left + mark - text) / pen.measureText('0').width;
}"""


@pytest.fixture(scope="module")
def trips(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """`trips`: fares are 0, 1, 2, ... 99 again and again."""
    rng = np.random.default_rng(3)
    columns = {"x": rng.normal(size=ROWS), "y": rng.normal(size=ROWS), "fare": np.arange(ROWS) % 100}
    folder = tmp_path_factory.mktemp("trips")
    pq.write_table(pa.table(columns), folder / "trips.parquet")
    running = start_server("trips.parquet", "--x", "x", "--y", "y", cwd=folder)
    yield running
    running.stop()


def test_a_filter_is_applied_refused_taken_back_and_removed(page: Page, trips: Server) -> None:
    page.emulate_media(color_scheme="dark")
    open_page(page, f"{trips.url}/trips/")
    field, fault = page.locator('form [name="filter"]'), page.locator(".filter .fault")
    told = page.locator('[data-part="rows"]').first
    expect(told).to_contain_text("100,000 rows")
    field.fill("fare < 25")
    field.press("Enter")
    expect(told).to_contain_text("25,000 of 100,000 rows")
    settle(page)
    until(page, "() => new URLSearchParams(location.hash.slice(1)).get('filter') === 'fare < 25'")

    field.fill("fare < 'a'")
    field.press("Enter")
    expect(fault).to_be_visible()
    expect(fault).to_contain_text("compare it with a number")
    expect(page.get_by_text("compare it with a number")).to_have_count(1)
    expect(field).to_have_value("fare < 'a'")
    assert 7 <= page.evaluate(MARKED) <= 8, "the mark is under the first character of 'a'"
    expect(told).to_contain_text("25,000 of 100,000 rows")
    assert faults(page) == []
    field.press("Escape")
    expect(fault).to_be_hidden()
    expect(field).to_have_value("fare < 25")

    open_page(page, f"{trips.url}/trips/#filter=fare+%3E%3D+90")
    expect(told).to_contain_text("10,000 of 100,000 rows")
    field.fill("")
    field.press("Enter")
    expect(told).to_have_text("100,000 rows")
    until(page, "() => !location.hash.includes('filter')")


def test_a_filter_on_a_phone(page: Page, trips: Server) -> None:
    page.set_viewport_size({"width": 390, "height": 780})
    open_page(page, f"{trips.url}/trips/")
    page.locator('[data-act="settings"]').click()
    field = page.locator('form [name="filter"]')
    field.fill("fare <")
    field.press("Enter")
    fault = page.locator(".filter .fault")
    expect(fault).to_be_visible()
    assert 6 <= page.evaluate(MARKED) <= 7, "the mark is behind the last character"
    box, sheet = fault.bounding_box(), page.locator("form.pickers").bounding_box()
    assert box and sheet and box["x"] >= sheet["x"] and box["x"] + box["width"] <= sheet["x"] + sheet["width"]
    field.fill("fare < 50")
    field.press("Enter")
    expect(page.locator('[data-part="rows"]').first).to_contain_text("50,000 of 100,000 rows")
