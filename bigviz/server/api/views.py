"""`/D/views`: a view of a document under a short address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import BadInput
from bigviz.server.access.gate import Need
from bigviz.server.api.base import ApiHandler

__all__ = ["Views"]


class Views(ApiHandler):
    """Keeps `{hash}`, the part of the page's address after the #, and tells the address that opens it."""

    need: ClassVar[Mapping[str, Need]] = {"POST": Need.document("viewer")}

    async def on_post(self, *args: str) -> None:
        (name,) = args
        hash = self.value("hash")["hash"]
        if not isinstance(hash, str) or not hash.isprintable():
            raise BadInput(f"hash is the text after the # of the page's address, got {echoed(hash, 60)}.", "hash")
        shelf = await self.site.shelf()
        id = await shelf.run(shelf.library.views.put, name, hash.removeprefix("#"), self.principal.user)
        self.set_status(201)
        self.write_json({"id": id, "url": f"{self.page_of(name)}?v={id}"})
        self.finish()
