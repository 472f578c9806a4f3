"""Requests under way: they have one thread together, so that those which get no answer hold up nobody else.

Whoever needs an answer waits for a future, and may give it up: then the connection is closed.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from typing import Final, TypeVar

from bigviz.common.daemon_thread import in_thread, start_daemon
from bigviz.common.threads.waits import wait_for
from bigviz.data.remote import settings
from bigviz.data.remote.address import Address
from bigviz.data.remote.circuit_breaker import CircuitBreaker
from bigviz.data.remote.failures import failure_of, is_unanswered, is_unreached, unasked
from bigviz.data.remote.http_connection import IDLE

__all__ = ["Host", "host_of", "in_own_time"]

T = TypeVar("T")
Request = Callable[[], Awaitable[T]]
Words = Callable[[Exception], Exception]

_REQUESTS: Final = 16  # that one host has under way before their bytes are asked for
_OBJECTS: Final = 1024
_LOOKUPS: Final = 64  # names that are looked up at a time: those that nobody answers for hold up no others
_starting = threading.Lock()


class Host:
    """What all requests to one host, or to one bucket, share."""

    def __init__(self) -> None:
        self._breaker = CircuitBreaker()
        self._objects: dict[tuple[str, str], CircuitBreaker] = {}
        self._ahead = asyncio.Semaphore(_REQUESTS)

    def ask(self, address: Address, request: Request[T], words: Words) -> Future[T]:
        """Send a request, at once. The future raises `words` of what that raises; `Unreadable` where the host is not
        asked for now."""
        return asyncio.run_coroutine_threadsafe(self._asked(address, request, words), _loop())

    def ask_ahead(self, address: Address, request: Request[T], words: Words) -> Future[T]:
        """The same for what is not needed yet: 16 of these are under way, and the others wait."""

        async def in_line() -> T:
            async with self._ahead:
                return await self._asked(address, request, words)

        return asyncio.run_coroutine_threadsafe(in_line(), _loop())

    async def _asked(self, address: Address, request: Request[T], words: Words) -> T:
        own = self._of(address)
        refused = own.refused_for()
        if not refused and (refused := self._breaker.refused_for()):
            own.given_up()
        if refused:
            raise unasked(address, refused)
        try:
            found = await request()
        except Exception as error:
            if is_unanswered(error):
                own.unanswered()
                self._breaker.unanswered(None if is_unreached(error) else (address.root, address.key))
            else:
                self._answered(own)
            raise words(error) from None
        except BaseException:
            own.given_up()
            self._breaker.given_up()
            raise
        self._answered(own)
        return found

    def _answered(self, own: CircuitBreaker) -> None:
        own.answered()
        self._breaker.answered()

    def _of(self, address: Address) -> CircuitBreaker:
        """What counts for one object, of those that were asked for last."""
        key = address.root, address.key
        found = self._objects.pop(key, None) or CircuitBreaker()
        self._objects[key] = found
        if len(self._objects) > _OBJECTS:
            self._objects.pop(next(iter(self._objects)))
        return found


@lru_cache(256)
def host_of(place: str) -> Host:
    """The host or bucket of that name."""
    return Host()


def in_own_time(address: Address, call: Callable[[], T]) -> T:
    """Run a library's own requests to a host in a thread, with a timeout; for the circuit breaker they count as one
    request. Whoever waits can give it up, but the thread runs until the library returns. Raises what the call does."""

    async def asked() -> T:
        async with asyncio.timeout(settings.PATIENCE.request):
            return await in_thread(call)

    def words(error: Exception) -> Exception:
        return failure_of(error, address) if isinstance(error, TimeoutError) else error

    return wait_for(host_of(address.host).ask(address, asked, words))


def _loop() -> asyncio.AbstractEventLoop:
    with _starting:
        return _started()


@lru_cache(1)
def _started() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    loop.set_default_executor(ThreadPoolExecutor(_LOOKUPS, "bigviz-names"))
    start_daemon("bigviz-remote", _run, loop, stop=lambda: asyncio.run_coroutine_threadsafe(_end(), loop))
    return loop


async def _end() -> None:
    """Give up all requests, and let those who wait for them know."""
    loop = asyncio.get_running_loop()
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    IDLE.clear()
    loop.stop()


def _run(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
    finally:
        loop.close()


def _forget() -> None:
    """A child has none of its parent's threads."""
    global _starting
    _starting = threading.Lock()
    _started.cache_clear()
    host_of.cache_clear()
    IDLE.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
