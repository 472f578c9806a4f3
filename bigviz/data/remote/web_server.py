"""Requests to one HTTP server for ranges of a file: it may lead on, but not to what only this machine can reach."""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from functools import partial
from typing import Final
from urllib.parse import SplitResult, urljoin, urlsplit

from bigviz.common.errors import Unreadable
from bigviz.data.remote import settings
from bigviz.data.remote.address import Address, shown_source
from bigviz.data.remote.facts import Facts
from bigviz.data.remote.failures import failure_of
from bigviz.data.remote.http_connection import Head, Place
from bigviz.data.remote.web_client import AskedRange, WebError, answer, is_redirect, patiently

__all__ = ["WebServer"]

_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
_GLOBAL: Final = ipaddress.ip_network("2000::/3")  # of IPv6: all else is a network's own, or stands for IPv4
_REDIRECTS: Final = 5


class WebServer:
    """The server of one address."""

    errors: tuple[type[Exception], ...] = (WebError,)

    def __init__(self, address: Address) -> None:
        self._address = address

    def words(self, address: Address, error: Exception) -> Exception:
        """What requests raise as an error of bigviz; all others as they are."""
        return failure_of(error, address) if isinstance(error, self.errors) else error

    async def part(self, key: str, start: int, stop: int, etag: str | None) -> tuple[bytes, Facts]:
        """As `Store.part`. What may pass is asked for again, from where a body was cut."""
        return await patiently(partial(self._once, AskedRange(start, stop, etag)))

    async def _once(self, asked: AskedRange) -> tuple[bytes, Facts]:
        parts, number = urlsplit(self._address.root), None
        for _ in range(_REDIRECTS + 1):
            async with answer(parts, {**asked.headers(), **self._secrets(parts)}, number) as (connection, head):
                if not is_redirect(head):
                    return await asked.read(connection, head)
                number = connection.number  # its name may be another one's by the next request
                async with asyncio.timeout(settings.PATIENCE.silence):
                    await connection.pass_over(head)
            parts, number = await self._elsewhere(parts, head, number)
        raise WebError("too many redirects")

    def _secrets(self, parts: SplitResult) -> dict[str, str]:
        """User and password, for the server that they were given for."""
        own = urlsplit(self._address.root)
        if self._address.authorization is None or not _is_same(own, parts):
            return {}
        return {"Authorization": self._address.authorization}

    async def _elsewhere(
        self, parts: SplitResult, head: Head, number: str | None = None
    ) -> tuple[SplitResult, str | None]:
        """Where a redirect leads: on the same server anywhere, else to a public address only, whose number is kept, so
        that it is the same one that is connected to. `number` is that of the server which leads on, if it was kept."""
        try:
            target = urlsplit(urljoin(parts.geturl(), head.headers.get("Location", "")))
            host = target.hostname or ""
            fine = target.scheme in ("http", "https") and bool(host) and target.geturl().isascii()
            Place.of(target)
        except (ValueError, KeyError):
            fine = False
        if not fine or re.search(r"[\s\x00-\x1f]", target.geturl()) or target.username is not None:
            raise WebError("a redirect without a usable Location")
        if _is_same(parts, target):
            return target, number
        shown = shown_source(target.geturl())
        refused = Unreadable(
            f"{self._address.shown} leads on to {shown}, which is no public address or less secure. bigviz does not "
            "follow there: name that address itself, if you trust it.",
            field="source",
            got=self._address.shown,
        )
        if target.scheme == "http" and parts.scheme == "https":
            raise refused
        found = await _public_number(target)
        if found is None:
            raise refused
        return target, found


def _is_same(one: SplitResult, other: SplitResult) -> bool:
    """Whether two addresses are of one server, or of its secure side."""
    here, there = Place.of(one), Place.of(other)
    secured = (here.scheme, there.scheme) == ("http", "https") and (here.port, there.port) == (80, 443)
    return here.host == there.host and ((here.scheme, here.port) == (there.scheme, there.port) or secured)


async def _public_number(target: SplitResult) -> str | None:
    """The number of a host all of whose numbers are public; through a proxy, which asks for it itself, its name."""
    place = Place.of(target)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    except OSError:
        return place.host if place.proxy is not None and not re.fullmatch(r"[\d.:]+", place.host) else None
    numbers = [str(each[4][0]).partition("%")[0] for each in found]
    public = bool(numbers) and all(_is_public(ipaddress.ip_address(each)) for each in numbers)
    return numbers[0] if public else None


def _is_public(number: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    mapped = getattr(number, "ipv4_mapped", None) or getattr(number, "sixtofour", None)
    if number in _NAT64:
        return _is_public(ipaddress.IPv4Address(int(number) & 0xFFFFFFFF))
    if number.version == 6 and mapped is None and number not in _GLOBAL:
        return False
    return number.is_global and not number.is_multicast and (mapped is None or _is_public(mapped))
