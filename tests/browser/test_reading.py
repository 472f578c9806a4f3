"""While the server reads a CSV file the page says how far it is, in the place where the plot will stand."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

SERVER = """
import sys
from bigviz.server.run.event_log import Reporter
from bigviz.server.run.process import run
from bigviz.server.run.options import Options


def load(progress):
    progress("reading sensor.csv", 0.459, 450)
    sys.stdin.readline()
    from bigviz.server.run.loading import Columns, open_paths

    return open_paths([("sensor", "sensor.csv")], Columns())


run(Options(port=0), ["sensor"], load, Reporter())
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Has read 45 % of sensor.csv and goes on with the next line of its input. Ends after the page."""
    (tmp_path / "sensor.csv").write_text("x,y\n1,2\n3,4\n5,1\n")
    pipe = subprocess.PIPE
    command = [sys.executable, "-u", "-c", SERVER]
    with subprocess.Popen(command, cwd=tmp_path, stdin=pipe, stdout=pipe, text=True) as process:
        yield process
        process.terminate()


def test_a_page_that_waits_says_for_what(server: subprocess.Popen[str], page: Page) -> None:
    assert server.stdin and server.stdout
    found = re.search(r"http://\S+", server.stdout.readline())
    assert found
    page.goto(found[0])
    expect(page.locator(".opening")).to_have_text("Reading sensor.csv, 45 %")
    server.stdin.write("\n")
    server.stdin.flush()
    page.wait_for_selector('html[data-ready="1"]', state="attached")
    expect(page.locator(".opening")).to_have_count(0)
