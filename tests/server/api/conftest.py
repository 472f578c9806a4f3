"""A server with a library of its own, and what tests put into it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bigviz.library import passwords
from bigviz.library.library import Library
from bigviz.library.secrets import new_secret

from ..running import Running, running
from .calls import ORIGIN, ask, document, upload


@dataclass(frozen=True)
class Filled:
    """A server, and the header of one who may do everything there."""

    served: Running
    bearer: dict[str, str]


@pytest.fixture
def plots(tmp_path: Path) -> Iterator[Running]:
    """A plot server without documents, and without users: every request is the operator's."""
    with running([], library=tmp_path / "library") as found:
        found.await_event("loaded")
        yield found


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    """A plot server with a document and its dataset, an admin's."""
    directory = tmp_path_factory.mktemp("api") / "library"
    secret = directory.parent / "secret"
    secret.write_text(new_secret())
    with Library.open(directory) as library:
        library.users.add("root", admin=True)
        library.users.add("ann")
        bearer = {"Authorization": f"Bearer {library.tokens.create('root', 'admin', 1)[1]}"}
        with running([], library=directory, secret_file=secret, allow_origins=[ORIGIN]) as served:
            served.await_event("loaded")
            assert upload(served, "rows", **bearer)[0] == 201
            assert ask(served, "PUT", "documents/plot", document("rows"), **bearer).status == 201
            yield Filled(served, bearer)


@pytest.fixture(scope="module", autouse=True)
def _cheap_hashes() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_HASHER", passwords.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield
