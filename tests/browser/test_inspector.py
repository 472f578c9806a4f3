"""A mark shows its row's other columns: some next to the pointer, all in the inspector beside the plot, with the first
rows of the view or of a cell."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Page, expect

from .axe import faults
from .driver import figure, hash_of, open_page, plot, settle, tip, until
from .served import Server, start_server

EVIL = "<img src=x onerror=alert(1)>"
TABLE = pa.table({
    "x": [0.0, 1.0, 2.0],
    "y": [0.0, 2.0, 1.0],
    "name": ["a", EVIL, "c"],
    "id": pa.array([1, 2**63 + 1, 3], pa.uint64()),
    **{f"extra{k}": [k, None, k] for k in range(12)},
})  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("card")
    pq.write_table(TABLE, folder / "three.parquet")
    running = start_server("three.parquet", "--x", "x", "--y", "y", "--glyph", "points", cwd=folder)
    yield running
    running.stop()


def place(page: Page) -> tuple[float, float]:
    """Where the middle row's mark lies: at x 1 of 0 to 2, y 2 of 0 to 2, with 2 % around."""
    return plot(page).at(0.5, 0.02 / 1.04)


def test_hover_tells_other_columns_and_a_click_opens_them_all(page: Page, server: Server) -> None:
    open_page(page, f"{server.url}/three/")
    page.mouse.move(*place(page))
    expect(page.locator(".tip")).to_contain_text("id")
    told = tip(page)
    assert told["row"] == "1" and told["name"] == EVIL and told["id"] == str(2**63 + 1) and told["extra0"] == "null"
    assert "4 more: click" in told
    page.mouse.click(*place(page))
    side = page.get_by_role("complementary", name="Inspector")
    row = side.get_by_role("region", name="Row 1")
    names = row.locator("dt").all_text_contents()
    assert sorted(names) == sorted(TABLE.column_names) and names[:2] == ["x", "y"]
    assert side.locator("img").count() == 0
    expect(row.get_by_role("button", name="Filter: id = 9223372036854775809")).to_be_visible()
    expect(side.get_by_role("heading", name="3 rows in view")).to_be_visible()
    expect(side.locator('tbody tr[aria-selected="true"] th')).to_have_text("1")
    box = side.bounding_box()
    assert box and plot(page).x + plot(page).width <= box["x"], "the plot makes room"
    assert hash_of(page) == {}, "and keeps its view"
    assert faults(page) == []
    page.keyboard.press("Escape")
    expect(side).to_be_hidden()


def test_the_inspector_with_the_keyboard_alone(page: Page, server: Server) -> None:
    open_page(page, f"{server.url}/three/")
    surface = page.locator(f"{figure()} .surface")
    surface.focus()
    page.keyboard.press("i")
    side = page.get_by_role("complementary", name="Inspector")
    lines = side.locator("tbody tr")
    expect(lines.nth(0)).to_be_focused()
    expect(side.get_by_role("region", name="Row 0")).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(lines.nth(1)).to_be_focused()
    expect(side.get_by_role("region", name="Row 1")).to_contain_text(EVIL)
    side.get_by_label("sort by").select_option("id")
    expect(lines.locator("th")).to_have_text(["0", "2", "1"])
    side.get_by_role("button", name="lowest first").press("Enter")
    expect(lines.locator("th")).to_have_text(["1", "2", "0"])
    lines.nth(0).press("ArrowUp")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("End")
    expect(lines.nth(2)).to_be_focused()
    with page.expect_download() as saving:
        side.get_by_role("button", name="Save them").press("Enter")
    saved = saving.value.path().read_text("utf-8").splitlines()
    assert saved[0].startswith("row,x,y,name,id") and saved[1].startswith(f"1,1,2,{EVIL},{2**63 + 1},,")
    lines.nth(2).press("Enter")
    expect(side.get_by_role("button", name="Filter: x = 0", exact=True)).to_be_focused()
    side.get_by_role("separator").press("ArrowLeft")
    side.get_by_role("button", name="Filter: extra1 = 1", exact=True).press("Enter")
    until(page, "() => new URLSearchParams(location.hash.slice(1)).get('filter') === 'extra1 = 1'")
    settle(page)
    page.keyboard.press("Escape")
    expect(side).to_be_hidden()
    expect(surface).to_be_focused()
