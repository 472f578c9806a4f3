"""A plot server, which scripts find by BIGVIZ_URL, and a browser that only takes note."""

from __future__ import annotations

import webbrowser
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..server.running import Running, running


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that were opened in the browser."""
    found: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda address, new=0: found.append(address))
    return found


@pytest.fixture
def plots(tmp_path: Path, opened: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """A plot server without documents, and without users."""
    with running([], library=tmp_path / "library") as found:
        found.await_event("loaded")
        monkeypatch.setenv("BIGVIZ_URL", found.url)
        monkeypatch.delenv("BIGVIZ_TOKEN", raising=False)
        yield found
