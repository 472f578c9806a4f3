"""`/_/api/datasets`: uploaded tables, streamed to the disk, checked, and replaced under their name."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Final

from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import BadInput, NotFound
from bigviz.data.appending.rule import Rule
from bigviz.server.access.gate import Need
from bigviz.server.api.base import ApiHandler
from bigviz.server.documents.lists import list_datasets
from bigviz.server.documents.renewal import renew_dataset
from bigviz.server.documents.stored import require_free
from bigviz.server.refusals import Unsupported
from bigviz.server.request_values import number, whole

if TYPE_CHECKING:
    from bigviz.data.uploads.facts import Format
    from bigviz.library.uploads import Upload

__all__ = ["FORMATS", "ROLLOVER", "Dataset", "Datasets"]

FORMATS: Final[dict[str, Format]] = {
    "application/vnd.apache.arrow.stream": "arrows",
    "application/vnd.apache.parquet": "parquet",
}
"""The format of each content type that is taken."""

ROLLOVER: Final = ("rollover_rows", "rollover_bytes", "rollover_age")
"""What of the query says which rows of a stream are kept: the last so many, as many bytes, as many seconds."""

_MOST: Final = 1 << 53
_AGES: Final = (0.001, 1e9)  # seconds
_PIECE: Final = 1 << 20  # written in one go


class Datasets(ApiHandler):
    """`datasets`: those that the caller may see, page by page."""

    need = Need.LIST
    keys: ClassVar[frozenset[str]] = frozenset(("q", "sort", "limit", "after"))

    async def answer(self, *args: str) -> None:
        wanted = self.page(("updated", "name", "owner"))
        found, following = await list_datasets(self.site, self.principal, **wanted)
        self.write_json({"datasets": [each.to_json() for each in found], "next": following})
        self.finish()


class Dataset(ApiHandler):
    """`datasets/NAME`: what is known of a table; its rows, put and taken away.

    A body is written to the disk as it comes. On an existing name PUT needs `If-Match`.
    """

    need: ClassVar[Mapping[str, Need]] = {
        "GET": Need.dataset("viewer"),
        "PUT": Need.dataset("writer", "write", creates=True),
        "DELETE": Need.dataset("owner", "write"),
    }
    at_writer = ("PUT", "DELETE")
    keys: ClassVar[frozenset[str]] = frozenset(("attached", "order_by", *ROLLOVER))
    upload: Upload | None = None
    _gone = False

    @property
    def most_bytes(self) -> int:
        return self.site.limits.upload_bytes if self.request.method == "PUT" else self.site.limits.body_bytes

    async def answer(self, *args: str) -> None:
        (name,) = args
        served = self.site.served_datasets.get(name)
        if served is not None:
            columns = [{"name": each.name, "type": str(each.type)} for each in served.columns()]
            sizes = [file.size for file in served.files]
            facts = {"rows": served.num_rows, "bytes": sum(sizes) if sizes else None}
            self.write_json({"name": name, "columns": columns, **facts, "version": None, "owner": None})
            self.finish()
            return
        if self.site.library is None:
            raise NotFound(f"There is no dataset {name[:100]!r}.", "dataset", name[:100])
        await self.site.shelf()  # until then nobody knows what was appended before a crash
        entry = await self.site.threads.run(self.site.library.datasets.entry, name)
        if self.same(str(entry.version)):
            self.finish()
            return
        facts = {"rows": entry.rows, "bytes": entry.bytes, "version": entry.version}
        columns = [dict(each) for each in entry.columns]
        more: dict[str, object] = {} if entry.order_by is None else {"order_by": entry.order_by}
        if entry.sealed:
            more["sealed"] = True
        rows, nbytes, age_ns = entry.rollover.rows, entry.rollover.nbytes, entry.rollover.age_ns
        kept = (rows, nbytes, None if age_ns is None else age_ns / 1e9)
        more |= {key: value for key, value in zip(ROLLOVER, kept, strict=True) if value is not None}
        self.write_json({"name": name, "columns": columns, **facts, "owner": entry.owner, **more})
        self.finish()

    async def begin(self) -> None:
        """Refuse what cannot be kept before it comes."""
        if self.request.method != "PUT":
            return
        (name,) = self.path_args
        require_free(self.site, "dataset", name)
        self.format = self._format()
        self.attached = self._attached()
        self.order_by, self.rollover = self.query("order_by"), self._rollover()
        self.shelf = await self.site.shelf()
        self.expected = await self.shelf.expected_dataset(name, self.expect)
        self.upload = await self.shelf.begin_upload(name, self.principal.caller, self.declared or 0)
        if self._gone:
            self._drop()

    async def received(self, chunk: bytes) -> None:
        """Write what has come; the client waits meanwhile."""
        self.body += chunk
        if self.upload is not None and len(self.body) >= _PIECE:
            await self._write()

    async def on_put(self, *args: str) -> None:
        (name,) = args
        assert self.upload is not None
        upload, self.upload = self.upload, None  # kept or removed in a thread, which goes on if the client leaves
        kept = self.shelf.keep_dataset(
            name, upload, self.body, self.format, self.principal.caller, self.expected, self.attached,
            self.order_by, self.rollover,
        )  # fmt: skip
        entry = await asyncio.shield(self.site.spawn(kept))
        await renew_dataset(self.site, name)
        self.set_status(201 if self.expected == "absent" else 200)
        self.versioned(entry.version)
        self.write_json({"name": name, "version": entry.version, "rows": entry.rows})
        self.finish()

    async def on_delete(self, *args: str) -> None:
        (name,) = args
        require_free(self.site, "dataset", name)
        shelf = await self.site.shelf()
        await shelf.run(shelf.library.datasets.delete, name, expect=self.expect, caller=self.principal.caller)
        self.set_status(204)
        self.finish()

    def on_finish(self) -> None:
        super().on_finish()
        self._drop()

    def on_connection_close(self) -> None:
        self._gone = True  # a file that is being made at this moment is removed when it is there
        super().on_connection_close()
        self._drop()

    async def _write(self) -> None:
        assert self.upload is not None
        piece, self.body = self.body, bytearray()
        await self.shelf.write(self.upload, piece)

    def _drop(self) -> None:
        """Remove what came of an upload that was not kept."""
        upload, self.upload = self.upload, None
        if upload is not None:
            self.site.threads.begin(upload.abort)

    def _format(self) -> Format:
        kind = self.request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind not in FORMATS:
            raise Unsupported(
                f"Content-Type is {' or '.join(FORMATS)}, got {echoed(kind, 60)}.", "Content-Type", kind[:60]
            )
        return FORMATS[kind]

    def _rollover(self) -> Rule:
        """Which rows are kept."""
        rows, nbytes, age = (self.query(key) for key in ROLLOVER)
        seconds = None if age is None else number(age, ROLLOVER[2])
        if seconds is not None and not _AGES[0] <= seconds <= _AGES[1]:
            raise BadInput(f"{ROLLOVER[2]} is a number of seconds from {_AGES[0]} to {_AGES[1]:.0f}.", ROLLOVER[2], age)
        return Rule(
            None if rows is None else whole(rows, ROLLOVER[0], 1, _MOST),
            None if nbytes is None else whole(nbytes, ROLLOVER[1], 1, _MOST),
            None if seconds is None else round(seconds * 1e9),
        )

    def _attached(self) -> bool | None:
        text = self.query("attached")
        if text not in (None, "0", "1"):
            raise BadInput(f"attached is 0 or 1, got {echoed(text, 60)}.", "attached", text)
        return None if text is None else text == "1"
