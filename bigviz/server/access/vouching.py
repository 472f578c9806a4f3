"""The organisation's own login: a header that its proxy sets, or a function of its own, names the user of a request."""

from __future__ import annotations

import importlib
import inspect
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from tornado.httputil import HTTPServerRequest

from bigviz.common.daemon_thread import in_thread
from bigviz.common.errors import BadInput, BigvizError, Unauthorized

__all__ = ["Asked", "Function", "Header", "Vouching", "vouched_until"]

_log = logging.getLogger("bigviz")

_SECONDS_VOUCHED: Final = 3_600.0  # after which a socket is closed, and its page asks again


@dataclass(frozen=True)
class Asked:
    """What a function of `--auth` is asked about; names of headers are in lower case."""

    headers: Mapping[str, str]
    address: str
    path: str


class Vouching(Protocol):
    """Names the user of a request."""

    async def user(self, request: HTTPServerRequest, proxied: bool) -> str | None:
        """The user's name, None for nobody. `proxied`: a trusted proxy passed the request on."""


@dataclass(frozen=True)
class Header:
    """`--auth-header`: the header in which a trusted proxy names the user."""

    name: str

    async def user(self, request: HTTPServerRequest, proxied: bool) -> str | None:
        """The header's value; None without it, or where it does not come from a trusted proxy."""
        found = request.headers.get_list(self.name) if proxied else []
        if len(found) > 1:
            raise Unauthorized(f"The header {self.name} came {len(found)} times: the proxy must replace it.")
        return found[0].strip() or None if found else None


class Function:
    """`--auth module:function`: a function that gets an `Asked` and returns a user's name, or None.

    It may be a coroutine function; another is called in a thread. What it raises is logged, and answered 401.
    """

    def __init__(self, spec: str) -> None:
        self._call = _imported(spec)

    async def user(self, request: HTTPServerRequest, proxied: bool) -> str | None:
        """What the function returns for this request."""
        headers = {name.lower(): value for name, value in request.headers.get_all()}
        asked = Asked(headers, str(request.remote_ip), request.path)
        try:
            if inspect.iscoroutinefunction(self._call):
                found = await self._call(asked)
            else:
                found = await in_thread(lambda: self._call(asked))
            if found is not None and not isinstance(found, str):
                raise TypeError(f"the function of --auth returns a user's name or None, got {type(found).__name__}")
        except BigvizError:
            raise
        except Exception as error:
            _log.error("the function of --auth failed", exc_info=error)
            raise Unauthorized("Your login could not be checked; the server's log says why.") from None
        return found or None


def vouched_until() -> float:
    """When a user who is named now has to be named again."""
    return time.time() + _SECONDS_VOUCHED


def _imported(spec: str) -> Callable[[Asked], str | Awaitable[str | None] | None]:
    module, colon, name = spec.partition(":")
    if not colon or not module or not name:
        raise BadInput(f"--auth takes module:function, such as company.login:user_of, got {spec!r}.", "auth", spec)
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise BadInput(f"--auth {spec} cannot be imported: {error}.", "auth", spec) from error
    if not callable(found):
        raise BadInput(f"--auth {spec} names a {type(found).__name__}: it takes a function.", "auth", spec)
    return found  # type: ignore[no-any-return]
