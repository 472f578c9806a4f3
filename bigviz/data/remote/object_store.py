"""Requests to one store: parts of objects, and lists of them. `obstore` sends, signs and repeats them.

It is used for stores that need tokens which it alone can get; `s3_bucket` sends the requests to all others itself, with
bounds on what comes back. It was chosen over the file systems of pyarrow and fsspec because it alone gives, for S3,
Google and Azure alike, `If-Match` with each range, the ETag and size with each answer, a check of Content-Range, and
bounded repeats that also go on where a body was cut.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from datetime import timedelta
from functools import partial
from importlib import import_module
from typing import Any, Final

from bigviz.common.errors import BadInput
from bigviz.common.threads.waits import wait_for
from bigviz.data.remote import settings
from bigviz.data.remote.address import Address
from bigviz.data.remote.facts import Facts
from bigviz.data.remote.failures import credentials_of, failure_of
from bigviz.data.remote.s3_bucket import MOST_LISTED, required, too_many
from bigviz.data.remote.settings import endpoint_of
from bigviz.data.remote.transfers import host_of

__all__ = ["Store"]

_PIECE: Final = 1 << 18


class Store:
    """A connection to the store of an address. Safe to use from any number of threads."""

    def __init__(self, address: Address) -> None:
        """Raises BadInput where the package that connects is not installed."""
        self._obstore = required("obstore", address)
        self._store = _connected(address)
        self.errors: tuple[type[Exception], ...] = (self._obstore.exceptions.BaseError, OSError, ValueError)
        """What requests raise; `failures` puts it into words."""

    async def part(self, key: str, start: int, stop: int, etag: str | None) -> tuple[bytes, Facts]:
        """The bytes from `start` to `stop`, fewer where the object ends, and what the store says with them. A server
        that sends more than it says, or does not end, is not listened to: then these are more, but not many. With an
        `etag` only of the object that has it, if the server looks at it. Raises `errors`."""
        options: dict[str, object] = {"range": (start, stop)}
        if etag is not None:
            options["if_match"] = etag
        found = await self._obstore.get_async(self._store, key, options=options)
        facts = Facts.of(found.meta)
        return await _at_most(found, stop - start), facts

    def below(self, address: Address) -> list[Facts]:
        """All objects below a directory. Raises Unreadable and NotFound."""
        words = partial(self.words, address)
        return wait_for(host_of(address.host).ask(address, partial(self._below, address), words))

    def some_below(self, address: Address) -> list[Facts]:
        """The first objects below a directory, those of one answer. Raises Unreadable and NotFound."""

        async def asked() -> list[Facts]:
            async for some in self._obstore.list(self._store, address.key.rstrip("/") or None):
                return [Facts.of(each) for each in some]
            return []

        return wait_for(host_of(address.host).ask(address, asked, partial(self.words, address)))

    def level(self, address: Address) -> tuple[Iterable[str], list[Facts]]:
        """The keys of the directories in a directory, and the objects in it. Raises Unreadable and NotFound."""

        async def listed() -> Any:
            return await self._obstore.list_with_delimiter_async(self._store, address.key.rstrip("/") or None)

        found = wait_for(host_of(address.host).ask(address, listed, partial(self.words, address)))
        return found["common_prefixes"], [Facts.of(each) for each in found["objects"]]

    def words(self, address: Address, error: Exception) -> Exception:
        """What requests raise as an error of bigviz; all others as they are."""
        return failure_of(error, address) if isinstance(error, self.errors) else error

    async def _below(self, address: Address) -> list[Facts]:
        found: list[Facts] = []
        async for some in self._obstore.list(self._store, address.key.rstrip("/") or None):
            found += map(Facts.of, some)
            if len(found) > MOST_LISTED:
                raise too_many(address)
        return found


async def _at_most(found: Any, size: int) -> bytes:
    """The body of an answer; of one that is longer, as much as shows that. Raises TimeoutError where it trickles."""
    pieces, had = [], 0
    stream = aiter(found.stream(min_chunk_size=min(size + 1, _PIECE)))
    while had <= size:
        async with asyncio.timeout(settings.PATIENCE.piece):
            piece = await anext(stream, None)
        if piece is None:
            break
        pieces.append(bytes(piece))
        had += len(pieces[-1])
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _connected(address: Address) -> Any:
    stores = import_module("obstore.store")
    kind = {"abfs": "az", "abfss": "az"}.get(address.scheme, address.scheme)
    limits = settings.PATIENCE
    client: dict[str, Any] = {
        "connect_timeout": timedelta(seconds=limits.connect),
        "read_timeout": timedelta(seconds=limits.silence),
        "timeout": timedelta(seconds=limits.request),
        "allow_http": endpoint_of(kind).startswith("http://"),
    }
    retry = {
        "max_retries": limits.retries,
        "retry_timeout": timedelta(seconds=limits.total),
        "backoff": {
            "init_backoff": timedelta(seconds=limits.wait),
            "max_backoff": timedelta(seconds=limits.most_wait),
            "base": 2,
        },
    }
    try:
        own = {"s3": _of_amazon, "gs": _of_google}.get(kind, dict)()
        return stores.from_url(address.root, client_options=client, retry_config=retry, **own)
    except (import_module("obstore.exceptions").BaseError, ValueError, OSError):
        raise BadInput(
            f"{address.shown} cannot be connected to: its address or the settings of its store in the environment are "
            f"wrong or missing. {credentials_of(address)}",
            field="source",
            got=address.shown,
        ) from None


def _of_google() -> dict[str, Any]:
    """Another server in Google's place; the one that is set for tests is sent no credentials."""
    endpoint = endpoint_of("gs")
    if not endpoint:
        return {}
    return (
        {"base_url": endpoint} if os.environ.get("GOOGLE_BASE_URL") else {"base_url": endpoint, "skip_signature": True}
    )


def _of_amazon() -> dict[str, Any]:
    """Credentials as Amazon's own tools find them: obstore knows the environment and the machine's role, boto3 knows
    profiles and logins too. Where there are none, as for a public bucket, requests are not signed."""
    given: dict[str, Any] = {"endpoint": endpoint} if (endpoint := endpoint_of("s3")) else {}
    if os.environ.get("AWS_ACCESS_KEY_ID") or os.environ.get("AWS_SKIP_SIGNATURE"):
        return given
    try:
        session = import_module("boto3").Session()
    except ImportError:
        return given
    if session.get_credentials() is None:
        region = {"region": session.region_name} if session.region_name else {}
        return {**given, **region, "skip_signature": True}
    provider = import_module("obstore.auth.boto3").Boto3CredentialProvider(session)
    return {**given, "credential_provider": provider}
