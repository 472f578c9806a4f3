"""Axes of integers beyond 2^53: the first view, the pointer and the address keep the last digit."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Page

from .driver import home, hover, moving, open_page, plot, settle, tip, wait_hash
from .served import Server, start_server

ROWS = 100
# Nanoseconds as int64, ids that no double tells apart, and the ends of both kinds of 64-bit integers.
COLUMNS = {
    "ns": np.arange(ROWS) + 1_700_000_000_000_000_000,
    "ids": np.arange(ROWS) + (2**62 + 5),
    "last": np.arange(ROWS).astype(np.uint64) + np.uint64(2**64 - ROWS),
    "first": np.arange(-(2**63), -(2**63) + ROWS),
}
SPREAD = np.array([5, 2**63 + 1, 2**63 + 2, 2**63 + 3, 2**64 - 7], np.uint64)  # farther apart than doubles tell


@pytest.fixture(scope="module")
def wide_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("whole")
    for name, numbers in COLUMNS.items():
        pq.write_table(pa.table({"x": numbers, "y": np.arange(ROWS)}), folder / f"{name}.parquet")
    pq.write_table(pa.table({"x": SPREAD, "y": SPREAD}), folder / "spread.parquet")
    files = [f"{name}.parquet" for name in [*COLUMNS, "spread"]]
    running = start_server(*files, "--x", "x", "--y", "y", cwd=folder)
    yield running
    running.stop()


def exactly(page: Page) -> list[int]:
    """The whole numbers in the tooltip, without their thousands separators."""
    return [int(value.replace(",", "").replace("\u2212", "-")) for value in tip(page).values()]


@pytest.mark.parametrize("glyph", ["points", "line"])
@pytest.mark.parametrize("name", COLUMNS)
def test_the_first_view_holds_every_row_and_tells_each(page: Page, wide_server: Server, name: str, glyph: str) -> None:
    numbers = [int(number) for number in COLUMNS[name]]
    open_page(page, f"{wide_server.url}/{name}/#glyph={glyph}")
    settle(page)
    box = plot(page)
    low, high = home(0, ROWS - 1)
    shift = {"last": -1, "first": 2}.get(name, 0)  # a view cannot leave the numbers that exist
    for row in (0, 1, 57, ROWS - 1):
        across, up = ((row - low - shift) / (high - low), (row - low) / (high - low))
        hover(page, *box.at(min(max(across, 0.001), 0.999), 1 - up))
        assert exactly(page)[:2] == [numbers[row], row]


def test_the_address_says_where_and_leads_back(page: Page, wide_server: Server) -> None:
    numbers = [int(number) for number in COLUMNS["ids"]]
    open_page(page, f"{wide_server.url}/ids/#x0={numbers[10]}&x1={numbers[20]}&y0=0&y1={ROWS}")
    settle(page)
    box = plot(page)
    hover(page, *box.at(0.5, 0.85))
    assert exactly(page)[0] == numbers[15]
    with moving(page):
        page.mouse.wheel(0, 120)
    state = wait_hash(page)
    x0, x1 = Decimal(state["x0"]), Decimal(state["x1"])
    assert numbers[0] < x0 < numbers[10] and numbers[20] < x1 < numbers[30]
    assert x0 != int(x0), "a pixel is less than a whole number"


@pytest.mark.parametrize("glyph", ["points", "line"])
def test_rows_far_apart_are_told_to_their_last_digit(page: Page, wide_server: Server, glyph: str) -> None:
    open_page(page, f"{wide_server.url}/spread/#glyph={glyph}")
    settle(page)
    box = plot(page)
    for value, (fx, fy) in ((5, (0.02, 0.98)), (2**64 - 7, (0.98, 0.02))):
        hover(page, *box.at(fx, fy))
        assert exactly(page)[:2] == [value, value]
    ends = f"{2**63}&{{}}1={2**63 + 4}"
    open_page(page, f"{wide_server.url}/spread/?near#glyph={glyph}&x0={ends.format('x')}&y0={ends.format('y')}")
    settle(page)
    for value in (2**63 + 1, 2**63 + 2, 2**63 + 3):
        share = (value - 2**63) / 4
        hover(page, *box.at(share, 1 - share))
        assert exactly(page)[:2] == [value, value]
