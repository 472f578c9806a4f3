"""Few rows as marks, lattices, views deeper than tiles, scales of axes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Page, expect

from .driver import (
    choose,
    count_messages,
    frames,
    hash_of,
    moving,
    open_page,
    pixels,
    plot,
    rest,
    settle,
    tip,
    view,
    watching,
)
from .served import Server, start_server

LABELS = ("ash", "beech")
FEW = 5_000
DENSE = 70_000
CROWD = 1_100_000  # rows that an index does not tell apart: more than 2^20


@pytest.fixture(scope="module")
def few() -> pa.Table:
    rng = np.random.default_rng(8)
    kind = pa.DictionaryArray.from_arrays(rng.integers(0, 2, FEW).astype(np.int32), pa.array(LABELS))
    columns = {"x": rng.normal(size=FEW), "y": rng.normal(size=FEW), "value": rng.exponential(5, FEW) + 0.01}
    return pa.table({**columns, "kind": kind, "n": rng.integers(0, 6, FEW), "m": rng.integers(0, 5, FEW)})


@pytest.fixture(scope="module")
def rows_server(few: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("rows")
    pq.write_table(few, folder / "few.parquet")
    rng = np.random.default_rng(3)
    x = np.append(0.5 + rng.permutation(1 << 17)[:DENSE] * 2.0**-52, [-1e6, 1e6])
    y = np.append(0.5 + rng.integers(0, 1 << 17, DENSE) * 2.0**-52, [-1e6, 1e6])
    pq.write_table(pa.table({"x": x, "y": y}), folder / "dense.parquet")
    x, y = (np.append(0.5 + rng.integers(0, 1 << 17, CROWD) * 2.0**-52, [-1e6, 1e6]) for _ in "xy")
    pq.write_table(pa.table({"x": x, "y": y}), folder / "crowd.parquet")
    running = start_server("few.parquet", "dense.parquet", "crowd.parquet", cwd=folder)
    yield running
    running.stop()


def settled(page: Page, what: str) -> object:
    return page.evaluate(f"() => performance.getEntriesByName('bigviz:view').at(-1).detail.{what}")


def lit(page: Page) -> np.ndarray:
    """Where the plot is not its ground."""
    image = pixels(page)[..., :3].astype(int)
    return np.abs(image - image[2, 2]).sum(axis=2) > 40


def test_marks_lie_at_their_rows_and_tell_them(page: Page, rows_server: Server, few: pa.Table) -> None:
    x, y, value = (few[name].to_numpy() for name in ("x", "y", "value"))
    open_page(page, f"{rows_server.url}/few/#agg=mean(value)&x0=-0.2&x1=0.2&y0=-0.2&y1=0.2&how=linear")
    settle(page)
    box = plot(page)
    inside = np.flatnonzero((np.abs(x) < 0.19) & (np.abs(y) < 0.19))
    assert 50 < len(inside) < 500
    drawn = lit(page)
    for row in inside:
        fx, fy = (x[row] + 0.2) / 0.4, (0.2 - y[row]) / 0.4
        column, line = int(fx * drawn.shape[1]), int(fy * drawn.shape[0])
        assert drawn[line - 4 : line + 5, column - 4 : column + 5].any(), f"row {row} is not drawn"
    assert 0.005 < drawn.mean() < 0.4
    row = int(inside[np.argmax(value[inside])])
    page.mouse.move(*box.at((x[row] + 0.2) / 0.4, (0.2 - y[row]) / 0.4))
    told = tip(page)
    assert told["row"] == f"{row:,}" and float(told["mean(value)"].replace(",", "")) == pytest.approx(value[row])
    assert float(told["x"].replace("\u2212", "-")) == pytest.approx(x[row], abs=1e-4)


def test_rows_that_are_here_are_not_asked_for_again(page: Page, rows_server: Server) -> None:
    open_page(page, f"{rows_server.url}/few/")
    settle(page)
    box = plot(page)
    page.mouse.move(*box.middle)
    with count_messages(page) as sent:
        for _ in range(3):
            with moving(page):
                page.mouse.wheel(0, -400)
        with moving(page):
            page.mouse.down()
            page.mouse.move(box.middle[0] + 90, box.middle[1] + 40)
            page.mouse.up()
        choose(page, "cmap", "bmy")
        settle(page)
        assert sent() == 0
    assert settled(page, "tiles") == 0


def test_a_mark_moves_with_the_view_and_never_blanks(page: Page, rows_server: Server) -> None:
    open_page(page, f"{rows_server.url}/few/")
    settle(page)
    box = plot(page)
    with watching(page) as seen:
        page.mouse.move(*box.middle)
        page.mouse.down()
        for step in range(12):
            page.mouse.move(box.middle[0] + 6 * step, box.middle[1] + 3 * step)
            frames(page, 1)
        page.mouse.up()
        settle(page)
    assert seen.blank == () and seen.frames > 5


def test_categories_and_piles(page: Page, rows_server: Server, few: pa.Table) -> None:
    open_page(page, f"{rows_server.url}/few/#x=n&y=m")
    settle(page)
    drawn = lit(page)
    assert drawn.mean() > 0.7, "30 cells, which fill the plot but for gaps"
    box = plot(page)
    span = (-0.1, 5.1), (-0.08, 4.08)  # home: 2 % beyond the data
    page.mouse.move(*box.at((2 - span[0][0]) / 5.2, 1 - (3 - span[1][0]) / 4.16))
    n, m = few["n"].to_numpy(), few["m"].to_numpy()
    here = np.flatnonzero((n == 2) & (m == 3))
    told = tip(page)
    assert told["row"] == f"{here[0]:,}" and told["rows here"] == f"{len(here):,}"
    open_page(page, f"{rows_server.url}/few/?again#agg=by(kind)&x0=-0.1&x1=0.1&y0=-0.1&y1=0.1")
    settle(page)
    x, y = few["x"].to_numpy(), few["y"].to_numpy()
    row = int(np.argmin(np.hypot(x, y)))
    page.mouse.move(*box.at((x[row] + 0.1) / 0.2, (0.1 - y[row]) / 0.2))
    page.wait_for_function("() => probe.tip(0).row")
    told = tip(page)
    assert told["row"] == f"{row:,}" and few["kind"][row].as_py() in told


def test_deeper_than_tiles(page: Page, rows_server: Server) -> None:
    """70,000 coordinates within 2^-35: an image, then their rows, down to where doubles end."""
    low, high = 0.5, 0.5 + 2.0**-35
    open_page(page, f"{rows_server.url}/dense/#root=full&x0={low!r}&x1={high!r}&y0={low!r}&y1={high!r}")
    settle(page)
    assert 0.02 < lit(page).mean() < 0.3
    box = plot(page)
    page.mouse.move(*box.middle)
    for _ in range(4):
        with moving(page):
            page.mouse.wheel(0, -500)
    assert lit(page).mean() > 0.02
    for _ in range(60):
        page.mouse.wheel(0, -500)
        frames(page, 1)
    settle(page)
    rest(page)
    deepest = view(page)
    assert 0.5 <= deepest.x0 < deepest.x1 <= 0.5 + 2.0**-35 and deepest.width < 2.0**-43
    with moving(page):
        page.keyboard.press("0")
    assert page.evaluate("document.querySelector('section').dataset.exact") == "1"


def test_rows_that_no_index_tells_apart_are_told(page: Page, rows_server: Server) -> None:
    """1,100,000 rows within 2^-35: each view there reads all of them, and says so."""
    low, high = 0.5, 0.5 + 2.0**-35
    open_page(page, f"{rows_server.url}/crowd/#root=full&x0={low!r}&x1={high!r}&y0={low!r}&y1={high!r}")
    settle(page)
    status = page.locator("section .status")
    expect(status).to_contain_text("1,100,002 rows")
    crowd = page.locator('section [data-part="crowd"]')
    expect(crowd).to_have_text("1,100,000 rows read for this view")
    page.get_by_role("button", name="Details").click()
    expect(page.locator(".status-details")).to_contain_text("closer together than the index can tell apart")
    page.keyboard.press("Escape")
    expect(page.locator(".status-details")).to_be_hidden()  # until then keys are those of the details
    with moving(page):
        page.keyboard.press("0")
    expect(crowd).to_be_hidden()


def test_scales_of_axes(page: Page, rows_server: Server) -> None:
    open_page(page, f"{rows_server.url}/few/#x=value&y=y")
    settle(page)
    before = page.evaluate("probe.settled(0)")
    choose(page, "xaxis", "log")
    page.wait_for_function("n => probe.settled(0) >= n && location.hash.includes('xaxis=log')", arg=before)
    settle(page)
    box = plot(page)
    page.mouse.move(*box.middle)
    assert float(tip(page)["value"].replace(",", "")) > 0
    page.reload()
    page.wait_for_selector('html[data-ready="1"]', state="attached")
    assert page.locator('form [name="xaxis"]').input_value() == "log" and hash_of(page)["xaxis"] == "log"
    choose(page, "x", "kind")
    settle(page)
    assert page.locator('form [name="xaxis"]').is_hidden() and page.locator('form [name="yaxis"]').is_visible()
    choose(page, "x", "value")
    choose(page, "xaxis", "linear")
    settle(page)
    page.wait_for_function("() => !new URLSearchParams(location.hash.slice(1)).has('xaxis')")
