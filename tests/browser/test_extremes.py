"""Axes of the largest and of the least numbers that have a cell: drawn, labelled, and without a word of error."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Page

from .driver import figure, moving, number, open_page, pixels, plot, settle, tip
from .served import Server, start_server

ROWS = 300
SPANS = {"huge": 8.9e307, "half": 2.0**1022, "tiny": 1e-308, "denormal": 1e-312}


@pytest.fixture(scope="module")
def values() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(15)
    return {name: rng.uniform(-1, 1, ROWS) * span for name, span in SPANS.items()}


@pytest.fixture(scope="module")
def extremes(values: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("extremes")
    for name, x in values.items():
        pq.write_table(pa.table({"x": x, "y": np.arange(ROWS) / ROWS}), folder / f"{name}.parquet")
    running = start_server(*(f"{name}.parquet" for name in values), "--x", "x", "--y", "y", cwd=folder)
    yield running
    running.stop()


@pytest.mark.parametrize("glyph", ["points", "line"])
@pytest.mark.parametrize("name", SPANS)
def test_they_are_drawn_and_told(page: Page, extremes: Server, values: dict[str, np.ndarray], name: str, glyph: str):
    open_page(page, f"{extremes.url}/{name}/#glyph={glyph}")
    settle(page)
    image = pixels(page)[..., :3].astype(int)
    assert (np.abs(image - image[2, 2]).sum(axis=2) > 60).mean() > 0.001
    inked = np.argwhere(np.abs(image - image[2, 2]).sum(axis=2) > 60)
    down, across = inked[len(inked) // 2]
    box = plot(page)
    page.mouse.move(box.x + float(across), box.y + float(down))
    page.wait_for_function("() => probe.tip(0).row")
    told = tip(page)
    row = int(told["row"].replace(",", ""))
    assert number(told["x"]) == pytest.approx(values[name][row], rel=1e-2, abs=SPANS[name] * 1e-2)
    with moving(page):
        page.mouse.wheel(0, -300)
    assert page.locator(".toast").count() == 0
    assert page.locator(f'{figure()} [data-part="state"]').inner_text() == "exact"
