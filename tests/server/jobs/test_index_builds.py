"""Indexes being built: shared, reported, stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from numba.core.caching import CompileResultCacheImpl

import bigviz as bv
from bigviz.aggregate.layer import Layer
from bigviz.common.errors import Busy, Cancelled, Unplottable
from bigviz.common.jit import jit
from bigviz.common.progress import COMPILING
from bigviz.server.access.principal import Principal
from bigviz.server.jobs.index_builds import Builds

from ...patience import PATIENCE
from ..running import Gated

XY = Layer("points", "x", "y")


def building(test: Callable[[Builds, Gated], Any], most: int = 8, share: int | None = None) -> None:
    async def run() -> None:
        engine = Gated()
        builds = Builds(engine, most, share)
        try:
            await asyncio.wait_for(test(builds, engine), PATIENCE)
        finally:
            engine.build_open.set()
            builds.close()

    asyncio.run(run())


async def reached(engine: Gated, fits: Callable[[], bool]) -> None:
    await asyncio.get_running_loop().run_in_executor(None, engine.await_, fits)


def test_callers_share_a_build_and_hear_of_it(dataset: bv.Dataset):
    async def test(builds: Builds, engine: Gated) -> None:
        engine.build_open.clear()
        heard: list[list[dict]] = [[], []]
        first = asyncio.ensure_future(builds.ensure(dataset, XY, heard[0].append))
        await reached(engine, lambda: engine.builds == 1)
        while not heard[0]:
            await asyncio.sleep(0)
        second = asyncio.ensure_future(builds.ensure(dataset, XY, heard[1].append))
        await asyncio.sleep(0)
        assert heard[1] and heard[1] == heard[0][-len(heard[1]) :], "a late listener hears the latest at once"
        assert builds.running == 1
        engine.build_open.set()
        assert (await first) == (await second) and engine.builds == 1 and builds.running == 0
        assert all(0 <= each["done"] <= 1 and each["seconds"] >= 0 for each in heard[0])
        stages = [each["stage"] for each in heard[0] if each["stage"] != COMPILING]
        assert stages[0] == "waiting" and len(set(stages)) > 1
        assert (await builds.ensure(dataset, XY)).rows == dataset.num_rows and engine.builds == 1

    building(test)


def test_those_who_wait_for_the_compiler_are_told(dataset: bv.Dataset, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(CompileResultCacheImpl, "_locator_classes", [])

    async def test(builds: Builds, engine: Gated) -> None:
        def double(value: float) -> float:
            return 2 * value

        def preview(*_: object) -> None:
            jit(double)(1.5)

        monkeypatch.setattr(engine, "preview", preview)
        heard: list[dict] = []
        await builds.ensure(dataset, XY, heard.append)
        assert [each["done"] for each in heard if each["stage"] == COMPILING] == [0.0]

    building(test)


def test_a_build_stops_with_the_last_who_waits(dataset: bv.Dataset):
    async def test(builds: Builds, engine: Gated) -> None:
        engine.build_open.clear()
        waiting = [asyncio.ensure_future(builds.ensure(dataset, XY)) for _ in range(3)]
        await reached(engine, lambda: engine.builds == 1)
        for task in waiting[:2]:
            task.cancel()
        await asyncio.sleep(0)
        assert engine.builds_cancelled == 0
        waiting[2].cancel()
        await reached(engine, lambda: engine.builds_cancelled == 1)
        assert builds.running == 0
        engine.build_open.set()
        assert (await builds.ensure(dataset, XY)).rows == dataset.num_rows

    building(test)


def test_errors_reach_everyone_and_are_forgotten(dataset: bv.Dataset):
    async def test(builds: Builds, engine: Gated) -> None:
        engine.build_open.clear()
        wrong = Layer("points", "x", "pair")
        waiting = [asyncio.ensure_future(builds.ensure(dataset, wrong)) for _ in range(2)]
        await reached(engine, lambda: engine.builds == 1)
        engine.build_open.set()
        for task in waiting:
            with pytest.raises(Unplottable):
                await task
        assert builds.running == 0

    building(test)


def test_builds_are_bounded(dataset: bv.Dataset):
    async def test(builds: Builds, engine: Gated) -> None:
        engine.build_open.clear()
        tasks = [asyncio.ensure_future(builds.ensure(dataset, Layer("points", "x", y))) for y in ("y", "n")]
        await asyncio.sleep(0)
        with pytest.raises(Busy, match="2 indexes"):
            await builds.ensure(dataset, Layer("points", "x", "value"))
        for task in tasks:
            task.cancel()

    building(test, most=2)


def test_what_is_known_waits_for_no_build(dataset: bv.Dataset):
    async def test(builds: Builds, engine: Gated) -> None:
        await builds.ensure(dataset, XY)
        engine.build_open.clear()
        pairs = [(a, b) for a in ("y", "n", "value") for b in ("x", "y", "n", "value") if a != b]
        tasks = [asyncio.ensure_future(builds.ensure(dataset, Layer("points", *pair))) for pair in pairs[:8]]
        await reached(engine, lambda: engine.builds == 1 + 6)  # in every thread
        assert (await builds.ensure(dataset, XY)).rows == dataset.num_rows
        for task in tasks:
            task.cancel()

    building(test)


def test_one_address_has_a_share_and_published_layers_are_apart(dataset: bv.Dataset):
    async def test(builds: Builds, engine: Gated) -> None:
        engine.build_open.clear()
        builds.publish(dataset, XY)
        tasks: list[asyncio.Future[Any]] = []

        async def begin(owner: str | None, x: str, y: str) -> None:
            asked = Layer("points", x, y)
            tasks.append(asyncio.ensure_future(builds.ensure(dataset, asked, principal=Principal(owner))))
            await asyncio.sleep(0)

        for owner, x, y in (("one", "x", "n"), ("one", "x", "value"), ("one", "x", "y"), ("two", "n", "x")):
            await begin(owner, x, y)
        with pytest.raises(Busy, match="2 indexes are being built for this address"):
            await builds.ensure(dataset, Layer("points", "n", "y"), principal=Principal("one"))
        await begin("one", "n", "x")  # another's, joined
        await begin("two", "n", "value")
        with pytest.raises(Busy, match="4 indexes are being built already"):
            await builds.ensure(dataset, Layer("points", "n", "y"), principal=Principal("three"))
        assert builds.running == 5 and not any(task.done() for task in tasks)
        tasks[0].cancel()
        await asyncio.sleep(0)
        await begin("one", "n", "y")
        assert builds.running == 5, "a build that was given up makes room"
        for task in tasks:
            task.cancel()

    building(test, most=4, share=2)


def test_closing_tells_those_who_wait(dataset: bv.Dataset):
    async def test(builds: Builds, engine: Gated) -> None:
        engine.build_open.clear()
        task = asyncio.ensure_future(builds.ensure(dataset, XY))
        await reached(engine, lambda: engine.builds == 1)
        builds.close()
        with pytest.raises(Cancelled):
            await task
        await reached(engine, lambda: engine.builds_cancelled == 1)

    building(test)
