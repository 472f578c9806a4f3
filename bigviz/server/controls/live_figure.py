"""The route of a live figure: `/D/controls/ID.json`."""

from __future__ import annotations

from bigviz.common.errors import NotFound
from bigviz.server.access.gate import Need
from bigviz.server.controls.options import read_options
from bigviz.server.http.base import Handler

__all__ = ["LiveFigure"]


class LiveFigure(Handler):
    """What a number control shows, with the values of other controls that the query gives as `p.ID`: exact, of the
    newest version of its dataset."""

    need = Need.shown()

    async def answer(self, *args: str) -> None:
        name, control = args
        shown, backend = await self.site.show(name, self.principal), await self.site.backend()
        document = shown.document
        spec = document.controls.get(control)
        if spec is None or spec.type != "number":
            raise NotFound(f"Document {name!r} has no live figure {control[:60]!r}.", "control", control[:60])
        await read_options(document, shown.usage)
        with shown.usage.discretion(spec.dataset):
            asked = backend.figures.asked(document, spec, self.query)
            self.set_header("X-Bigviz-Version", asked.dataset.version)
            if not self.same(asked.etag):
                value = await backend.figures.value(self.principal, asked)
                self.write_json({"value": value, "version": asked.dataset.version})
        self.finish()
