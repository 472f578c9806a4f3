"""Pages of a server of several processes: one that is killed, and a cluster whose scheduler is gone for a while. The
servers stand before the page in the arguments of a test, so that they end after it."""

from __future__ import annotations

import csv
import io
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Page, expect

from ..dask_cluster import DaskCluster, dask_cluster
from ..patience import PATIENCE
from ..server.processes.front_ends import FrontEnds, front_ends
from .driver import figure, hash_of, moving, open_page, pixels, rest, settle
from .test_selection import chosen

ROWS = 20_000


@pytest.fixture
def two(files: Path) -> Iterator[FrontEnds]:
    with front_ends(str(files / "points.parquet")) as found:
        yield found


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    with dask_cluster(tmp_path_factory.mktemp("cluster")) as found:
        yield found


@pytest.fixture
def on_cluster(cluster: DaskCluster, tmp_path: Path) -> Iterator[FrontEnds]:
    rng = np.random.default_rng(6)
    pq.write_table(pa.table({name: rng.normal(size=ROWS) for name in "xy"}), tmp_path / "cloud.parquet")
    words = ("--x=x", "--y=y", "--scheduler", cluster.address)
    with front_ends(str(tmp_path / "cloud.parquet"), *words) as found:
        yield found


def moved(server: FrontEnds) -> tuple[int, int]:
    """The number of the process that a page has connected to, once the one before is there again; and its process."""
    number, pid = -1, 0
    while number < 0 or not pid:
        facts = server.lines.get(timeout=PATIENCE)
        if facts["event"] == "connected":
            number = facts["process"]
        elif facts["event"] == "process" and facts["done"] == "answers":
            pid = facts["pid"]
    return number, pid


def test_a_page_of_one_that_is_killed_goes_on_at_another_where_it_was(two: FrontEnds, page: Page) -> None:
    open_page(page, f"{two.url}points/#x0=-1&x1=1&y0=-1&y1=1&filter=value+%3E+0")
    page.evaluate("() => { window.stays = true; }")
    surface = page.locator(f"{figure()} .surface")
    surface.focus()
    page.keyboard.press("v")
    rows, drawn, where = chosen(page), pixels(page), hash_of(page)
    told = page.locator('[data-part="rows"]').first.text_content()
    pids, number = dict(enumerate(two.pids)), two.told("connected")["process"]
    for _ in range(2):
        os.kill(pids[number], signal.SIGKILL)
        killed = number
        number, pids[killed] = moved(two)
        assert number != killed
        surface.focus()
        for key in ("Shift+ArrowRight", "Shift+ArrowLeft"):  # tiles that only the other one can have sent
            with moving(page):
                page.keyboard.press(key)
        assert page.evaluate("() => window.stays"), "it was not loaded again"
        assert hash_of(page) == where and np.array_equal(pixels(page), drawn)
        assert chosen(page) == rows and page.locator('[data-part="rows"]').first.text_content() == told
        side = page.get_by_role("complementary", name="Selected rows")
        with page.expect_download() as saving:
            side.get_by_role("link", name="CSV").click()
        assert len(list(csv.reader(io.StringIO(saving.value.path().read_text("utf-8"))))) == rows + 1
    expect(page.locator(".banner")).to_be_hidden()


def test_a_page_waits_for_workers_and_goes_on_without_being_loaded_again(
    cluster: DaskCluster, on_cluster: FrontEnds, page: Page
) -> None:
    open_page(page, f"{on_cluster.url}cloud/#x0=-1&x1=1&y0=-1&y1=1")
    page.evaluate("() => { window.stays = true; }")
    assert cluster.scheduler is not None
    cluster.kill(cluster.scheduler)
    while cluster.workers:
        cluster.kill(cluster.workers.pop())
    page.locator(f"{figure()} .surface").focus()
    page.keyboard.press("Shift+ArrowRight")
    expect(page.locator(figure())).to_contain_text("waiting for workers")
    cluster.start_scheduler()
    for _ in range(2):
        cluster.start_worker()
    expect(page.locator(figure())).not_to_contain_text("waiting for workers")
    settle(page)
    rest(page)
    assert page.evaluate("() => window.stays")
    expect(page.locator('[data-part="state"]').first).to_have_text("exact")
