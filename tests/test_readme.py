"""The README's listings run as they stand: in a newcomer's directory, and in the clone itself."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import bigviz as bv

from .docs.markdown import ROOT, Listing, listings, tables
from .docs.terminal import layers, run, serving
from .server.running import running

PAGE = ROOT / "README.md"
*LISTINGS, PUBLISHING = [each for each in listings(PAGE) if each.language == "python"]
COMMANDS = [line for each in listings(PAGE) for line in each.text.splitlines() if line.startswith("bigviz")]
ROWS = 20_000
TASKS = ["map", "series", "dashboard"]
SHOWN = [("points", 200_000), ("line", ROWS), ("points", ROWS)]
"""Glyph and rows of the first layer of each task's listing."""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory that holds demo-data/, as `make demo` writes it."""
    folder = tmp_path_factory.mktemp("readme")
    run(f"bigviz sample demo-data --rows {ROWS}", folder)
    return folder


@pytest.fixture(scope="module")
def trips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory that holds trips.parquet and, as two files of one table, trips/."""
    folder = tmp_path_factory.mktemp("trips")
    rng = np.random.default_rng(5)
    columns = {"lon": rng.normal(13, 1, ROWS), "lat": rng.normal(52, 1, ROWS), "fare": rng.gamma(4, 5, ROWS)}
    pq.write_table(pa.table(columns), folder / "trips.parquet")
    (folder / "trips").mkdir()
    for name in ("a", "b"):
        pq.write_table(pa.table(columns), folder / "trips" / f"{name}.parquet")
    return folder


@pytest.fixture(scope="module")
def clone(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory that looks like the clone after `make demo`: the sources, .venv and demo-data side by side."""
    folder = tmp_path_factory.mktemp("clone")
    for path in ("bigviz", "docs", "pyproject.toml"):
        (folder / path).symlink_to(ROOT / path)
    (folder / ".venv").symlink_to(sys.prefix)
    (folder / "demo-data").symlink_to(demo / "demo-data")
    return folder


def test_there_is_a_listing_for_each_task() -> None:
    assert len(LISTINGS) == len(SHOWN) and all("bv.serve(" in each.text for each in LISTINGS)


@pytest.mark.parametrize(("listing", "shown"), list(zip(LISTINGS, SHOWN, strict=True)), ids=TASKS)
def test_a_listing_serves_what_it_says(
    listing: Listing, shown: tuple[str, int], demo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(demo)
    handles: list[Any] = []
    documents: list[bv.Document] = []
    serve = bv.serve

    def served(root: Any) -> None:
        documents.append(bv.document(root))
        handles.append(serve(documents[-1], port=0, block=False, quiet=True))

    monkeypatch.setattr(bv, "serve", served)
    exec(compile(listing.text, f"README.md:{listing.line}", "exec"), {})
    with handles[0] as handle:
        glyph = documents[0].layers()[0][1].glyph
        for answer in layers(handle.url):
            assert (glyph, answer["rows"]) == shown and answer["index"] == "ready"
        assert len({figure.x_range for figure in documents[0].figures()}) == 1


def test_the_last_listing_publishes_its_plot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with running([], library=tmp_path / "library") as plots:
        plots.await_event("loaded")
        monkeypatch.setenv("BIGVIZ_URL", plots.url)
        monkeypatch.delenv("BIGVIZ_TOKEN", raising=False)
        exec(compile(PUBLISHING.text, f"README.md:{PUBLISHING.line}", "exec"), {})
        assert capsys.readouterr().out == f"{plots.url}orders/\n"
        assert layers(f"{plots.url}orders/")[0]["rows"] == 5


@pytest.mark.parametrize("command", [each for each in COMMANDS if each.startswith("bigviz serve")])
def test_a_command_serves_the_table(command: str, trips: Path) -> None:
    several = "*" in command
    with serving(f"{command.split('#')[0]} --port 0 --no-browser", trips) as page:
        (layer,) = layers(page)
    assert layer["rows"] == ROWS * (2 if several else 1) and layer["reduction"] == (
        "mean(fare)" if several else "count"
    )


def test_the_index_command_makes_an_index(trips: Path) -> None:
    (command,) = [each for each in COMMANDS if each.startswith("bigviz index")]
    printed = run(f"{command.split('#')[0]} --out indexes", trips)
    assert printed.startswith("trips: ") and any((trips / "indexes").iterdir())


@pytest.mark.parametrize(("kind", "start"), [("png", b"\x89PNG"), ("html", b"<!doctype html>")])
def test_a_command_writes_a_file(kind: str, start: bytes, trips: Path) -> None:
    (command,) = [each for each in COMMANDS if each.startswith(f"bigviz {kind}")]
    run(command.split("#")[0], trips)
    assert (trips / f"trips.{kind}").read_bytes().lower().startswith(start.lower())


def test_every_command_is_run_here() -> None:
    tried = ("bigviz serve", "bigviz index", "bigviz png", "bigviz html")
    assert len(COMMANDS) == 5 and all(each.startswith(tried) for each in COMMANDS)


@pytest.mark.parametrize("where", ["demo", "clone"])
def test_a_listing_is_a_script_that_ctrl_c_ends(where: str, request: pytest.FixtureRequest) -> None:
    folder: Path = request.getfixturevalue(where)
    (folder / "app.py").write_text(LISTINGS[1].text.replace("bv.serve(plot)", "bv.serve(plot, port=0)"))
    with serving("python app.py", folder) as page:
        assert layers(page)[0]["rows"] == ROWS


def test_the_listings_are_examples() -> None:
    examples = [path.read_text() for path in (ROOT / "examples").glob("**/*.py")]
    bodies = {re.sub(r'^""".*?"""\n\n', "", text, flags=re.S) for text in examples}
    assert {re.sub(r"  # written by .*", "", each.text) for each in (*LISTINGS, PUBLISHING)} <= bodies


def test_the_page_is_short_and_its_table_has_eight_rows_at_most() -> None:
    text = PAGE.read_text()
    (table,) = tables(text)
    assert 1 <= len(table) <= 8 and len(text.splitlines()) < 150
