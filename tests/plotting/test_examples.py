"""The scripts of examples/plot_server/, against a real server."""

from __future__ import annotations

import runpy
import signal
from pathlib import Path

import pytest

import bigviz as bv

from ..patience import PATIENCE
from ..server.running import Running
from ..server.wire import Browser
from .animation import animated

EXAMPLES = Path(__file__).parents[2] / "examples" / "plot_server"


def test_line(plots: Running, opened: list[str]):
    runpy.run_path(str(EXAMPLES / "line.py"), run_name="__main__")
    assert opened == [f"{plots.url}line/"]
    assert [each.line_width for _, each in bv.connect().open("line").layers()] == [2]


def test_publish(plots: Running, opened: list[str], capsys: pytest.CaptureFixture[str]):
    runpy.run_path(str(EXAMPLES / "publish.py"), run_name="__main__")
    assert capsys.readouterr().out == f"{plots.url}myplot/\n" and opened == []
    (entry,) = bv.connect().documents()
    assert (entry["name"], entry["public"], entry["rows"]) == ("myplot", True, 10)


def test_connect(plots: Running, capsys: pytest.CaptureFixture[str]):
    runpy.run_path(str(EXAMPLES / "connect.py"), run_name="__main__")
    assert capsys.readouterr().out == f"{plots.url}orders/\n"
    assert bv.connect().documents()[0]["rows"] == 5


def test_animated(plots: Running):
    with animated(plots.url) as script:
        with Browser(plots.url, "animated") as browser:
            versions = [browser.take().value["version"] for _ in range(3)]
            assert versions == sorted(set(versions))
        script.send_signal(signal.SIGINT)
        assert "KeyboardInterrupt" in script.communicate(timeout=PATIENCE)[1]


def test_all_are_run_here_or_with_the_docs_of_streams():
    here = ["animated.py", "connect.py", "line.py", "publish.py"]
    assert sorted(path.name for path in EXAMPLES.glob("*.py")) == [*here, "ticks.py"]
