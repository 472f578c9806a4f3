"""The README's Python listings run as they stand, as a newcomer would run them."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LISTINGS = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory that holds demo-data/, as `make demo` writes it."""
    folder = tmp_path_factory.mktemp("readme")
    subprocess.run([sys.executable, "-m", "bigviz", "sample", "demo-data", "--rows", "20000"], cwd=folder, check=True)
    return folder


def serving_listing() -> str:
    (listing,) = [text for text in LISTINGS if "bv.serve(" in text]
    return listing.replace("port=5006", "port=0")


def test_every_listing_is_run_here() -> None:
    assert len(LISTINGS) == 2


def test_the_canvas_listing_counts_every_row(demo: Path) -> None:
    (listing,) = [text for text in LISTINGS if "bv.Canvas(" in text]
    done = subprocess.run([sys.executable, "-c", listing], cwd=demo, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "20000 ('y', 'x')"


def test_the_serving_listing_serves_its_page(demo: Path) -> None:
    environment = dict(os.environ, BROWSER="true")
    # A shell that runs the tests behind, as `make test &` does, has its children ignore Ctrl-C.
    listing = f"import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n{serving_listing()}"
    process = subprocess.Popen(
        [sys.executable, "-c", listing], cwd=demo, stdout=subprocess.PIPE, text=True, env=environment
    )
    try:
        assert process.stdout is not None
        match = re.search(r"http://\S+", process.stdout.readline())
        assert match is not None
        with urllib.request.urlopen(match[0], timeout=30) as answer:
            assert answer.status == 200
            assert b"<html" in answer.read()
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=10)
    assert process.returncode == 0
