"""`bigviz html`."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from bigviz.cli import cli
from bigviz.commands.export import html
from bigviz.common.progress import Progress

SCRIPT = """
import bigviz as bv
plot = bv.figure(title="Here").points({"a": [1.0], "b": [2.0]}, "a", "b")
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(2)
    pq.write_table(pa.table({"a": rng.normal(size=60_000), "b": rng.normal(size=60_000)}), "trips.parquet")
    Path("app.py").write_text(SCRIPT)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["html", "--store-dir", "stores", *arguments])


def test_each_document_is_a_file_and_it_says_how_deep_it_goes(folder: Path) -> None:
    done = run("trips.parquet", "app.py", "--depth", "1")
    assert done.exit_code == 0, done.output
    assert re.search(r"trips\.html: [\d.]+ [kM]B\. trips: b over a, levels 0 to 1\.", done.stdout)
    assert "app.html: " in done.stdout and "Here: b over a, all 1 rows." in done.stdout
    assert "<title>Here</title>" in Path("app.html").read_text("utf-8")


def test_tiles_for_a_static_host(folder: Path) -> None:
    done = run("trips.parquet", "-o", "out.html", "--depth", "1", "--tiles", "public")
    assert done.exit_code == 0, done.output
    layer = folder / "public" / "layers" / "0"
    about = json.loads((layer / "tilejson.json").read_text())
    assert (about["maxzoom"], about["tiles"], about["rows"]) == (1, ["tiles/{z}/{x}/{y}.png"], 60_000)
    found = sorted(path.relative_to(layer / "tiles").as_posix() for path in (layer / "tiles").rglob("*.npy"))
    planes = {name: np.load(layer / "tiles" / name) for name in found}
    assert "0/0/0.npy" in found and all((layer / "tiles" / name).with_suffix(".png").is_file() for name in found)
    assert sum(int(plane.sum()) for name, plane in planes.items() if name.startswith("1/")) == 60_000
    assert int(planes["0/0/0.npy"].sum()) == 60_000


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("trips.parquet", "--depth", "1", "--max-size", "5MB"), "give one of them"),
        (("trips.parquet", "--depth", "25"), "--depth is 0 to 24"),
        (("trips.parquet", "--max-size", "1KB"), "--max-size is 2MB or more"),
        (("trips.parquet", "--max-size", "much"), "--max-size is a size such as"),
        (("trips.parquet", "app.py", "--tiles", "t"), "--tiles is for one document"),
        (("trips.parquet", "-o", "none/out.html"), "none is no directory: make it"),
    ],
)
def test_mistakes(folder: Path, arguments: tuple[str, ...], words: str) -> None:
    done = run(*arguments)
    assert done.exit_code in (1, 2) and words in done.output, done.output
    assert not list(folder.glob("*.html"))


def test_ctrl_c_leaves_what_was_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("trips.html").write_text("before")

    @contextmanager
    def interrupting() -> Iterator[Progress]:
        told = []

        def tell(stage: str, done: float, rows: int) -> None:
            if stage.startswith("level 2") and not told:  # a second Ctrl-C would end this process
                told.append(stage)
                os.kill(os.getpid(), signal.SIGINT)

        yield tell

    monkeypatch.setattr(html, "stage_bars", interrupting)
    done = run("trips.parquet", "--depth", "2")
    assert done.exit_code == 130 and "Interrupted: trips.html was not written." in done.output
    assert Path("trips.html").read_text() == "before" and not list(folder.glob(".trips*"))


def test_its_help_shows_an_example() -> None:
    assert "bigviz html trips.parquet" in run("--help").stdout
