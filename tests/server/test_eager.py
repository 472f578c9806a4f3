"""Coroutines that are begun at once."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from bigviz.server.eager import begun


def test_one_that_waits_for_nothing_has_ended():
    done = []

    async def work() -> None:
        done.append(1)

    assert begun(work()) is None and done == [1]


def test_what_it_raises_at_once_is_raised():
    async def work() -> None:
        raise ValueError("at once")

    with pytest.raises(ValueError, match="at once"):
        begun(work())


def test_the_rest_is_awaited():
    async def run() -> list[str]:
        told, future = [], asyncio.get_running_loop().create_future()

        async def work() -> None:
            told.append("begun")
            told.append(await future)
            await asyncio.sleep(0)
            try:
                await asyncio.wait_for(asyncio.get_running_loop().create_future(), 0)
            except TimeoutError:
                told.append("late")
            raise KeyError("at the end")

        rest = begun(work())
        assert told == ["begun"] and rest is not None
        future.set_result("had")
        with pytest.raises(KeyError, match="at the end"):
            await rest
        return told

    assert asyncio.run(run()) == ["begun", "had", "late"]


def test_the_rest_is_cancelled_with_its_task():
    async def run() -> list[str]:
        told = []

        async def work() -> None:
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                told.append("given up")

        rest = begun(work())
        assert rest is not None
        task = asyncio.ensure_future(rest)
        await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert task.cancelled()
        return told

    assert asyncio.run(run()) == ["given up"]
