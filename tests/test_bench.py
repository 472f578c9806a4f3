"""The benchmarks' own arithmetic: statistics, tables, agreement. What they measure is not part of the tests."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from bench import data, places, report
from bench.agreement import counts_error
from bench.peers.process import ADAPTERS, PeerFailed, modules, pins
from bench.pixels import first_shown
from bench.places import PUBLISHED
from bench.report import BEGIN, END, Figure, Rival, figures_of, keep, load, long_table, peers_table, write_between

BENCH = Path(__file__).parent.parent / "bench"
FILES = [path.relative_to(BENCH.parent) for path in BENCH.rglob("*.py") if BENCH / "cache" not in path.parents]
MODULES = sorted(path.with_suffix("") for path in FILES)  # not those of peers that were installed into the cache
ROWS = 2 * data.CHUNK + 1_000
FIGURE = Figure(
    "a view",
    "ms",
    [4.0, 2.0, 6.0],
    bound=5.0,
    delivered="16 tiles",
    counts="exact",
    rivals=[
        Rival("slow", [40.0, 80.0], "1024 x 768 cells", "exact"),
        Rival("coarse", [1.0], "83 x 83 cells", "100% of filled cells off"),
        Rival("broken", [], counts="failed: no wheel"),
    ],
)


@pytest.mark.parametrize("module", [".".join(path.parts) for path in MODULES if not path.name.startswith("on_")])
def test_every_module_imports(module: str) -> None:
    """But the adapters, which run in an environment of their peer."""
    importlib.import_module(module)


def test_statistics_are_samples() -> None:
    found = {name: report.statistic([3.0, 1.0, 2.0], name) for name in ("median", "p95", "max", "total")}
    assert found == {"median": 2.0, "p95": 3.0, "max": 3.0, "total": 6.0}


def test_what_is_kept_comes_back_and_replaces_its_case(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    run = {"date": "2026-11-23", "machine": {"cores": "2"}, "seconds": 3}
    keep(path, "view", run, [Figure("old", "s", [1.0])])
    keep(path, "view", run, [FIGURE])
    keep(path, "build", run, [])
    results = load(path)
    assert list(results) == ["build", "view"]
    assert [str(each) for each in figures_of(results["view"])] == [str(FIGURE)]


def test_tables_name_misses_losses_and_failures(tmp_path: Path) -> None:
    keep(tmp_path / "r.json", "view", {"date": "2026-11-23", "machine": {"cores": "2"}, "seconds": 3}, [FIGURE])
    results = load(tmp_path / "r.json")
    lines = long_table(results).splitlines()
    assert "p95 at most 5 ms: **missed**, 6 ms" in lines[4]
    assert "10 x" in lines[5] and "**0.25 x: faster**" in lines[6] and "failed: no wheel" in lines[7]


def test_the_table_of_peers_has_medians_and_errors(tmp_path: Path) -> None:
    what, words = next(iter(report.COMPARED.items()))
    run = {"date": "2026-11-23", "machine": {}, "seconds": 3}
    keep(tmp_path / "r.json", "view", run, [replace(FIGURE, what=what), FIGURE])
    _, _, *rows = peers_table(load(tmp_path / "r.json")).splitlines()
    assert rows == [f"| {words} | 4 ms | slow 40 ms; coarse 1 ms (100% of filled cells off) |"]


def test_the_published_table_is_that_of_the_published_figures() -> None:
    results = load(PUBLISHED)
    measured = {figure.what for run in results.values() for figure in figures_of(run)}
    assert len(report.COMPARED) <= 8 and set(report.COMPARED) <= measured
    assert peers_table(results) in (Path(__file__).parent.parent / "README.md").read_text()


def test_a_table_is_written_between_its_marks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write_between(page, r"| \1 |")
    assert page.read_text() == f"before\n{BEGIN}\n\n| \\1 |\n\n{END}\nafter\n"
    page.write_text("nothing")
    with pytest.raises(ValueError, match="0 places"):
        write_between(page, "x")


@pytest.mark.parametrize("page", ["README.md", "docs/benchmarks.md"])
def test_the_pages_have_a_place_for_their_table(page: str) -> None:
    text = (Path(__file__).parent.parent / page).read_text()
    assert text.count(BEGIN) == text.count(END) == 1


def test_counts_that_are_off_are_said_to_be() -> None:
    truth = np.array([[0, 1], [2, 100]], np.uint32)
    assert counts_error(truth.astype(np.float64), truth) == "exact"
    text = counts_error(np.array([[1.0, 1.0], [2.2, 400.0]]), truth)
    assert text.startswith("50.00% of filled cells off") and "sum 3.92 of the true" in text


def test_every_adapter_names_the_versions_it_installs() -> None:
    assert {"datashader", "xy", "vaex", "tsdownsample", "holoviews", "bokeh", "perspective"} <= set(ADAPTERS)
    for name in ADAPTERS:
        assert pins(name) and all("==" in pin for pin in pins(name))


def test_a_page_that_cannot_be_installed_is_a_failure_of_its_peer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "CACHE", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert modules("bokeh") is None
    with pytest.raises(PeerFailed, match="could not be installed"):
        modules("perspective")


def test_an_append_is_shown_by_the_first_frame_that_has_its_rows() -> None:
    called = {100: 1.0, 200: 1.1, 300: 1.2}
    shown = first_shown(called, {100: 1_050.0, 300: 1_400.0})
    assert shown.alone == 2
    assert shown.milliseconds == pytest.approx([50.0, 300.0, 200.0])
    assert first_shown(called, {300: 1_300.0, 200: 1_250.0, 400: 1_260.0}).milliseconds == pytest.approx([250, 150, 60])


@pytest.mark.parametrize("table", ["points", "cities", "log", "grid", "flat", "steps", "line", "irregular", "gappy"])
def test_tables_have_their_rows(table: data.Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.places.CACHE", tmp_path)
    path = data.arrow(table, ROWS)
    with pa.memory_map(str(path)) as source:
        found = pa.ipc.open_file(source).read_all()
        assert found.num_rows == ROWS and found.column_names[:2] == ["x", "y"]
        if table == "grid":
            assert len(set(zip(*(column.to_numpy()[:100_000] for column in found.columns), strict=True))) == data.PLACES
        if table in ("flat", "steps"):
            assert len(set(found["y"].to_pylist())) == {"flat": 1, "steps": 3}[table]
        if table in ("line", "gappy"):
            assert np.array_equal(found["x"].to_numpy(), np.arange(ROWS))
        if table == "irregular":
            steps = np.diff(found["x"].to_numpy())
            assert (steps >= 0).all() and abs(steps.mean() / 1e6 - 1) < 0.01 and abs(steps.std() / 1e6 - 1) < 0.01
        if table == "gappy":
            assert abs(found["y"].null_count / ROWS - 0.5) < 0.01
            return
    x, y = data.sample_rows(path, 50)
    assert len(x) == len(y) == 50 and np.isfinite([x, y]).all()


def test_numbers_of_rows_in_words() -> None:
    assert [report.words(n) for n in (10**7, 10**9, 9 * 10**8, 1 << 20)] == ["10^7", "10^9", "9 x 10^8", "1.05 x 10^6"]
