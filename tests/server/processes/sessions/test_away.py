"""What a process without sessions passes on: in the order in which a page says it, over the link of now."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from bigviz.common.errors import Conflict
from bigviz.server.access.principal import Principal
from bigviz.server.processes.sessions import away
from bigviz.server.processes.sessions.away import AwaySessions
from bigviz.server.websocket.session_requests import SelectionRequest


class Told:
    """A link that keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[Mapping[str, Any]] = []

    def send(self, message: Mapping[str, Any]) -> None:
        self.sent.append(message)


class Looker:
    """A page."""

    def __init__(self, name: str = "app") -> None:
        self.name, self.principal = name, Principal("127.0.0.1")


def sessions() -> AwaySessions:
    nobody: Any = None
    return AwaySessions(nobody, nobody, ["app"], False)


async def rounds() -> None:
    """Let tasks go on."""
    for _ in range(5):
        await asyncio.sleep(0)


def test_a_page_joins_over_the_link_that_is_there_when_it_does():
    async def run() -> None:
        found, first, second, page = sessions(), Told(), Told(), Looker()
        joining = asyncio.ensure_future(found.join(page, None, None))  # type: ignore[arg-type]
        await rounds()
        found._link.set_result(first)  # type: ignore[arg-type]
        found._lost()  # before the page has heard of it
        await rounds()
        assert not joining.done() and not first.sent
        found._link.set_result(second)  # type: ignore[arg-type]
        await rounds()
        (message,) = second.sent
        found._take({"page": message["page"], "answer": {"id": "s"}})
        assert await joining == {"id": "s"}

    asyncio.run(run())


def test_a_selection_that_is_looked_up_does_not_come_after_what_was_said_later(monkeypatch: pytest.MonkeyPatch):
    async def run() -> None:
        looked_up = asyncio.Event()

        async def slowly(site: Any, page: Any, id: str) -> dict[str, Any]:
            await looked_up.wait()
            return {"id": id}

        monkeypatch.setattr(away, "selected_by", slowly)
        found, link, page = sessions(), Told(), Looker()
        found._link.set_result(link)  # type: ignore[arg-type]
        joining = asyncio.ensure_future(found.join(page, None, None))  # type: ignore[arg-type]
        await rounds()
        found._take({"page": 1, "answer": None})
        await joining
        said = [SelectionRequest(1, "f", "0-a"), SelectionRequest(2, "f", None)]
        taking = [asyncio.ensure_future(found.take(page, each)) for each in said]  # type: ignore[arg-type]
        await rounds()
        looked_up.set()
        await rounds()
        assert [message["take"]["id"] for message in link.sent[1:]] == [1, 2]
        for _ in said:
            found._take({"page": 1, "answer": None})
        await asyncio.gather(*taking)

    asyncio.run(run())


def test_a_page_whose_document_has_no_app_is_told_so():
    async def run() -> None:
        page: Any = Looker("table")
        with pytest.raises(Conflict, match="has no app"):
            await sessions().take(page, SelectionRequest(1, "f", None))

    asyncio.run(run())
