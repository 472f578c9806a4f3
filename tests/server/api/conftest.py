"""A server with a library of its own, and what tests put into it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ..running import Running, running
from .calls import ask, document, upload


@pytest.fixture
def plots(tmp_path: Path) -> Iterator[Running]:
    """A plot server without documents, and without users: every request is the operator's."""
    with running([], library=tmp_path / "library") as found:
        found.await_event("loaded")
        yield found


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A plot server with a document and its dataset."""
    with running([], library=tmp_path_factory.mktemp("api") / "library") as found:
        found.await_event("loaded")
        upload(found, "rows")
        ask(found, "PUT", "documents/plot", document("rows"))
        yield found
