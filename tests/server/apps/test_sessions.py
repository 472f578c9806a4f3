"""Sessions: resumed by their own viewers, bounded in number and size, forgotten with all that they took."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bigviz.common.errors import Busy, TooLarge
from bigviz.server.access.principal import Principal
from bigviz.server.apps import session as own
from bigviz.server.apps.session import Session
from bigviz.server.apps.sessions import Sessions

ADA = Principal("10.0.0.1", "ada", kind="user")
BOB = Principal("10.0.0.1", "bob", kind="user")
ANYONE = Principal("10.0.0.2", kind="anyone")
HOLDING = (__file__, str(Path(own.__file__).with_name("*.py")))


class Page:
    def __init__(self, name: str = "app", principal: Principal = ADA) -> None:
        self.name, self.principal = name, principal
        self.shown = None
        self.session: Session | None = None
        self.pushed: list[Mapping[str, Any]] = []

    def push(self, what: Mapping[str, Any]) -> None:
        self.pushed.append(what)


def joined(sessions: Sessions, page: Page, wanted: str | None = None) -> Session:
    page.session, _ = sessions.join(page, wanted, {"a": 0})
    return page.session


def test_a_session_goes_on_for_its_own_viewer_alone():
    async def work() -> None:
        ended: list[Session] = []
        sessions = Sessions(100, ended.append)
        first = Page()
        session = joined(sessions, first)
        session.change(values={"a": 1})
        sessions.leave(first, session)
        assert joined(sessions, Page(), session.id) is session and session.values == {"a": 1}
        for other in (Page("app", BOB), Page("app", ANYONE), Page("other"), Page("app", Principal("10.0.0.1"))):
            assert joined(sessions, other, session.id) is not session
        nameless = joined(sessions, Page("app", ANYONE))
        moved = Page("app", Principal("10.9.9.9", kind="anyone"))
        assert joined(sessions, moved, nameless.id) is nameless, "of those without a name the id is all that is known"
        again = Page()
        assert joined(sessions, again, session.id) is session and session.pages == {again}, "the newest has it"
        assert joined(sessions, Page(), "x" * 22).id not in ("x" * 22, session.id) and len(session.id) == 22

    asyncio.run(work())


def test_a_session_waits_for_its_page_and_then_ends():
    async def work() -> None:
        ended: list[Session] = []
        sessions = Sessions(0.01, ended.append)
        page = Page()
        session = joined(sessions, page)
        assert session.expiry is None, "as long as the page is there it stays"
        sessions.leave(page, session)
        expiry = session.expiry
        assert expiry is not None
        back = Page()
        assert joined(sessions, back, session.id) is session
        assert expiry.cancelled() and session.expiry is None and ended == []
        sessions.leave(back, session)
        while not ended:
            await asyncio.sleep(0.001)
        assert len(sessions) == 0 and joined(sessions, Page(), session.id) is not session

    asyncio.run(work())


def test_sessions_are_bounded_in_number():
    async def work() -> None:
        ended: list[Session] = []
        sessions = Sessions(100, ended.append, most=6, most_per_share=4)
        pages = [Page() for _ in range(4)]
        made = [joined(sessions, page) for page in pages]
        with pytest.raises(Busy, match="4 of your pages"):
            joined(sessions, Page())
        sessions.leave(pages[2], made[2])
        sessions.leave(pages[1], made[1])
        joined(sessions, Page())
        assert ended == [made[1]], "the oldest of those that are gone makes room"
        for _ in range(2):
            joined(sessions, Page("app", BOB))
        joined(sessions, Page("app", BOB))
        assert ended == [made[1], made[2]]
        with pytest.raises(Busy, match="6 pages are open"):
            joined(sessions, Page("app", ANYONE))

    asyncio.run(work())


def test_a_session_holds_100_kib():
    async def work() -> None:
        sessions = Sessions(100, lambda session: None)
        page = Page()
        session = joined(sessions, page)
        for at in range(8):
            session.change(values={f"t{at}": "x" * 10_000})
        session.set("layer", "f0-0", {"legend_label": "y" * 10_000}, {})
        before, told = dict(session.values), len(page.pushed)
        with pytest.raises(TooLarge, match="100 KiB"):
            session.change(values={"t9": "x" * 20_000})
        with pytest.raises(TooLarge, match="100 KiB"):
            session.set("layer", "f0-1", {"legend_label": "y" * 20_000}, {})
        assert session.values == before and len(page.pushed) == told

    asyncio.run(work())


def test_a_thousand_sessions_give_their_memory_back():
    """Of all that is allocated, what these sessions hold is counted: other threads may compile kernels meanwhile."""

    async def work() -> None:
        sessions = Sessions(0, lambda session: None)
        alive: weakref.WeakSet[Session | Page] = weakref.WeakSet()

        async def cycle(times: int) -> int:
            for _ in range(times):
                page = Page()
                session = joined(sessions, page)
                alive.update((session, page))
                session.change(values={"a": "x" * 10_000})
                session.set("layer", "f0-0", {"legend_label": "y" * 10_000}, {})
                session.timers[1] = 1.0
                session.ticking[1] = asyncio.get_running_loop().call_later(100, print)
                sessions.leave(page, session)
                await asyncio.sleep(0)
            while len(sessions):
                await asyncio.sleep(0.001)
            gc.collect()
            kept = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, name) for name in HOLDING])
            return sum(each.size for each in kept.traces)

        tracemalloc.start()
        try:
            before = await cycle(100)
            after = await cycle(1_000)
        finally:
            tracemalloc.stop()
        assert after - before < 200_000, "20 MB went through"
        assert not alive

    asyncio.run(work())


class Client(Page):
    """A page as static/figure/values/settling.js has it, behind a line that delays."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, Any] = {}
        self.pending: dict[str, int] = {}
        self.up: list[tuple[int, str, Any]] = []
        self.number = 0

    def edit(self, name: str, value: Any) -> None:
        self.number += 1
        self.values[name] = value
        self.pending[name] = self.number
        self.up.append((self.number, name, value))

    def receive(self) -> None:
        told = self.pushed.pop(0)["set"]
        changes = {name: each["value"] for name, each in told.get("controls", {}).items()} | told.get("ranges", {})
        for name, value in changes.items():
            waits = self.pending.get(name)
            if waits is not None and waits == told.get("id"):
                del self.pending[name]
            if name not in self.pending:
                self.values[name] = value


def test_a_hundred_viewers_of_a_shared_page_end_equal():
    async def work() -> None:
        rng = np.random.default_rng(5)
        sessions = Sessions(100, lambda session: None, shared=True)
        pages = [Client() for _ in range(100)]
        session = joined(sessions, pages[0])
        assert {joined(sessions, page) for page in pages} == {session} and len(sessions) == 1

        def serve(page: Client) -> None:
            number, name, value = page.up.pop(0)
            what = {"ranges": {name: value}} if name.startswith("x") else {"values": {name: value}}
            session.change(**what, origin=page, request=number)

        edits = 0
        while edits < 1_000:
            page = pages[rng.integers(100)]
            chance = rng.random()
            if chance < 0.2:
                edits += 1
                page.edit(str(rng.choice(["a", "b", "c", "x0", "x1"])), [edits, edits + 1])
            elif chance < 0.4 and page.up:
                serve(page)
            else:
                for _ in range(min(30, len(page.pushed))):
                    page.receive()
        for page in pages:
            while page.up:
                serve(page)
        sequences = [[each["set"]["sequence"] for each in page.pushed] for page in pages]
        assert all(each == sorted(each) for each in sequences)
        for page in pages:
            while page.pushed:
                page.receive()
        state = {**session.values, **session.ranges}
        assert session.sequence == 1_000 and all(page.values == {k: state[k] for k in page.values} for page in pages)
        assert all(set(page.values) == {"a", "b", "c", "x0", "x1"} and not page.pending for page in pages)

    asyncio.run(work())
