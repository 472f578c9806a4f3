"""The README's listings run as they stand: in a newcomer's directory, and in the clone itself."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

import bigviz as bv

from .docs.markdown import ROOT, Listing, listings, tables

PAGE = ROOT / "README.md"
LISTINGS = [each for each in listings(PAGE) if each.language == "python"]
ROWS = 20_000
TASKS = ["map", "series", "linked", "categories"]
SHOWN = [("points", 200_000), ("line", ROWS), ("points", ROWS), ("points", ROWS)]
"""Glyph and rows of the first layer of each task's listing."""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory that holds demo-data/, as `make demo` writes it."""
    folder = tmp_path_factory.mktemp("readme")
    command = [sys.executable, "-m", "bigviz", "sample", "demo-data", "--rows", str(ROWS)]
    subprocess.run(command, cwd=folder, check=True)
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


def fetched(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.read()


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
        assert b"<html" in fetched(handle.url)
        layers = [layer for _, layer in documents[0].layers()]
        for number in range(len(layers)):
            answer = json.loads(fetched(f"{handle.url}layers/{number}/tilejson.json"))
            assert (layers[0].glyph, answer["rows"]) == shown and answer["index"] == "ready"
        assert len({figure.x_range for figure in documents[0].figures()}) == 1


@pytest.mark.parametrize("where", ["demo", "clone"])
def test_a_listing_is_a_script_that_ctrl_c_ends(where: str, request: pytest.FixtureRequest) -> None:
    folder: Path = request.getfixturevalue(where)
    script = folder / "app.py"
    # A shell that runs the tests in the background, as `make test &` does, has its children ignore Ctrl-C.
    begin = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
    script.write_text(begin + LISTINGS[1].text.replace("bv.serve(plot)", "bv.serve(plot, port=0)"))
    environment = dict(os.environ, BROWSER="true")
    process = subprocess.Popen(
        [sys.executable, script.name], cwd=folder, stdout=subprocess.PIPE, text=True, env=environment
    )
    try:
        assert process.stdout is not None
        match = re.search(r"http://\S+", process.stdout.readline())
        assert match is not None
        assert b"<html" in fetched(match[0])
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=10)
    assert process.returncode == 0


def test_the_page_is_short_and_its_table_has_eight_rows_at_most() -> None:
    text = PAGE.read_text()
    (table,) = tables(text)
    assert 1 <= len(table) <= 8 and len(text.splitlines()) < 150
