"""One timer for all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bigviz.server.websocket.lookout import Lookout

from ...patience import PATIENCE


class Seen:
    """Something that is looked at so many times; `then` is called at the last look."""

    def __init__(self, looks: int, then: Callable[[], None] = lambda: None) -> None:
        self.looks, self.left, self.then = 0, looks, then

    def look(self, now: float) -> bool:
        assert now <= asyncio.get_running_loop().time()
        self.looks += 1
        self.left -= 1
        if not self.left:
            self.then()
        return self.left > 0


def test_each_is_looked_at_until_it_says_that_that_is_enough_and_then_there_is_no_timer():
    async def run() -> None:
        lookout, over = Lookout(), asyncio.Event()
        first, second = Seen(1), Seen(2, over.set)
        for each in (first, second, second):
            lookout.watch(each)
        await asyncio.wait_for(over.wait(), PATIENCE)
        assert (first.looks, second.looks) == (1, 2)
        assert lookout._timer is None and not lookout._watched

    asyncio.run(run())


def test_one_that_ends_another_and_one_that_is_forgotten():
    async def run() -> None:
        lookout, over = Lookout(), asyncio.Event()
        last = Seen(9)
        first = Seen(1, lambda: (lookout.forget(last), over.set()))
        lookout.watch(first)
        lookout.watch(last)
        await asyncio.wait_for(over.wait(), PATIENCE)
        assert last.looks == 0 and lookout._timer is None

    asyncio.run(run())


def test_one_that_fails_does_not_keep_the_others_from_being_looked_at():
    async def run() -> None:
        lookout, over, failures = Lookout(), asyncio.Event(), []

        class Failing:
            def look(self, now: float) -> bool:
                raise RuntimeError("it cannot be looked at")

        asyncio.get_running_loop().set_exception_handler(lambda loop, about: failures.append(about["exception"]))
        lookout.watch(Failing())
        lookout.watch(Seen(1, over.set))
        await asyncio.wait_for(over.wait(), PATIENCE)
        assert [str(each) for each in failures] == ["it cannot be looked at"] and not lookout._watched

    asyncio.run(run())
