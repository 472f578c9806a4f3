"""docs/publishing.md: its commands and scripts are run in their order, against a server of the test's own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..fetch import fetched
from .markdown import ROOT, listings
from .terminal import layers, run, serving

PAGE = ROOT / "docs" / "publishing.md"
COMMANDS = [line for each in listings(PAGE) if each.language == "sh" for line in each.text.splitlines()]
SALES, PUSH, ANIMATED = (each.text for each in listings(PAGE) if each.language == "python")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A reader's directory; the data directory is in it."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("BIGVIZ_TOKEN", raising=False)
    monkeypatch.delenv("BIGVIZ_URL", raising=False)
    (tmp_path / "sales.py").write_text(SALES)
    (tmp_path / "push.py").write_text(PUSH)
    yield tmp_path


def test_from_nothing_to_a_link_for_everyone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serve, publish, script, listed, add, token, open_serve, public = COMMANDS
    with serving(f"{serve} --port 0 --no-browser", folder) as address:
        monkeypatch.setenv("BIGVIZ_URL", address)
        assert run(publish, folder) == run(script, folder) == f"{address}sales/\n"
        assert re.search(r"^sales +Sales +private +1 +5 ", run(listed, folder), re.M)
        assert layers(f"{address}sales/")[0]["rows"] == 5
        run(add, folder)
        command, _, file = token.partition(" > ")
        (folder / file).write_text(run(command, folder))
    with serving(f"{open_serve.replace('0.0.0.0', '127.0.0.1')} --port 0 --no-browser", folder) as address:
        monkeypatch.setenv("BIGVIZ_URL", address)
        assert run(public, folder) == f"{address}orders/\n"
        assert layers(f"{address}orders/")[0]["rows"] == 5
        assert b'"Sales"' in fetched(f"{address}_/api/documents")


def test_the_animated_script_is_the_example() -> None:
    example = (ROOT / "examples" / "plot_server" / "animated.py").read_text()
    assert example.partition("\n\n")[2] == ANIMATED
