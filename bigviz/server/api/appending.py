"""`/_/api/datasets/NAME/append`, `/patch` and `/seal`: rows at the end of a dataset, and other values in it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Final

from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import BadInput
from bigviz.server.access.gate import Need
from bigviz.server.api.base import ApiHandler
from bigviz.server.documents.stored import require_free
from bigviz.server.refusals import Unsupported

if TYPE_CHECKING:
    from bigviz.data.appending.keys import Receipt
    from bigviz.data.uploads.facts import BodyFormat
    from bigviz.server.documents.shelf import Shelf

__all__ = ["BODIES", "Append", "Patch", "Seal", "idempotency_key"]

BODIES: Final[dict[str, BodyFormat]] = {
    "application/vnd.apache.arrow.stream": "arrows",
    "application/x-ndjson": "ndjson",
    "text/csv": "csv",
}
"""The format of each content type that is appended."""

_LONGEST_KEY: Final = 255


class Append(ApiHandler):
    """`append`: the rows of a body become one version of the dataset, and are answered for once they are durable."""

    need: ClassVar[Mapping[str, Need]] = {"POST": Need.dataset("writer", "append")}
    at_writer = ("POST",)
    _held = 0
    _shelf: Shelf | None = None

    @property
    def most_bytes(self) -> int:
        return self.site.limits.append_bytes

    async def begin(self) -> None:
        """Refuse what cannot be appended before it comes."""
        (name,) = self.path_args
        require_free(self.site, "dataset", name)
        self.format = self._format()
        self.key = idempotency_key(self.request.headers.get_list("Idempotency-Key"))
        self._shelf = await self.site.shelf()

    async def received(self, chunk: bytes) -> None:
        assert self._shelf is not None
        self._shelf.appending.hold(len(chunk), self.site.limits.appends_bytes)
        self._held += len(chunk)
        self.body += chunk

    async def on_post(self, *args: str) -> None:
        (name,) = args
        assert self._shelf is not None
        who = self.principal.user or ""
        appended = self._shelf.appending.append(name, self.body, self.format, who, self.key)
        receipt = await asyncio.shield(self.site.spawn(appended))
        self.write_json({"version": receipt.version, "offset": receipt.offset, **_told(receipt)})
        self.finish()

    def on_finish(self) -> None:
        super().on_finish()
        self._release()

    def on_connection_close(self) -> None:
        super().on_connection_close()
        self._release()

    def _release(self) -> None:
        if self._shelf is not None:
            self._shelf.appending.release(self._held)
        self._held = 0

    def _format(self) -> BodyFormat:
        kind = self.request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind not in BODIES:
            raise Unsupported(
                f"Content-Type is one of {', '.join(BODIES)}, got {echoed(kind, 60)}.", "Content-Type", kind[:60]
            )
        return BODIES[kind]


class Patch(Append):
    """`patch`: rows get other values, which is one version too."""

    keys: ClassVar[frozenset[str]] = frozenset(("key",))

    async def on_post(self, *args: str) -> None:
        (name,) = args
        assert self._shelf is not None
        who = self.principal.user or ""
        patched = self._shelf.appending.patch(name, self.body, self.query("key"), who, self.key)
        receipt = await asyncio.shield(self.site.spawn(patched))
        self.write_json({"version": receipt.version, **_told(receipt)})
        self.finish()

    def _format(self) -> BodyFormat:
        kind = self.request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if BODIES.get(kind) != "arrows":
            raise Unsupported(
                f"Content-Type is {next(iter(BODIES))} for a patch, got {echoed(kind, 60)}.", "Content-Type", kind[:60]
            )
        return "arrows"


class Seal(ApiHandler):
    """`seal`: nothing is appended to the dataset any more."""

    need: ClassVar[Mapping[str, Need]] = {"POST": Need.dataset("writer", "append")}
    at_writer = ("POST",)

    async def on_post(self, *args: str) -> None:
        (name,) = args
        require_free(self.site, "dataset", name)
        shelf = await self.site.shelf()
        version = await asyncio.shield(self.site.spawn(shelf.appending.seal(name)))
        self.write_json({"name": name, "version": version, "sealed": True})
        self.finish()


def _told(receipt: Receipt) -> dict[str, object]:
    return {"rows": receipt.rows, "durable": "fsync" if receipt.fsynced else "os"}


def idempotency_key(values: list[str]) -> str | None:
    """The key of a request, None without one; a key in quotes is the same as the one without. Raises BadInput for
    several, for an empty one and for one of more than 255 bytes."""
    if not values:
        return None
    key = values[0].strip()
    if len(key) >= 2 and key[0] == key[-1] == '"':
        key = key[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    if len(values) > 1 or not 1 <= len(key.encode()) <= _LONGEST_KEY:
        raise BadInput(
            f"Idempotency-Key is one text of 1 to {_LONGEST_KEY} bytes, got {echoed(', '.join(values), 60)}.",
            "Idempotency-Key",
            values[0][:60],
        )
    return key
