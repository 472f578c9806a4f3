"""A plot server, and a connection to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import bigviz as bv
from bigviz.client.connect import Connection

from ..server.running import Running, running


@pytest.fixture
def plots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """A plot server without documents, and without users: every request is the operator's."""
    monkeypatch.delenv("BIGVIZ_URL", raising=False)
    monkeypatch.delenv("BIGVIZ_TOKEN", raising=False)
    with running([], library=tmp_path / "library") as found:
        found.await_event("loaded")
        yield found


@pytest.fixture
def server(plots: Running) -> Connection:
    return bv.connect(plots.url)
