"""`/_/api/documents/NAME/thumbnail.png`: a document as a small picture, drawn when somebody looks at it."""

from __future__ import annotations

from bigviz.server.access.gate import Need
from bigviz.server.http.base import Handler
from bigviz.server.http.content_types import PNG

__all__ = ["Thumbnail"]


class Thumbnail(Handler):
    """A PNG of 480 x 300 with a strong ETag, which changes once what was an estimate can be drawn exactly."""

    need = Need.document("viewer")

    async def answer(self, *args: str) -> None:
        (name,) = args
        shown, backend = await self.site.show(name, self.principal), await self.site.backend()
        document = shown.document
        thumbnails = self.site.bodies.thumbnails
        if self.same(thumbnails.etag(backend, document)):
            self.finish()
            return
        body = await thumbnails.png(backend, self.site.budget, self.principal, document)
        with self.site.budget.hold(len(body)):
            await self.send(PNG, body)
