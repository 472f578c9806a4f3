"""Coroutines that are begun where they are made: one that waits for nothing takes no task, and no turn of the loop."""

from __future__ import annotations

from collections.abc import Awaitable, Coroutine, Generator
from typing import Any

__all__ = ["begun"]


def begun(work: Coroutine[Any, Any, None]) -> Awaitable[None] | None:
    """Run a coroutine up to where it waits. None if it has ended there, else the rest of it, to be awaited once.

    Raises what it raises until then. That part runs in no task of its own: `asyncio.timeout`, which needs one, may only
    come after it.
    """
    try:
        first = work.send(None)
    except StopIteration:
        return None
    return _Rest(work, first)


class _Rest(Awaitable[None]):
    """What is left of a coroutine that waits for `first`."""

    def __init__(self, work: Coroutine[Any, Any, None], first: Any) -> None:
        self._work, self._waits = work, first

    def __await__(self) -> Generator[Any, Any, None]:
        waits = self._waits
        try:
            while True:
                try:
                    found = yield waits
                except GeneratorExit:
                    self._work.close()
                    raise
                except BaseException as error:
                    waits = self._work.throw(error)
                else:
                    waits = self._work.send(found)
        except StopIteration:
            return
