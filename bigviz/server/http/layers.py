"""The routes below `/D/layers/L/`: TileJSON, tiles, images, columns and rows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal

from bigviz.aggregate.layer_options import BARS
from bigviz.common.errors import BadInput, NotFound
from bigviz.server.access.gate import Need
from bigviz.server.controls.options import read_options
from bigviz.server.http.base import Handler
from bigviz.server.jobs.usage import Usage
from bigviz.server.jobs.wanted import RowsWanted
from bigviz.server.kept.kept_answers import Basis
from bigviz.server.kept.tile_question import MOST_LEVEL, Place, TileQuestion, etag_of, place_of
from bigviz.server.request_values import choice, image_size, interval, whole, window_of

if TYPE_CHECKING:
    from bigviz.document.spec import Document
    from bigviz.server.jobs.layer_ref import Asked
    from bigviz.server.jobs.service import Backend
    from bigviz.wire.frames import Bytes

__all__ = ["Bars", "Columns", "Image", "Row", "Rows", "TileJson", "Tiles"]

_DEFAULT_ROWS: Final = 1_000
_MOST_ASKED: Final = 64  # different questions about layers of a document whose answers are not worked out again
_MOST_TEXT_ROWS: Final = 200


class LayerHandler(Handler):
    """A route of one layer: the published one, with what the query changes as far as the caller may use its dataset. An
    answer is of one version of the dataset, which a header tells."""

    usage: Usage
    document: Document
    dataset: str
    tag = ""

    need = Need.shown()
    in_pages = True

    async def asked(self, document_name: str, number: str) -> tuple[Backend, Asked]:
        """The backend and the layer; NotFound for a document or a layer number that does not exist."""
        shown, backend = await self.site.show(document_name, self.principal), await self.site.backend()
        self.usage, self.document = shown.usage, shown.document
        document = self.document
        await read_options(document, self.usage)
        place = (number, self.request.query)
        asked, self.dataset = shown.asked.get(place, (None, ""))
        if asked is None:
            asked, self.dataset = self._asked_anew(backend, document, document_name, number)
            if len(shown.asked) < _MOST_ASKED:
                shown.asked[place] = asked, self.dataset
        else:
            asked = backend.tagged(asked)
        self.set_header("X-Bigviz-Version", asked.dataset.version)
        return backend, asked

    def _asked_anew(self, backend: Backend, document: Document, document_name: str, number: str) -> tuple[Asked, str]:
        """The layer that a number and the query mean, and the name of its dataset."""
        count = len(document.layers())
        if not number.isascii() or not number.isdigit() or len(number) > 6 or int(number) >= count:
            allowed = f"they are 0 to {count - 1}" if count else "it has none"
            raise NotFound(f"Document {document_name!r} has no layer {number[:20]!r}: {allowed}.", "layer", number[:20])
        name = document.layers()[int(number)][1].dataset
        return backend.asked(document, int(number), self.query, self.usage), name

    def tagged(self, asked: Asked, *parts: object) -> bool:
        """Set a strong ETag, `self.tag`, over the layer's and `parts`; True if the client has the answer already."""
        self.tag = etag_of(asked.etag, self.request.path.rpartition(".")[2], *parts)
        return self.same(self.tag)

    async def deliver_kept(self, kind: str, body: Bytes) -> None:
        """Answer with bytes that are there already; they too are held in the budget of all answers."""
        with self.site.budget.hold(len(body)):
            await self.send(kind, body)

    async def deliver(self, size: int, work: Callable[[], Awaitable[tuple[str, Bytes]]]) -> None:
        """Answer with the content type and the bytes that `work` gives. `size` bytes, and then as many as there are,
        are held in the budget of all answers until the client has taken them in or is gone."""
        with self.site.budget.hold(size) as held:
            kind, body = await work()
            held.set(len(body))
            await self.send(kind, body)


class TileJson(LayerHandler):
    """TileJSON 3.0.0 with extent, range, rows and more; waits up to 30 s for the index."""

    async def answer(self, *args: str) -> None:
        backend, asked = await self.asked(*args)
        query = f"?{self.request.query}" if self.request.query else ""
        base = self.address_of(self.request.path[len(self.site.prefix) + 1 :].removesuffix("tilejson.json"))
        waited = asyncio.ensure_future(backend.info(asked.dataset, asked.layer, principal=self.principal))
        try:
            info = await asyncio.wait_for(asyncio.shield(waited), self.site.limits.index_wait_seconds)
        except TimeoutError:
            info = None
        finally:
            if not waited.done():
                waited.add_done_callback(_look)
                waited.cancel()
        answer = self.site.bodies.tilejson(backend, asked, info, f"{base}tiles/{{z}}/{{x}}/{{y}}.png{query}")
        if not self.tagged(asked, answer):
            self.write_json(answer)
        self.finish()


class Tiles(LayerHandler):
    """`tiles/Z/I/J.EXT` and `tiles/ZX,ZY/I/J.EXT`, `J@2x.png` with twice the pixels; 404 for a tile that its level does
    not have."""

    people: object = None
    basis: Basis | None = None

    async def prepare(self) -> None:
        """Admit the request. The mark of people is taken before it is looked up who asks, so that no change between is
        missed."""
        self.people = self.site.people.mark()
        await super().prepare()

    def on_finish(self) -> None:
        """Keep the answer for whoever asks for the same again."""
        super().on_finish()
        if self.basis is not None:
            route, headers = type(self).__name__.lower(), list(self._headers.get_all())
            self.site.kept_answers.keep(self.request, route, self.get_status(), headers, self.basis)

    async def answer(self, *args: str) -> None:
        name, number, level, i, j, doubled, extension = args
        standing = self.site.standing(name)
        backend, asked = await self.asked(name, number)
        place = place_of(level, i, j)
        if doubled and (extension != "png" or max(place[:2]) == MOST_LEVEL):
            raise NotFound(f"Only pictures of levels 0 to {MOST_LEVEL - 1} have twice the pixels.", "tile")
        bodies = self.site.bodies
        shading = bodies.shading(asked, self.query) if extension == "png" else None
        levels = await bodies.level_source(backend, self.principal, asked, shading)
        question = TileQuestion(backend, bodies, self.principal, asked, extension, shading, bool(doubled), levels)
        self.tag = await question.tag(place)
        has_it = self.same(self.tag)
        self.basis = Basis(self.people, name, standing, question, "" if has_it else self.tag)
        if has_it:
            self.finish()
            return
        body = question.kept(self.tag)
        if body is None:
            await self.deliver(await question.size(), partial(self._made, place, self.basis))
        else:
            await self.deliver_kept(question.kind, body)

    async def _made(self, place: Place, basis: Basis) -> tuple[str, Bytes]:
        """The content type and the body of a tile, which has the ETag of the question that it answers."""
        body, answered = await basis.question.answer(place, self.tag)
        if answered is not basis.question:
            self.tag = await answered.tag(place)
            if self.same(self.tag):
                self.set_status(200)  # the body is there, and tells as much as that it is the same
            self.basis = replace(basis, question=answered, body=self.tag)
        return answered.kind, body


class Image(LayerHandler):
    """`image.npy` and `image.png`: any window at any size, closed at both ends."""

    async def answer(self, *args: str) -> None:
        name, number, extension = args
        backend, asked = await self.asked(name, number)
        x, y = window_of(self.query, asked.times)
        size = image_size(self.query, self.site.limits)
        shading = self.site.bodies.shading(asked, self.query) if extension == "png" else None
        if self.tagged(asked, x, y, size, shading):
            self.finish()
            return
        principal, bodies = self.principal, self.site.bodies
        work = partial(bodies.image, backend, principal, asked, (*x, *y), size, shading)
        await self.deliver(await bodies.image_bytes(backend, principal, asked, size), work)


class Columns(LayerHandler):
    """`columns.arrow`: the rows that a line over a window of `width` pixel columns needs."""

    async def answer(self, *args: str) -> None:
        backend, asked = await self.asked(*args)
        if asked.layer.glyph != "line":
            raise BadInput("columns.arrow is for lines: ask with glyph=line.", "glyph", asked.layer.glyph)
        x = interval(self.query, "x0", "x1", time=asked.times[0])
        width = whole(self.query("width"), "width", 1, self.site.limits.columns_width)
        if self.tagged(asked, x, width):
            self.finish()
            return
        work = partial(self.site.bodies.columns, backend, self.principal, asked, x, width)
        await self.deliver(self.site.bodies.columns_bytes(width), work)


class Bars(LayerHandler):
    """`bars.arrow`: the bars of a histogram that a window meets, by default all, or all bars by label."""

    async def answer(self, *args: str) -> None:
        backend, asked = await self.asked(*args)
        if asked.layer.glyph not in BARS:
            glyph = asked.layer.glyph
            raise BadInput(f"bars.arrow is for bars: ask with glyph={' or '.join(BARS)}.", "glyph", glyph)
        ends = self.query("x0"), self.query("x1")
        x = None if ends == (None, None) else interval(self.query, "x0", "x1", time=asked.times[0])
        if self.tagged(asked, x):
            self.finish()
            return
        work = partial(self.site.bodies.bars, backend, self.principal, asked, x)
        await self.deliver(self.site.bodies.bars_bytes(), work)


class Rows(LayerHandler):
    """`rows.arrow` and `rows.json`: true rows of a half-open window, in the order of the store or by a column."""

    async def answer(self, *args: str) -> None:
        name, number, extension = args
        backend, asked = await self.asked(name, number)
        self.usage.check_rows(self.dataset)
        x, y = window_of(self.query, asked.times)
        most, default = self.site.limits.rows, _DEFAULT_ROWS
        if extension == "json":
            most = default = _MOST_TEXT_ROWS
        limit = default if self.query("limit") is None else whole(self.query("limit"), "limit", 1, most)
        order_by, columns = self.query("order_by"), self.names("columns")
        desc = self.query("desc") is not None and choice(self.query("desc"), "desc", ("0", "1")) == "1"
        self.usage.check(self.dataset, [("columns", each) for each in columns or ()])
        self.usage.check(self.dataset, [] if order_by is None else [("order_by", order_by)])
        order = None if order_by is None else (order_by, desc)
        if self.tagged(asked, x, y, limit, order, columns):
            self.finish()
            return
        kind: Literal["arrow", "json"] = "json" if extension == "json" else "arrow"
        wanted = RowsWanted((*x, *y), limit, order, None if columns is None else tuple(columns), kind)
        bodies, discretion = self.site.bodies, partial(self.usage.discretion, self.dataset)
        work = partial(bodies.rows, backend, self.principal, asked, wanted, discretion)
        await self.deliver(bodies.rows_bytes(asked, wanted), work)


class Row(LayerHandler):
    """`rows/N.json`: the true values of one row in all columns."""

    async def answer(self, *args: str) -> None:
        name, number, text = args
        backend, asked = await self.asked(name, number)
        self.usage.check_rows(self.dataset)
        row, rows, first = int(text), asked.dataset.num_rows, asked.dataset.first_row
        if not first <= row < first + rows:
            has = f"{asked.dataset.name!r} has {rows:,} rows, from {first:,}"
            raise NotFound(f"There is no row {row:,}: {has}.", "row", row)
        columns = tuple(self.usage.within(self.dataset, (each.name for each in asked.dataset.columns())))
        if self.tagged(asked, row, columns):
            self.finish()
            return
        bodies, only_kept = self.site.bodies, self.dataset in self.usage.columns
        work = partial(bodies.row, backend, self.principal, asked, row, columns, only_kept)
        await self.deliver(bodies.row_bytes(), work)


def _look(task: asyncio.Task[Any]) -> None:
    if not task.cancelled():
        task.exception()
