"""Which calls are made, in which order, and what becomes of those that take too long."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bigviz.server.apps.callbacks import AT_ONCE, Call, Callbacks
from bigviz.server.apps.session import Session

from ...patience import PATIENCE


class Process:
    """One that makes no call by itself."""

    def __init__(self) -> None:
        self.sent: list[Mapping[str, Any]] = []
        self.killed: list[str] = []

    def send(self, message: Mapping[str, Any], body: bytes = b"") -> None:
        self.sent.append(message)

    def kill(self, why: str) -> None:
        self.killed.append(why)

    @property
    def calls(self) -> list[tuple[str, Any]]:
        return [(each["id"], each["value"]) for each in self.sent if each["op"] == "call"]


def session() -> Session:
    found = Session("app", None, None, 1 << 20, {"a": 0, "b": 0})
    found.forget_process()
    return found


def loop(work: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(work())  # type: ignore[arg-type]


async def attached(seconds: float = 100) -> tuple[Callbacks, Process, list[tuple[Call, list[dict[str, Any]]]]]:
    done: list[tuple[Call, list[dict[str, Any]]]] = []
    callbacks, process = Callbacks(lambda *what: done.append(what), seconds), Process()
    callbacks.attach(process)
    await asyncio.sleep(0)
    return callbacks, process, done


def test_one_at_a_time_for_a_session_and_the_newest_of_what_waits():
    async def work() -> None:
        callbacks, process, _ = await attached()
        page = session()
        for name, value in [("a", 1), ("a", 2), ("b", 1), ("a", 3), ("b", 2)]:
            callbacks.call(Call(page, "change", name, value))
        assert process.calls == [("a", 1)]
        callbacks.ended(1, [])
        callbacks.ended(2, [])
        assert process.calls == [("a", 1), ("a", 3), ("b", 2)], "each keeps its place, and has the newest value"
        callbacks.ended(3, [])
        callbacks.ended(3, [])  # said twice
        callbacks.call(Call(page, "change", "a", 4))
        assert process.calls[3:] == [("a", 4)]

    loop(work)


def test_sessions_take_turns_and_none_waits_for_another_ones_callback():
    async def work() -> None:
        callbacks, process, _ = await attached()
        pages = [session() for _ in range(AT_ONCE + 2)]
        for value in (1, 2):
            for at, page in enumerate(pages):
                callbacks.call(Call(page, "change", str(at), value))
        assert process.calls == [(str(at), 1) for at in range(AT_ONCE)]
        callbacks.ended(2, [])
        callbacks.ended(1, [])
        assert process.calls[AT_ONCE:] == [("8", 2), ("9", 2)], "those who have waited longest, with what is newest"

    loop(work)


def test_a_call_tells_what_has_changed_since_the_last_one():
    async def work() -> None:
        callbacks, process, _ = await attached()
        page = session()
        page.set("layer", "f0-0", {"agg": "mean(v)"}, {})
        callbacks.call(Call(page, "open", None))
        assert process.sent[0]["values"] == {"a": 0, "b": 0} and process.sent[0]["set"] == [
            ["layer", "f0-0", {"agg": "mean(v)"}]
        ]
        page.change(values={"a": 5})
        page.change(ranges={"x0": [1, 2]})
        callbacks.ended(1, [])
        callbacks.call(Call(page, "change", "a", 5))
        assert process.sent[1]["values"] == {"a": 5} and process.sent[1]["ranges"] == {"x0": [1, 2]}
        assert process.sent[1]["set"] == []

    loop(work)


def test_opening_comes_first_and_closing_last():
    async def work() -> None:
        callbacks, process, _ = await attached()
        page = session()
        callbacks.detach()
        for event, name in (("change", "a"), ("timer", 1), ("close", None)):
            callbacks.call(Call(page, event, name, 1))
        callbacks.detach()
        callbacks.call(Call(page, "change", "a", 2))
        callbacks.call(Call(page, "change", "b", 2))
        callbacks.attach(process)
        callbacks.call(Call(page, "open", None))
        await asyncio.sleep(0)
        for number in (1, 2):
            callbacks.ended(number, [])
        assert [each["event"] for each in process.sent] == ["open", "change", "change"]
        callbacks.call(Call(page, "change", "a", 3))
        callbacks.call(Call(page, "close", None))
        callbacks.ended(3, [])
        assert process.sent[-1]["event"] == "close" and len(process.sent) == 4, "nobody waits for the change any more"

    loop(work)


def test_a_call_that_takes_too_long_is_interrupted_and_its_process_ended_where_that_does_not_help(monkeypatch):
    to_give_in = "bigviz.server.apps.callbacks._SECONDS_TO_GIVE_IN"
    monkeypatch.setattr(to_give_in, PATIENCE)

    async def work() -> None:
        callbacks, process, done = await attached(0.01)
        page = session()
        callbacks.call(Call(page, "change", "a", 1))
        while len(process.sent) < 2:
            await asyncio.sleep(0.001)
        assert process.sent[1] == {"op": "interrupt", "call": 1}
        callbacks.ended(1, [{"own": None}])
        ((call, failures),) = done
        assert call.late and failures == [{"own": None}] and process.killed == []
        monkeypatch.setattr(to_give_in, 0.01)
        callbacks.call(Call(page, "change", "a", 1))
        while not process.killed:
            await asyncio.sleep(0.001)
        assert process.killed == ["took longer than 0.01 s for a callback, and could not be interrupted"]
        callbacks.ended(2, [])
        callbacks.call(Call(page, "change", "a", 2))
        waiting = callbacks.running(3)
        assert waiting is not None and waiting.timer is not None
        callbacks.detach()
        assert waiting.timer.cancelled(), "no call of a process that is gone is late"

    loop(work)
