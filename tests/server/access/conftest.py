"""A server with a library of people, for tests that change nothing of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bigviz.document.spec import Document

from ..people import People
from ..running import Running, running


@pytest.fixture(scope="package")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    found = People.at(tmp_path_factory.mktemp("library"))
    yield found
    found.library.close()


@pytest.fixture(scope="package")
def peopled(people: People, documents: list[Document]) -> Iterator[Running]:
    """Serves the documents, and the people's library."""
    with running(documents[:1], library=people.library) as server:
        yield server
