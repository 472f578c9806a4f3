"""A mark shows its row's other columns: some next to the pointer, all in a card that a click opens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Page, expect

from .driver import open_page, plot, tip, until
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
    card = page.locator(".row-card")
    expect(card).to_be_visible()
    expect(card.locator("h3")).to_have_text("Row 1")
    names = card.locator("dt").all_text_contents()
    assert sorted(names) == sorted(TABLE.column_names) and names[:2] == ["x", "y"]
    assert page.locator(".row-card img").count() == 0
    expect(card.get_by_role("button", name="Filter: id = 9223372036854775809")).to_be_visible()
    page.keyboard.press("Escape")
    page.mouse.move(*plot(page).at(0.5, 0.6))
    page.mouse.wheel(0, -120)
    expect(card).to_be_hidden()


def test_the_card_can_be_closed_with_its_button_and_filters(page: Page, server: Server) -> None:
    open_page(page, f"{server.url}/three/")
    page.mouse.click(*place(page))
    page.get_by_role("button", name="Close").click()
    expect(page.locator(".row-card")).to_be_hidden()
    page.mouse.move(*place(page))
    page.keyboard.press("i")
    page.get_by_role("button", name="Filter: extra1 is null").press("Enter")
    until(page, "() => new URLSearchParams(location.hash.slice(1)).get('filter') === 'extra1 is null'")
