"""`/_/api/documents` and what lies below a document's name, but for its access."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import ClassVar, Final

from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import BadInput
from bigviz.server.access.gate import Need
from bigviz.server.api.base import ApiHandler
from bigviz.server.documents.lists import list_documents
from bigviz.server.documents.renewal import renew
from bigviz.server.documents.stored import document_json, require_free
from bigviz.server.request_values import whole

__all__ = ["Document", "Documents", "Restore", "Versions"]

_MOST_VERSION: Final = (1 << 53) - 1


class Documents(ApiHandler):
    """`documents`: those that the caller may see, page by page."""

    need = Need.LIST
    keys: ClassVar[frozenset[str]] = frozenset(("q", "sort", "limit", "after"))

    async def answer(self, *args: str) -> None:
        wanted = self.page(("updated", "name", "title", "owner"))
        found, following = await list_documents(self.site, self.principal, **wanted)
        self.write_json({"documents": [each.to_json() for each in found], "next": following})
        self.finish()


class Document(ApiHandler):
    """`documents/NAME`: a document's JSON, any kept version of it; published, and taken away."""

    need: ClassVar[Mapping[str, Need]] = {
        "GET": Need.document("viewer"),
        "PUT": Need.document("writer", "write", creates=True),
        "DELETE": Need.document("owner", "write"),
    }
    keys: ClassVar[frozenset[str]] = frozenset(("version",))

    @property
    def most_bytes(self) -> int:
        return self.site.limits.document_bytes

    async def answer(self, *args: str) -> None:
        (name,) = args
        text = self.query("version")
        version = None if text is None else whole(text, "version", 1, _MOST_VERSION)
        tag, value = await document_json(self.site, name, version)
        if self.same(tag):
            self.finish()
            return
        self.write_json(value)
        self.finish()

    async def on_put(self, *args: str) -> None:
        (name,) = args
        require_free(self.site, "document", name)
        shelf = await self.site.shelf()
        put = await shelf.publish(name, bytes(self.body), self.principal.caller, self.expect)
        await renew(self.site, {name})
        self.set_status(201 if put.created else 200)
        self.versioned(put.version)
        self.write_json({"name": name, "version": put.version, "url": self.page_of(name)})
        self.finish()

    async def on_delete(self, *args: str) -> None:
        (name,) = args
        require_free(self.site, "document", name)
        shelf = await self.site.shelf()
        await shelf.run(shelf.library.documents.delete, name, expect=self.expect, caller=self.principal.caller)
        await renew(self.site, {name})
        self.set_status(204)
        self.finish()


class Versions(ApiHandler):
    """`documents/NAME/versions`: those that are kept, the newest first."""

    need = Need.document("viewer")

    async def answer(self, *args: str) -> None:
        (name,) = args
        require_free(self.site, "document", name)
        shelf = await self.site.shelf()
        found = await shelf.run(shelf.library.documents.versions, name)
        self.write_json({"versions": [asdict(each) for each in found]})
        self.finish()


class Restore(ApiHandler):
    """`documents/NAME/restore`: a new version that is as an old one was."""

    need: ClassVar[Mapping[str, Need]] = {"POST": Need.document("writer", "write")}

    async def on_post(self, *args: str) -> None:
        (name,) = args
        version = self.value("version")["version"]
        if isinstance(version, bool) or not isinstance(version, int):
            raise BadInput(f"version is a whole number, got {echoed(version, 60)}.", "version")
        version = whole(version, "version", 1, _MOST_VERSION)
        require_free(self.site, "document", name)
        shelf = await self.site.shelf()
        put = await shelf.restore(name, version, self.principal.caller, self.expect)
        await renew(self.site, {name})
        self.versioned(put.version)
        self.write_json({"name": name, "version": put.version, "url": self.page_of(name)})
        self.finish()
