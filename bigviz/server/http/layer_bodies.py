"""The layer routes as functions: from a layer and parsed numbers to a content type and bytes.

Each is one call, so that a notebook or another server can make the same. The work runs in the runner's threads.
"""

from __future__ import annotations

import html
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
from cachetools import LRUCache

from bigviz.aggregate.layer import MOST_CATEGORIES, Layer
from bigviz.aggregate.layer_options import MOST_BINS
from bigviz.aggregate.picture_cells import PRESENCE, picture_cells
from bigviz.aggregate.value_kind import value_kind, value_type
from bigviz.common.cancel import Cancel
from bigviz.common.errors import NotFound, naming
from bigviz.data.dataset import Dataset
from bigviz.render.level_norms import LevelNorms
from bigviz.render.level_values import KnownLevel, Level, LevelSource
from bigviz.render.shade import Shading, norm_of, shade, values_of
from bigviz.server.error_json import dump
from bigviz.server.http.bodies import arrow, npy, own_values, tile_table
from bigviz.server.http.content_types import ARROW, JSON, NPY, PNG
from bigviz.server.http.row_json import MOST_COLUMNS, row_json, rows_json
from bigviz.server.http.shading import read_shading
from bigviz.server.jobs import layer_json
from bigviz.server.jobs.layer_ref import Asked
from bigviz.server.jobs.thumbnails import Thumbnails
from bigviz.server.jobs.wanted import RowsWanted
from bigviz.server.request_values import Number
from bigviz.tiles.grid.row_filter import row_filter
from bigviz.tiles.interface import Engine, LayerInfo, RowOrder
from bigviz.wire.codec import CELLS, SIDE
from bigviz.wire.frames import Bytes

if TYPE_CHECKING:
    from bigviz.server.access.principal import Principal
    from bigviz.server.jobs.service import Backend

__all__ = ["LayerBodies"]

Place = tuple[int, int, int, int]
Window = tuple[Number, Number, Number, Number]
Body = tuple[str, Bytes]
Picture = tuple[str, Bytes, LevelSource | None]
_TILESET_VERSION: Final = "1.0.0"  # TileJSON wants a semantic version there; the dataset's number is data_version
_CELL_BYTES: Final = 8  # of a body, at most
_IMAGE_CELL_BYTES: Final = 3 * _CELL_BYTES  # accumulators, the finished plane and its encoded copy
_PIXEL_BYTES: Final = 4
_ROW_BYTES: Final = 8  # of a column, as long as the true values are not there
_ROW_COLUMN_BYTES: Final = 4 << 10  # a name, a type and a value as JSON
_MOST_KNOWN: Final = 1_000  # layers whose categories are counted, and whose colours' source is known
_ROWS_A_COLUMN: Final = 4  # first, least, greatest and last


def _nameless(source: LevelSource | None) -> str:
    """The name of what is not kept."""
    return ""


class LayerBodies:
    """What the layer routes answer with."""

    KINDS: Final = {"npy": NPY, "png": PNG, "arrow": ARROW}

    def __init__(self) -> None:
        self.thumbnails = Thumbnails()
        self._norms = LevelNorms()
        self._categories: LRUCache[str, int] = LRUCache(_MOST_KNOWN)
        self._sources: LRUCache[str, LevelSource] = LRUCache(_MOST_KNOWN)

    def tilejson(self, backend: Backend, asked: Asked, info: LayerInfo | None, template: str) -> dict[str, Any]:
        """TileJSON with bigviz's own fields; without `info` (the index is being built) what it tells is null."""
        answer: dict[str, Any] = {
            "tilejson": "3.0.0",
            "name": asked.figure.title or asked.dataset.name,
            "attribution": html.escape(asked.figure.title or asked.dataset.name),
            "tiles": [template],
            "scheme": "xyz",
            "minzoom": 0,
            "maxzoom": 24,
        }
        if asked.layer.xaxis == "mercator":
            answer |= layer_json.map_bounds(info)
        answer["version"] = _TILESET_VERSION
        answer["data_version"] = asked.dataset.version
        answer["reduction"] = str(asked.layer.reduction)
        answer["rows"] = asked.dataset.num_rows
        readiness = backend.engine.readiness(asked.dataset, asked.layer)
        holders = backend.engine.holders(asked.dataset, asked.layer)
        if holders is not None:
            answer["workers"] = asdict(holders)
        if info is None:
            unknown = dict.fromkeys(("extent", "range", "rows_outside", "rows_far", "rows_kept"))
            return {**answer, **unknown, "index": layer_json.INDEX[readiness]}
        more = layer_json.tilejson_facts(info, asked.times, readiness)
        return {**answer, **{key: more[key] for key in _FIELDS}}

    def shading(self, asked: Asked, get: Callable[[str], str | None]) -> Shading:
        """Colours of a picture: the published layer's, with what the query says instead."""
        return read_shading(asked.style, get)

    async def level_source(
        self, backend: Backend, principal: Principal, asked: Asked, shading: Shading | None
    ) -> LevelSource | None:
        """Where the values come from now that the colours of a tile are chosen by, once the layer can be answered for;
        None where no other tile has a say in them."""
        if shading is None or not _has_level_colours(asked, shading):
            return None
        if self.source_now(backend.engine, asked) == "none":
            await backend.wait(asked.dataset, asked.layer, principal)
        return self.source_now(backend.engine, asked)

    def source_now(self, engine: Engine, asked: Asked) -> LevelSource:
        """The same now, also of a layer that memory holds no more: nothing else is drawn of it until it is built again.
        "none" where nothing was drawn yet. Lives on the event loop."""
        found, last = engine.level_source(asked.dataset, asked.layer), self._sources.get(asked.etag, "none")
        if found == "none":
            return last
        if found != last:
            self._sources[asked.etag] = found
        return found

    async def tile(
        self,
        backend: Backend,
        principal: Principal,
        asked: Asked,
        place: Place,
        extension: str,
        name: str = "",
    ) -> Body:
        """One tile as npy or arrow. It is kept under its `name` if it has one, as a picture is; of npy only those whose
        rows are not read for it."""
        zx, zy, i, j = place
        dataset, layer = asked.dataset, asked.layer

        def call(cancel: Cancel) -> Body:
            own = value_type(layer.reduction, dataset)
            tile = backend.compute_tile(dataset, layer, place, cancel)
            arrays = [_sent(plane, layer, own) for plane in tile.arrays()]
            if extension == "npy":
                body = npy(arrays, layer.reduction.category is not None)
                # Kept is what is asked for again: memory that is used again costs far less than 256 KiB of new pages.
                return _kept(backend, asked, "" if tile.cost.rows else name, NPY, body)
            told = backend.engine.info(dataset, layer).planes
            labels = (str(layer.reduction),) if told is None else told
            level = {"z": zx} if zx == zy else {"zx": zx, "zy": zy}
            about = {**level, "i": i, "j": j, "version": dataset.version}
            return _kept(backend, asked, name, ARROW, arrow(tile_table(arrays, labels, about, own)))

        return await backend.run(principal, dataset, layer, ("tile", extension, place), call)

    async def picture(
        self,
        backend: Backend,
        principal: Principal,
        asked: Asked,
        place: Place,
        shading: Shading,
        doubled: bool = False,
        name_of: Callable[[LevelSource | None], str] = _nameless,
    ) -> Picture:
        """One tile as png, and where the values of its colours came from when it was drawn (see `level_source`), which
        decides its name. `doubled`: of 512 x 512 pixels, the cells of the next level."""
        dataset, layer, engine = asked.dataset, asked.layer, backend.engine
        cells, deeper = picture_cells(layer.reduction), int(doubled)
        level = place[0] + deeper, place[1] + deeper

        def call(cancel: Cancel) -> Picture:
            def draw(place: Place) -> list[Any]:
                return _pictured(backend.compute_tile(dataset, layer, place, cancel).arrays(), (SIDE, SIDE))

            def known(level: Level) -> KnownLevel:
                return engine.level_values(dataset, layer, level, cancel)

            arrays = _joined(draw, place) if doubled else draw(place)
            values = values_of(arrays, cells)
            source = engine.level_source(dataset, layer) if _has_level_colours(asked, shading) else None
            own = norm_of([values], shading) if source is None or shading.is_given else None
            if source is not None and (own is None or own.origin):
                own, source = self._norms.norm(asked.etag, level, shading, cells, draw, cancel, source, known)
            assert own is not None
            return *_kept(backend, asked, name_of(source), PNG, shade(arrays, values, own, shading)), source

        return await backend.run(principal, dataset, layer, ("picture", place, shading, doubled), call)

    async def image(
        self,
        backend: Backend,
        principal: Principal,
        asked: Asked,
        window: Window,
        size: tuple[int, int],
        shading: Shading | None,
    ) -> Body:
        """A window at any size, as npy or png; `window` is x0, x1, y0, y1."""
        dataset, layer = asked.dataset, asked.layer

        def call(cancel: Cancel) -> Body:
            arrays = backend.engine.image(dataset, layer, *window, *size, cancel)
            if shading is not None:
                arrays = _pictured([_contiguous(plane) for plane in arrays], size[::-1])
                values = values_of(arrays, picture_cells(layer.reduction))
                return PNG, shade(arrays, values, norm_of([values], shading), shading)
            own = value_type(layer.reduction, dataset)
            arrays = [_sent(plane, layer, own) for plane in arrays]
            return NPY, npy(arrays, layer.reduction.category is not None, size[::-1])

        what = ("image", window, size, shading)
        return await backend.run(principal, dataset, layer, what, call, heavy=True)

    async def tile_bytes(self, backend: Backend, principal: Principal, asked: Asked, extension: str) -> int:
        """Bytes that one tile's body may take."""
        if extension == "png":
            return 4 * CELLS * _PIXEL_BYTES
        return CELLS * _CELL_BYTES * await self._planes(backend, principal, asked)

    async def image_bytes(self, backend: Backend, principal: Principal, asked: Asked, size: tuple[int, int]) -> int:
        """Bytes that an image takes while it is drawn."""
        return size[0] * size[1] * _IMAGE_CELL_BYTES * await self._planes(backend, principal, asked)

    @staticmethod
    def columns_bytes(width: int) -> int:
        """Bytes that a line's columns may take."""
        return width * _ROWS_A_COLUMN * 5 * _ROW_BYTES

    @staticmethod
    def bars_bytes() -> int:
        """Bytes that bars may take: as a rule, far fewer."""
        return MOST_BINS * MOST_CATEGORIES * 4 * _ROW_BYTES

    @staticmethod
    def rows_bytes(asked: Asked, wanted: RowsWanted) -> int:
        """Bytes that true rows may take."""
        columns = 4 + len(asked.layer.reduction.columns) if wanted.columns is None else 1 + len(wanted.columns)
        return wanted.limit * columns * (_ROW_BYTES if wanted.kind == "arrow" else _ROW_COLUMN_BYTES)

    @staticmethod
    def row_bytes() -> int:
        """Bytes that one row's JSON may take."""
        return MOST_COLUMNS * _ROW_COLUMN_BYTES

    async def _planes(self, backend: Backend, principal: Principal, asked: Asked) -> int:
        """How many planes a picture has, once the layer can be answered for."""
        await backend.wait(asked.dataset, asked.layer, principal)
        if asked.layer.reduction.category is None:
            return 1
        found: int | None = self._categories.get(asked.etag)
        if found is None:
            info = await backend.info(asked.dataset, asked.layer, principal=principal)
            found = self._categories[asked.etag] = len(info.planes or (0,))
        return found

    async def columns(
        self, backend: Backend, principal: Principal, asked: Asked, window: tuple[Number, Number], width: int
    ) -> Body:
        """A line's decimated columns as an Arrow file."""
        dataset, layer = asked.dataset, asked.layer

        def call(cancel: Cancel) -> Body:
            return ARROW, arrow(backend.engine.columns(dataset, layer, *window, width, cancel).table(dataset))

        return await backend.run(principal, dataset, layer, ("table", window, width), call)

    async def bars(
        self, backend: Backend, principal: Principal, asked: Asked, window: tuple[Number, Number] | None
    ) -> Body:
        """The bars that a window meets, by default all of the range, as an Arrow file."""
        dataset, layer = asked.dataset, asked.layer

        def call(cancel: Cancel) -> Body:
            shown = window
            if shown is None:
                whole = backend.engine.info(dataset, layer).range
                shown = (0, 1) if whole is None else (whole[0], max(whole[2], whole[0] + 1))
            return ARROW, arrow(backend.engine.bars(dataset, layer, *shown, cancel).table())

        return await backend.run(principal, dataset, layer, ("bars", window), call)

    async def rows(
        self,
        backend: Backend,
        principal: Principal,
        asked: Asked,
        wanted: RowsWanted,
        discretion: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> Body:
        """True rows of a half-open window as an Arrow file, the total in the schema's metadata as `matched`, or as
        JSON. `discretion` is what errors about columns go through."""
        dataset, layer = asked.dataset, asked.layer

        def call(cancel: Cancel) -> Body:
            with discretion():
                table = _rows(backend.engine, dataset, layer, wanted, cancel)
            if wanted.kind == "arrow":
                return ARROW, arrow(table)
            return JSON, dump(rows_json(table, int(table.schema.metadata[b"matched"])))

        return await backend.run(principal, dataset, layer, ("rows", wanted), call, heavy=True)

    async def row(
        self,
        backend: Backend,
        principal: Principal,
        asked: Asked,
        row: int,
        columns: tuple[str, ...],
        only_kept: bool = False,
    ) -> Body:
        """One row's true values in these columns as JSON; NotFound if it has to be one that the layer's filter keeps,
        and is none."""
        dataset, layer = asked.dataset, asked.layer
        first = layer.columns

        def call(cancel: Cancel) -> Body:
            keep = row_filter(dataset, layer) if only_kept else None
            at = row - dataset.first_row
            if keep is not None and not keep.masks(at, at + 1, cancel)(1)[0]:
                raise NotFound(f"This document does not show row {row:,}.", "row", row)
            return JSON, dump(row_json(dataset, row, first, columns, cancel))

        return await backend.run(principal, dataset, layer, ("row", row, columns, only_kept), call, heavy=True)


def _has_level_colours(asked: Asked, shading: Shading) -> bool:
    """Whether other tiles have a say in a tile's colours: not in those of a level of ones, nor between given ends,
    unless whole numbers may be so large that they are counted from the level's lowest."""
    reduction = asked.layer.reduction
    cells = picture_cells(reduction)
    if not shading.is_given or cells == PRESENCE:
        return cells != PRESENCE
    small = cells.empty == "counts" or cells.by  # or floats
    return not small and value_kind(reduction, asked.dataset).kind != "float"


def _kept(backend: Backend, asked: Asked, name: str, kind: str, body: Bytes) -> Body:
    """An answer, which is kept under its name if that is still the name of what it was made of."""
    if name and backend.engine.etag(asked.dataset, asked.layer) == asked.etag:
        backend.engine.keep_body(name, body)
    return kind, body


def _joined(draw: Callable[[Place], list[Any]], place: Place) -> list[Any]:
    """The planes of a tile's four children, as one of twice the sides."""
    zx, zy, i, j = place
    children = [[draw((zx + 1, zy + 1, 2 * i + di, 2 * j + dj)) for di in (0, 1)] for dj in (0, 1)]
    join = np.ma.concatenate if any(np.ma.isMaskedArray(each) for each in children[0][0]) else np.concatenate
    return [join([join(pair, axis=1) for pair in rows], axis=0) for rows in _by_plane(children)]


def _by_plane(children: list[list[list[Any]]]) -> list[list[tuple[Any, Any]]]:
    """Of each plane the upper pair and the lower pair."""
    upper, lower = (list(zip(*row, strict=True)) for row in children)
    return [[high, low] for high, low in zip(upper, lower, strict=True)]


def _rows(engine: Engine, dataset: Dataset, layer: Layer, wanted: RowsWanted, cancel: Cancel) -> pa.Table:
    x0, x1, y0, y1 = wanted.window
    with naming("columns"):  # before rows are looked for
        dataset.take(np.empty(0, np.int64), wanted.columns or ())
    if wanted.order is not None:
        order = RowOrder(*wanted.order)
        return engine.first_rows(dataset, layer, (x0, x1), (y0, y1), order, wanted.limit, wanted.columns, cancel)
    table = engine.rows(dataset, layer, x0, x1, y0, y1, wanted.limit, cancel)
    if wanted.columns is None:
        return table
    rows = table.select(["row"])
    more = dataset.take(rows.column(0).to_numpy(), wanted.columns)
    fields = [rows.schema.field(0), *more.schema]
    return pa.Table.from_arrays([rows.column(0), *more.columns], schema=pa.schema(fields, table.schema.metadata))


def _contiguous(plane: Any) -> Any:
    """A plane as kernels of colours take it."""
    return plane if isinstance(plane, np.ma.MaskedArray) else np.ascontiguousarray(plane)


def _pictured(planes: list[Any], shape: tuple[int, int]) -> list[Any]:
    """The planes of a picture: a blank one where a category has no label."""
    return planes or [np.zeros(shape, np.uint32)]


def _sent(plane: Any, layer: Layer, own: pa.DataType | None) -> Any:
    """A finished plane as it is published: 0 where an empty cell is, the column's own values in its type."""
    if own is not None:
        return own_values(plane, own)
    return np.ma.filled(plane, 0) if layer.reduction.traits.zero else plane


_FIELDS: Final = ("extent", "range", "reduction", "rows", "rows_outside", "rows_far", "rows_kept", "index")
