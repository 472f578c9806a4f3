"""`/_/api/documents/NAME/thumbnail.png`: a document as a small picture, drawn when somebody looks at it."""

from __future__ import annotations

from bigviz.server.access.gate import Need
from bigviz.server.http.base import Handler
from bigviz.server.http.content_types import PNG
from bigviz.server.refusals import Unusable

__all__ = ["Thumbnail"]


class Thumbnail(Handler):
    """A PNG of 480 x 300 with a strong ETag, which changes once what was an estimate can be drawn exactly. What cannot
    be drawn is left out; where the document cannot be shown at all, that is everything."""

    need = Need.document("viewer")

    async def answer(self, *args: str) -> None:
        (name,) = args
        backend = await self.site.backend()
        thumbnails = self.site.bodies.thumbnails
        try:
            document = (await self.site.show(name, self.principal)).document
        except Unusable:
            document = None
        if self.same("blank" if document is None else thumbnails.etag(backend, document)):
            self.finish()
            return
        if document is None:
            body = thumbnails.blank()
        else:
            body = await thumbnails.png(backend, self.site.budget, self.principal, document)
        with self.site.budget.hold(len(body)):
            await self.send(PNG, body)
