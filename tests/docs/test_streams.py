"""docs/streams.md: its producer is the one of the examples, and runs."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from ..server.running import running
from .markdown import ROOT, listings
from .terminal import fetched, layers

EXAMPLE = ROOT / "examples" / "plot_server" / "ticks.py"


def test_the_producer_of_the_page_is_the_example() -> None:
    producer = next(each for each in listings(ROOT / "docs" / "streams.md") if each.language == "python")
    assert EXAMPLE.read_text().partition("\n\n")[2] == producer.text


def test_the_producer_appends_until_ctrl_c(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    slept: list[float] = []
    own, rest = threading.current_thread(), time.sleep

    def sleep(seconds: float) -> None:
        if threading.current_thread() is not own:  # one of the server's
            rest(seconds)
            return
        slept.append(seconds)
        if len(slept) == 3:
            raise KeyboardInterrupt

    with running([], library=tmp_path / "library") as plots:
        plots.await_event("loaded")
        monkeypatch.setenv("BIGVIZ_URL", plots.url)
        monkeypatch.delenv("BIGVIZ_TOKEN", raising=False)
        with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
            patched.setattr(time, "sleep", sleep)
            exec(compile(EXAMPLE.read_text(), str(EXAMPLE), "exec"), {})
        assert capsys.readouterr().out == f"{plots.url}market/\n"
        (layer,) = layers(f"{plots.url}market/")
        assert layer["rows"] == 300
        assert b'"window": 60000000000' in fetched(f"{plots.url}_/api/documents/market")
