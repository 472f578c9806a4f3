"""`bigviz bench`: a run over small tables, and what it says of them."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from rich.console import Console

from bigviz.cli import cli
from bigviz.commands.bench import browser, run
from bigviz.commands.bench.client import ViewTime
from bigviz.commands.bench.report import BrowserRun, Run, machine, percentile, table
from bigviz.commands.bench.run import measure
from bigviz.commands.bench.walk import Walk, walk_of
from bigviz.common.errors import NotFound, Unreadable

STEPS = 12


@pytest.fixture(scope="module")
def points(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(3)
    path = tmp_path_factory.mktemp("bench") / "points.parquet"
    x = rng.normal(size=200_000)
    stamps = pa.array(1_700_000_000_000_000_000 + np.arange(len(x)) * 1_000_000, pa.timestamp("ns"))
    pq.write_table(pa.table({"x": x, "y": x + rng.normal(size=len(x)), "t": stamps}), path)
    return path


def nothing(_: dict[str, object]) -> None:
    """No progress wanted."""


def check_stages(measured: Run) -> None:
    """The stages sum to what the client waited."""
    assert measured.rows == 200_000 and len(measured.views) == STEPS
    for view in measured.views:
        assert view.parts and view.bytes_sent
        assert view.queue + view.kernel + view.encode + view.wire == pytest.approx(view.total)
        assert 0 < view.first <= view.total
        assert view.work >= view.kernel + view.encode


def test_the_stages_of_a_line_sum_to_what_the_client_waited(points: Path) -> None:
    measured = measure(str(points), ("--x=t", "--y=y", "--glyph=line"), STEPS, False, nothing)
    check_stages(measured)
    assert measured.browser is None and "--no-browser" in measured.why


def test_views_of_few_rows_get_the_rows_in_several_frames(tmp_path: Path) -> None:
    x, y = np.random.default_rng(4).normal(size=(2, 45_000))
    pq.write_table(pa.table({"x": x, "y": y}), tmp_path / "few.parquet")
    measured = measure(str(tmp_path / "few.parquet"), (), STEPS, False, nothing)
    assert max(view.bytes_sent for view in measured.views) > 1 << 20
    assert all(view.parts == 1 for view in measured.views)


def test_the_same_table_gives_the_same_views(points: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked, and in how many parts it comes; not what was read for it: a tile that was begun for a view whose
    rows turned out to be few is kept, and costs nothing later. The stages of points are looked at too, and a browser's
    steps, which are taken after the views."""
    asked: list[dict[str, Any]] = []

    def noted(layer: dict[str, str], info: dict[str, Any]) -> Walk:
        walk = walk_of(layer, info)
        wanted = walk.wanted

        def note() -> dict[str, Any]:
            asked.append(wanted())
            return asked[-1]

        monkeypatch.setattr(walk, "wanted", note)
        return walk

    monkeypatch.setattr(run, "walk_of", noted)
    runs = [measure(str(points), ("--x=x", "--y=y"), STEPS, browser, nothing) for browser in (False, True)]
    half = len(asked) // 2
    assert half > STEPS and asked[:half] == asked[half:]
    assert [view.parts for view in runs[0].views] == [view.parts for view in runs[1].views]
    for each in runs:
        check_stages(each)
    found = runs[1].browser
    assert found is not None and found.name.startswith("Chromium")
    assert len(found.steps) == STEPS and all(0 < step < 60_000 for step in found.steps)


@pytest.mark.parametrize(
    ("path", "options", "words"),
    [("missing.parquet", (), "missing.parquet"), (None, ("--x=z", "--y=y"), "'z'")],
)
def test_the_servers_words_are_the_error(points: Path, path: str | None, options: tuple[str, ...], words: str) -> None:
    with pytest.raises(Unreadable, match=words):
        measure(path or str(points), options, 1, False, nothing)


def test_the_command_prints_json_and_says_that_there_is_no_playwright(
    points: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browser, "INSTALLED", False)
    with pytest.raises(NotFound, match="bigviz\\[browser\\]"), browser.chromium():
        pass
    monkeypatch.setattr(run, "Steps", None)
    words = ["bench", str(points), "--x=x", "--y=y", "--steps=4", "--json"]
    found = json.loads(CliRunner().invoke(cli, words).stdout)
    assert found["views"] == 4 and found["layer"]["agg"] == "count" and "bigviz[browser]" in found["browser"]["absent"]
    assert set(found["views_ms"]) == {"total", "first", "queue", "kernel", "encode", "wire", "work"}
    assert found["views_ms"]["total"]["p50"] <= found["views_ms"]["total"]["p99"]


def test_percentiles_are_samples() -> None:
    assert [percentile([4.0, 1.0, 3.0, 2.0], share) for share in (50, 95, 99, 1)] == [2.0, 4.0, 4.0, 1.0]
    assert math.isnan(percentile([], 50))


def test_the_table_holds_every_stage_and_the_browser() -> None:
    view = ViewTime(10.0, 4.0, 1.0, 5.0, 2.0, 2.0, 9.0, 3, 0, 70, 80, 4096)
    layer = {"agg": "count", "x": "a", "y": "b", "glyph": "points"}
    run = Run("t.parquet", layer, 70, 0.5, [view], BrowserRun("Chromium 1", [30.0]), facts=machine())
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(table(run))
    text = console.export_text()
    for words in ("t.parquet: 70 rows, count of a, b", "computing", "10.00", "Chromium 1", "30.00", "4 KiB", "cores"):
        assert words in text


def test_brackets_in_the_table_are_no_markup() -> None:
    view = ViewTime(10.0, 4.0, 1.0, 5.0, 2.0, 2.0, 9.0, 3, 0, 70, 80, 4096)
    layer = {"agg": "count", "x": "a", "y": "b", "glyph": "points"}
    run = Run("t[red].parquet", layer, 70, 0.5, [view], why="pip install 'bigviz[browser]'.", facts=machine())
    console = Console(width=240, record=True, file=io.StringIO())
    console.print(table(run))
    text = " ".join(console.export_text().split())
    assert "t[red].parquet" in text and "'bigviz[browser]'." in text
