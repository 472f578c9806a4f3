"""Who wants the same at the same time has one thread."""

from __future__ import annotations

import asyncio
import threading

from bigviz.common.threads.shared_thread import in_shared_thread


def test_those_who_come_and_go_have_one_thread() -> None:
    gate, calls = threading.Event(), list[str]()

    def work(name: str) -> str:
        calls.append(name)
        gate.wait()
        return name

    async def test() -> None:
        for _ in range(3):
            leaves = asyncio.ensure_future(in_shared_thread("a", lambda: work("a")))
            await asyncio.sleep(0)
            leaves.cancel()
        stays, other = (asyncio.ensure_future(in_shared_thread(key, lambda key=key: work(key))) for key in "ab")  # type: ignore[misc]
        await asyncio.sleep(0)
        gate.set()
        assert await asyncio.gather(stays, other) == ["a", "b"]
        assert await in_shared_thread("a", lambda: work("again")) == "again"

    asyncio.run(test())
    assert sorted(calls) == ["a", "again", "b"]


def test_what_fails_fails_for_all_and_is_tried_again() -> None:
    async def test() -> None:
        for _ in range(2):
            both = [in_shared_thread("a", lambda: 1 // 0) for _ in range(2)]
            found = await asyncio.gather(*both, return_exceptions=True)
            assert [type(each) for each in found] == [ZeroDivisionError] * 2

    asyncio.run(test())
