"""Checking and setting passwords: few at once, since each takes a core and much memory, and slower after wrong ones."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

from bigviz.common.errors import TooMany, Unauthorized
from bigviz.server.access.credentials import network_of
from bigviz.server.access.rates import Failures

if TYPE_CHECKING:
    from bigviz.library.library import Library
    from bigviz.server.limits import Limits

__all__ = ["Passwords"]

P = ParamSpec("P")
T = TypeVar("T")

_AT_ONCE: Final = 2
_MOST_WAITING: Final = 32


class Passwords:
    """Checks and sets passwords. Lives on the event loop. Threads of its own, so that a flood of logins holds up no
    other look at the library."""

    def __init__(self, limits: Limits) -> None:
        self._of_addresses = Failures(limits.login_wait_address)
        self._of_users = Failures(limits.login_wait_user)
        self._pool = ThreadPoolExecutor(_AT_ONCE, "bigviz-passwords")
        self._waiting = 0

    def close(self) -> None:
        """Let the threads end."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def check(self, library: Library, user: str, password: str, address: str) -> None:
        """Return if this is the user's password. Raises Unauthorized where it is not, and TooMany for what comes too
        soon after wrong ones, whether it is right or not."""
        network = network_of(address)
        self._check_room()
        self._of_addresses.begin(network)
        self._of_users.begin(user)
        right = await self.run(library.users.check, user, password)
        if not right:
            self._of_addresses.failed(network)
            self._of_users.failed(user)
            raise Unauthorized("The user name or the password is wrong.")
        self._of_addresses.succeeded(network)
        self._of_users.succeeded(user)

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of what hashes a password, in one of the few threads. Raises TooMany where many wait."""
        self._check_room()
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, partial(work, *args, **kwargs))
        finally:
            self._waiting -= 1

    def _check_room(self) -> None:
        if self._waiting >= _MOST_WAITING:
            raise TooMany("Many people sign in at this moment: try again in a second.", retry_after=1.0)
