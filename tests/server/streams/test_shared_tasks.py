"""Work that several wait for on the event loop."""

from __future__ import annotations

import asyncio

import pytest

from bigviz.server.streams.shared_tasks import SharedTasks


def test_it_is_done_once_and_given_up_when_nobody_waits():
    async def run() -> None:
        shared: SharedTasks[int] = SharedTasks()
        go_on, begun, ended = asyncio.Event(), [], []

        async def work() -> int:
            begun.append(len(begun))
            try:
                await go_on.wait()
            finally:
                ended.append(len(begun))
            return 7 * len(begun)

        first, second = (asyncio.ensure_future(shared.get("key", work)) for _ in range(2))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert begun == [0] and ended == []  # one is left who waits
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        await asyncio.sleep(0)
        assert ended == [1]
        third = asyncio.ensure_future(shared.get("key", work))  # what was given up is begun again
        await asyncio.sleep(0)
        go_on.set()
        assert await third == 14 and begun == [0, 1]

    asyncio.run(run())


def test_what_it_raises_all_raise_and_the_next_begins_anew():
    async def run() -> None:
        shared: SharedTasks[int] = SharedTasks()
        found: list[int] = []

        async def work() -> int:
            await asyncio.sleep(0)
            found.append(1)
            if len(found) == 1:
                raise ValueError("the first")
            return len(found)

        both = await asyncio.gather(*(shared.get(1, work) for _ in range(2)), return_exceptions=True)
        assert [str(each) for each in both] == ["the first"] * 2 and len(found) == 1
        assert await shared.get(1, work) == 2

    asyncio.run(run())
