"""The status line of a figure, and the height of figures: whatever is said, the plots of neighbours stay in line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Page, expect

from .driver import figure, moving, open_page, plot
from .served import Server, start_server

ROWS = 50_000
# What the live region said, and when.
LISTEN = """
window.told = [];
new MutationObserver(() => {
  const words = document.querySelector(".live")?.textContent;
  if (words && told.at(-1)?.[0] !== words) told.push([words, performance.now()]);
}).observe(document, { subtree: true, childList: true, characterData: true });
"""
APP = """
import bigviz as bv

odd = bv.figure(title="Odd").points(bv.open("odd.parquet"), "x", "y")
plain = bv.figure(title="Plain").points(bv.open("plain.parquet"), "x", "y")
bv.document(bv.row(odd, plain), title="Two")
"""
DEEP = """
import bigviz as bv

some = [bv.figure(title=str(k)).points(bv.open("plain.parquet"), "x", "y") for k in range(4)]
bv.document(bv.column(bv.column(*some[:3]), some[3]), title="Deep")
"""


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """odd: 1 % of rows at (99, 99), one row very far off, three missing; and plain."""
    folder: Path = tmp_path_factory.mktemp("two")
    rng = np.random.default_rng(8)
    x, y = rng.normal(0, 1, (2, ROWS))
    pq.write_table(pa.table({"x": x, "y": y}), folder / "plain.parquet")
    x[::100] = y[::100] = 99
    x[7], y[11:14] = 9.97e36, np.nan
    pq.write_table(pa.table({"x": x, "y": y}), folder / "odd.parquet")
    (folder / "two.py").write_text(APP)
    running = start_server("two.py", cwd=folder)
    yield running
    running.stop()


@pytest.fixture
def deep(tmp_path: Path, serve: Callable[..., Server]) -> Server:
    """Three figures in a column, in a column with a fourth."""
    x, y = np.random.default_rng(9).normal(0, 1, (2, 1_000))
    pq.write_table(pa.table({"x": x, "y": y}), tmp_path / "plain.parquet")
    (tmp_path / "deep.py").write_text(DEEP)
    return serve("deep.py", cwd=tmp_path)


def in_line(page: Page) -> bool:
    odd, plain = plot(page, 0), plot(page, 1)
    return (odd.y, odd.height) == (plain.y, plain.height) and odd.height > 0


def test_neighbours_stay_in_line_whatever_one_of_them_says(page: Page, two: Server) -> None:
    open_page(page, f"{two.url}/two/")
    expect(page.locator(f'{figure(0)} [data-part="outside"]')).to_contain_text("outside this view")
    expect(page.locator(f'{figure(0)} [data-part="far"]')).to_contain_text("1 row lies very far")
    expect(page.locator(f'{figure(1)} [data-part="state"]')).to_have_text("exact")
    expect(page.locator(f"{figure(1)} .status").get_by_role("button")).to_have_count(0)
    assert in_line(page)
    before = plot(page)
    with moving(page, 0):
        page.get_by_role("button", name="Show all").click()
    expect(page.locator(f'{figure(0)} [data-part="outside"]')).to_be_hidden()
    assert plot(page) == before and in_line(page)
    page.locator(f'{figure(0)} [data-act="settings"]').click()
    expect(page.locator(f"{figure(0)} form.pickers")).to_be_visible()
    assert plot(page) == before and in_line(page)


def test_the_details_say_all_and_have_every_button(page: Page, two: Server) -> None:
    open_page(page, f"{two.url}/two/")
    page.get_by_role("button", name="Details").click()
    details = page.get_by_role("dialog", name="Status in full")
    expect(details).to_contain_text("1 row lies very far from all others and is left out: a fill value, perhaps")
    expect(details).to_contain_text("3 not drawn: missing, not finite, or off the axis")
    expect(details.get_by_role("button")).to_have_text(["Show all", "Show them"])
    details.get_by_role("button", name="Show them").click()
    expect(details).to_be_hidden()
    expect(page.locator(f'{figure(0)} [data-part="far"]')).to_contain_text("makes room")


def test_screen_readers_are_told_each_thing_and_not_all_at_once(page: Page, two: Server) -> None:
    page.add_init_script(LISTEN)
    open_page(page, f"{two.url}/two/")
    for words in ("rows lie outside this view", "1 row lies very far"):
        page.wait_for_function("words => told.some(([said]) => said.includes(words))", arg=words)
    said = page.evaluate("told")
    assert len({words for words, _ in said}) == len(said), "nothing is said twice"
    # At most one a second; a busy machine may see one of them late, so all are counted, not each pair.
    assert len(said) - 2 <= (said[-1][1] - said[0][1]) / 1000
    assert page.locator(f"{figure()} .status [aria-live], {figure()} .status [role=status]").count() == 0


def test_figures_of_a_column_in_a_column_follow_one_another(page: Page, deep: Server) -> None:
    open_page(page, f"{deep.url}/deep/")
    boxes = [page.locator(figure(k)).bounding_box() for k in range(4)]
    for above, below in pairwise(boxes):
        assert above and below and above["y"] + above["height"] <= below["y"] + 1
        assert above["height"] >= 339
