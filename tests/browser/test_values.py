"""Hover and colour bar tell values as what they are: times, dates, durations, and numbers with the digits they need."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Page

from .driver import open_page, plot, settle, tip
from .served import Server, start_server

ROWS = 100_000
START = 1_700_000_000_000_000_000
WORDS = {
    "max(seen)": r"2023-11-\d\d \d\d:\d\d:\d\d\.\d{9}",
    "min(day)": r"\d{4}-\d\d-\d\d",
    "first(took)": r"\d\d:\d\d:\d\d\.\d{3}",
    "last(clock)": r"\d\d:\d\d:\d\d\.000",  # Parquet keeps milliseconds
    "by(kind, max(seen))": r"2023-11-\d\d \d\d:\d\d:\d\d\.\d{9}",
}
RECORD = """
const { fillText, clearRect } = CanvasRenderingContext2D.prototype;
window.told = [];
CanvasRenderingContext2D.prototype.clearRect = function () {
  if (this.canvas.matches(".chrome")) window.told = [];
  return clearRect.apply(this, arguments);
};
CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
  if (this.canvas.matches(".chrome")) window.told.push([text, x, y]);
  return fillText.apply(this, arguments);
};
"""


@pytest.fixture(scope="module")
def values(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("values")
    rng = np.random.default_rng(14)
    seen = START + rng.integers(0, 10**14, ROWS)
    columns = {
        "x": rng.normal(size=ROWS),
        "y": rng.normal(size=ROWS),
        "seen": pa.array(seen, pa.timestamp("ns", "Europe/Berlin")),
        "day": pa.array(rng.integers(0, 20_000, ROWS).astype(np.int32)).cast(pa.date32()),
        "took": pa.array(rng.integers(0, 10**7, ROWS), pa.duration("ms")),
        "clock": pa.array(rng.integers(0, 86_400, ROWS).astype(np.int32), pa.time32("s")),
        "price": 100_000 + rng.random(ROWS),
        "kind": rng.choice(["a", "b"], ROWS),
    }
    pq.write_table(pa.table(columns), folder / "values.parquet")
    running = start_server("values.parquet", "--x", "x", "--y", "y", cwd=folder)
    yield running
    running.stop()


def bar_labels(page: Page) -> list[str]:
    """The texts drawn last to the right of the plot, below the bar's title, from the top."""
    page.evaluate("() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")
    told = page.evaluate("() => window.told")
    box = plot(page)
    surface = page.locator(".surface").bounding_box()
    assert surface
    right = box.x + box.width - surface["x"] + 30
    places = {(text, round(y)) for text, x, y in told if x > right and y > 45}
    return [text for text, _ in sorted(places, key=lambda place: place[1])]


@pytest.mark.parametrize("agg", WORDS)
def test_times_are_told_as_times(page: Page, values: Server, agg: str) -> None:
    page.add_init_script(RECORD)
    open_page(page, f"{values.url}/values/#agg={quote(agg)}")
    settle(page)
    page.mouse.move(*plot(page).middle)
    page.wait_for_function("() => !document.querySelector('.tip').hidden")
    told = {name: text for name, text in tip(page).items() if name not in ("x", "y") and text != "no rows"}
    assert told and all(re.fullmatch(WORDS[agg], text) for text in told.values()), told
    if not agg.startswith("by"):
        labels = bar_labels(page)
        line = re.compile(r"\d{4}-\d\d-\d\d|\d\d:\d\d(:\d\d)?")
        assert len(labels) > 3 and all(line.fullmatch(label) for label in labels), labels


@pytest.mark.parametrize("how", ["eq_hist", "linear"])
def test_labels_of_the_bar_are_told_apart(page: Page, values: Server, how: str) -> None:
    page.add_init_script(RECORD)
    open_page(page, f"{values.url}/values/#agg=max(price)&how={how}")
    settle(page)
    labels = bar_labels(page)
    assert len(labels) > 4 and len(set(labels)) == len(labels) and not any("…" in label for label in labels), labels
    numbers = [float(label.replace(",", "")) for label in labels]
    assert numbers == sorted(numbers, reverse=True) and 100_000 <= numbers[-1] < numbers[0] <= 100_001
