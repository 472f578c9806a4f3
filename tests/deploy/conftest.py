"""A plot server of several people behind each proxy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ..server.api.calls import call, document, upload
from ..server.certificates import Certificates
from ..server.people import People
from ..server.running import Answer, Running, running
from .proxies import PROXIES, Front, free_port

TILE = "/layers/0/tiles/0/0/0.png"


@dataclass(frozen=True)
class Behind:
    """A server, the proxy in front of it, and people. `open` is a public document, `secret` is not; both show the
    columns x and y of `rows`, which has others too."""

    front: Front
    served: Running
    people: People

    def tile(self, name: str, query: str = "", **headers: str) -> Answer:
        """The first tile of a document, through the proxy."""
        return self.front.get(f"/{name}{TILE}{query}", **headers)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates.at(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module", params=PROXIES)
def behind(
    request: pytest.FixtureRequest, certificates: Certificates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Behind]:
    yield from _behind(request.param, certificates, tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="module")
def behind_nginx(certificates: Certificates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    yield from _behind("nginx", certificates, tmp_path_factory.mktemp("nginx"))


def _behind(proxy: str, certificates: Certificates, folder: Path) -> Iterator[Behind]:
    port, people = free_port(), People.at(folder / "library")
    owner = people.bearer("owner")
    options = {"public_url": f"https://localhost:{port}", "trusted_proxies": ["127.0.0.1"], "allow_anonymous": True}
    with running([], library=folder / "library", **options) as served:
        served.await_event("loaded")
        assert upload(served, "rows", **owner)[0] == 201
        assert call(served, "PUT", "documents/open", document("rows"), **owner)[0] == 201
        people.library.access.set("document", "open", True, {"owner": "owner"})
        with PROXIES[proxy](folder, served.server.port, port, certificates) as front:
            yield Behind(front, served, people)
    people.library.close()
