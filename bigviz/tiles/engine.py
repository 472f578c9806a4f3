"""The one door of this room: layers are built once, shared by all who ask, and answer for tiles."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from typing import Any, Final, Literal

import numpy.typing as npt
import pyarrow as pa

from bigviz.aggregate.bins import MOST_BINS, Bins
from bigviz.aggregate.layer import Layer
from bigviz.common.byte_cache import ByteCache
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.errors import BadInput, TooLarge, Unreadable
from bigviz.common.memory import total_memory
from bigviz.common.progress import Progress, no_progress
from bigviz.common.single_flight import Flights
from bigviz.common.workers import Crew
from bigviz.data.dataset import Dataset
from bigviz.tiles.answers.answer import Cost, Drawn, Tile
from bigviz.tiles.answers.dense_part import DensePart, dense_of_sample
from bigviz.tiles.answers.layer_info import LayerInfo, facts_of
from bigviz.tiles.answers.line_layer import Columns, LineLayer
from bigviz.tiles.answers.marks import MOST_MARKS, Marks, find_marks
from bigviz.tiles.answers.points_layer import PointsLayer
from bigviz.tiles.answers.row_lookup import find_rows, true_rows
from bigviz.tiles.estimates.jackknife import Estimate
from bigviz.tiles.estimates.ordered_estimate import rough_tile
from bigviz.tiles.estimates.preview import Preview
from bigviz.tiles.estimates.preview_cache import Previews
from bigviz.tiles.grid.order_spec import OrderSpec
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.grid.window import Number, check_window
from bigviz.tiles.layer_cache import Built, LayerStore, Uses
from bigviz.tiles.layer_factory import IndexMode, Maker, Orders
from bigviz.tiles.scans.row_scan import scan_rows
from bigviz.tiles.scans.scanned_layer import ScannedLayer
from bigviz.tiles.store.catalog.directory import StoreDirectory
from bigviz.tiles.window_image import WindowImage, draw_window
from bigviz.wire.codec import EncodedPlane

__all__ = ["Columns", "Cost", "EncodedPlane", "Engine", "Layer", "LayerInfo", "Tile", "TileKey"]

_log = logging.getLogger("bigviz")

_BEHIND: Final = 1 << 24  # rows from which on a build's threads step back: others are done within a second
_ROW_FIELD: Final = pa.field("row", pa.int64(), False)
MOST_ROWS: Final = 50_000  # that one answer of rows holds
MOST_CELLS: Final = 1 << 24  # that one image holds: 64 planes of them are 2^30 numbers


class Engine:
    """Builds layers and answers for them. Every method blocks and may be called from any thread."""

    def __init__(
        self,
        cache_bytes: int = 512 << 20,
        threads: int | None = None,
        index_bytes: int | None = None,
        stores: StoreDirectory | None = None,
        index: IndexMode = "auto",
        preview_rows: int = 1 << 21,
    ) -> None:
        """`cache_bytes` of tiles and `index_bytes` (default: half of the memory) of built layers are kept; builds use
        `threads` (default: one a core). Tables of `preview_rows` or more are sampled while they are indexed.

        Indexes on disk are found in `stores`; with `index` "auto" those of published layers of large tables are written
        there, with "existing" only those that are there are used, with "never" none.
        """
        self._preview_rows = preview_rows
        self._threads = threads or os.cpu_count() or 1
        self._tiles: ByteCache[Drawn] = ByteCache(cache_bytes)
        memory = index_bytes or total_memory() // 2
        self._store = LayerStore(memory)
        orders = Orders(self._store.order, self._store.put_order, self._drop_order)
        self._maker = Maker(self._threads, memory, orders, stores, index)
        self.previews = Previews(self._threads, self._maker.turns)
        self._uses = Uses()
        self._layer_flights: Flights[Built] = Flights()

    def ensure(self, dataset: Dataset, layer: Layer, progress: Progress = no_progress, cancel: Cancel = NEVER) -> None:
        """Build what the layer needs, unless it is there; callers at the same time share one build.

        Raises BadInput, NotFound, Unplottable, Unreadable or TooLarge, and Cancelled when `cancel` is raised; the build
        itself stops when nobody waits for it.
        """
        try:
            self._ready(dataset, layer, progress, cancel, whole=True)
        finally:
            self.previews.rest(dataset, layer)

    def publish(self, dataset: Dataset, layer: Layer) -> None:
        """The operator shows this layer, so its index may be kept on the disk; what viewers pick is not."""
        self._maker.publish(dataset, layer.bound(dataset))

    def state(self, dataset: Dataset, layer: Layer) -> Literal["none", "building", "ready"]:
        """Whether the layer's index is there; while it is being built there may be exact answers (`answers`). A scanned
        layer has none, and answers all the same."""
        key = self._key(dataset, layer)
        if self._store.is_whole(key):
            return "none" if isinstance(self._store.get(key), ScannedLayer) else "ready"
        return "building" if self._layer_flights.under_way(key) else "none"

    def answers(self, dataset: Dataset, layer: Layer) -> bool:
        """Whether the layer can be answered for exactly now, if slower than when its index is complete."""
        return self._key(dataset, layer) in self._store

    def is_whole(self, dataset: Dataset, layer: Layer) -> bool:
        """Whether all is there that is made ahead for the layer: its index, or what a scanned layer needs."""
        return self._store.is_whole(self._key(dataset, layer))

    def is_scanned(self, dataset: Dataset, layer: Layer) -> bool:
        """Whether an answer may take a pass over the source: memory does not hold the layer's index, and none may be
        written."""
        return isinstance(self._store.get(self._key(dataset, layer)), ScannedLayer)

    def is_large(self, dataset: Dataset) -> bool:
        """Whether an index over the dataset takes so long that estimates are worth showing."""
        return dataset.num_rows >= self._preview_rows

    def preview(self, dataset: Dataset, layer: Layer, cancel: Cancel = NEVER) -> Preview | None:
        """Estimates to show until the layer can be answered for; None where that will be soon enough: for a table of
        few rows, or one that is ordered. Reads the first of a sample."""
        if not self.is_large(dataset) or self.answers(dataset, layer):
            return None
        layer.check(dataset)
        layer = layer.bound(dataset)
        if self._maker.soon(dataset, layer, self._order_key(dataset, layer)):
            return None
        return self.previews.begin(dataset, layer, cancel)

    def expect(self, seconds: float) -> None:
        """Requests are about to come: builds make way for so long."""
        self._maker.turns.expect(seconds)

    def provisional(self, dataset: Dataset, layer: Layer, preview: Preview) -> LayerInfo:
        """The facts of a layer as a sample says."""
        return facts_of(dataset, layer, preview.survey, preview.axes, preview.labels, False)

    def estimate(
        self, dataset: Dataset, layer: Layer, key: TileKey, cancel: Cancel = NEVER
    ) -> tuple[Drawn, Estimate] | None:
        """A tile from some of its ordered rows, or from a sample of the source where that is scanned; None where the
        exact tile takes no longer."""
        key.check()
        with self._answering(dataset, layer, cancel) as built:
            if isinstance(built, PointsLayer):
                return rough_tile(built, key, cancel)
            if isinstance(built, LineLayer) or not self.is_large(dataset) or built.has(key):
                return None
            known = built.known
            made = built.preview(lambda: self.previews.of_known(dataset, layer, known, cancel))
            return self.previews.tile(made, key, cancel)  # passes make way for estimates of what they are for

    def info(self, dataset: Dataset, layer: Layer) -> LayerInfo:
        """The facts of a layer, built if need be."""
        built = self._ready(dataset, layer)
        labels = built.pyramid.inputs.labels if isinstance(built, PointsLayer) else None
        labels = built.recipe.labels if isinstance(built, ScannedLayer) else labels
        ordered = isinstance(built, LineLayer) and built.series.sorted
        return facts_of(dataset, layer, built.survey, (built.x, built.y), labels, ordered)

    def dense(self, dataset: Dataset, layer: Layer, preview: Preview | None = None) -> DensePart | None:
        """Where nearly all rows of a layer of points lie, if that is a small part of their range: as a sample says, if
        one is given, else exactly. None of lines, of roots that were asked to hold all rows, and of scanned layers,
        for which it would take a pass."""
        if layer.glyph != "points" or layer.root == "full":
            return None
        if preview is not None:
            return dense_of_sample(preview.survey, preview.axes)
        with self._answering(dataset, layer) as built:
            return built.dense if isinstance(built, PointsLayer) else None

    def tile(self, dataset: Dataset, layer: Layer, key: TileKey, cancel: Cancel = NEVER) -> Tile:
        """One tile; BadInput for a key that its level does not have."""
        key.check()
        name = (self._key(dataset, layer), key)
        exact = partial(self._arrays, dataset, layer, key)
        drawn = self._tiles.get(name)
        if drawn is not None:
            return Tile(key, list(drawn.planes), Cost(bytes=drawn.wire_bytes), exact)
        with self._answering(dataset, layer, cancel) as built:
            if isinstance(built, ScannedLayer):
                drawn = built.drawn(built.tile(key, cancel), cancel)
            else:
                drawn = built.draw(key, cancel)
        if drawn.cost.rows or drawn.cost.encode_us:  # not what the pyramid holds already
            self._tiles.put(name, drawn)
        return Tile(key, list(drawn.planes), replace(drawn.cost), exact)

    def scan(
        self,
        dataset: Dataset,
        layer: Layer,
        keys: Sequence[TileKey],
        window: tuple[tuple[Number, Number], tuple[Number, Number]] | None = None,
        progress: Progress = no_progress,
        cancel: Cancel = NEVER,
    ) -> list[Tile]:
        """Tiles of a scanned layer, all in one pass, the first one with its cost. After that `marks` of the half-open
        `window` (x, y) needs no pass. Raises BadInput for a key that its level does not have."""
        for key in keys:
            key.check()
        with self._answering(dataset, layer, cancel) as built:
            if not isinstance(built, ScannedLayer):
                return [self.tile(dataset, layer, key, cancel) for key in keys]
            found = built.scan(keys, window, Crew(self._threads, progress, cancel))
            tiles: list[Tile] = []
            for key in keys:
                drawn = built.drawn(found.tiles[key], cancel)
                exact = partial(self._arrays, dataset, layer, key)
                tiles.append(Tile(key, list(drawn.planes), found.cost if not tiles else replace(drawn.cost), exact))
            return tiles

    def at_hand(self, dataset: Dataset, layer: Layer, x: tuple[Number, Number], y: tuple[Number, Number]) -> bool:
        """Whether `marks` of the half-open window `x` by `y` takes no pass over the source."""
        built = self._store.get(self._key(dataset, layer))
        return not isinstance(built, ScannedLayer) or built.knows(x, y)

    def image(
        self,
        dataset: Dataset,
        layer: Layer,
        x0: Number,
        x1: Number,
        y0: Number,
        y1: Number,
        width: int,
        height: int,
        cancel: Cancel = NEVER,
    ) -> list[npt.NDArray[Any]]:
        """An exact image of a window, closed at both ends: one (height, width) array a plane, row 0 the highest y.

        Cells follow datashader's affine rule (`aggregate.bins`); types are those of `Tile.arrays`. Raises BadInput for
        a window that cannot be divided, TooLarge for more than 2^24 cells.
        """
        check_window(x0, x1, "x")
        check_window(y0, y1, "y")
        for name, size in (("width", width), ("height", height)):
            if not 1 <= size <= MOST_BINS:
                raise BadInput(f"{name} is 1 to {MOST_BINS:,}, got {size}", name, size)
        if width * height > MOST_CELLS:
            raise TooLarge(f"an image has at most {MOST_CELLS:,} cells, got {width} x {height}", "width", width)
        x_bins, y_bins = Bins(x0, x1, width, name="x0"), Bins(y0, y1, height, name="y0")
        with self._answering(dataset, layer, cancel) as built:
            return built.image(x_bins, y_bins, cancel)

    def columns(
        self, dataset: Dataset, layer: Layer, x0: Number, x1: Number, width: int, cancel: Cancel = NEVER
    ) -> Columns:
        """A line's decimated rows in the window `[x0, x1]` at a width in pixels; BadInput for other glyphs."""
        with self._answering(dataset, layer, cancel) as built:
            if not isinstance(built, LineLayer):
                raise BadInput(f"only a line has columns, got glyph {layer.glyph!r}", "glyph", layer.glyph)
            return built.columns(x0, x1, width, cancel)

    def marks(
        self,
        dataset: Dataset,
        layer: Layer,
        x: tuple[Number, Number],
        y: tuple[Number, Number],
        most: int = MOST_MARKS,
        cancel: Cancel = NEVER,
    ) -> Marks | None:
        """The coordinates with rows of the half-open window `x` by `y`; None where they are more than `most` (or their
        rows too many to look at), and for a line."""
        check_window(*x, "x")
        check_window(*y, "y")
        with self._answering(dataset, layer, cancel) as built:
            if isinstance(built, ScannedLayer):
                if not built.knows(x, y):
                    built.scan((), (x, y), Crew(self._threads, cancel=cancel))
                focus = built.focus(x, y)
                return None if focus is None else find_marks(focus.layer, x, y, most, cancel)
            return find_marks(built, x, y, most, cancel) if isinstance(built, PointsLayer) else None

    def window_image(
        self,
        dataset: Dataset,
        layer: Layer,
        x: tuple[Number, Number],
        y: tuple[Number, Number],
        size: tuple[int, int],
        cancel: Cancel = NEVER,
    ) -> WindowImage | None:
        """An exact image of the half-open window `x` by `y`, `size` (width, height) cells, encoded as tiles are; None
        for one of more than 2^24 cells over all planes, and for a line."""
        check_window(*x, "x")
        check_window(*y, "y")
        with self._answering(dataset, layer, cancel) as built:
            if isinstance(built, LineLayer):
                return None
            focus = built.focus(x, y) if isinstance(built, ScannedLayer) else None
            return draw_window(built if focus is None else focus.layer, x, y, *size, cancel)

    def rows(
        self,
        dataset: Dataset,
        layer: Layer,
        x0: Number,
        x1: Number,
        y0: Number,
        y1: Number,
        limit: int = 1000,
        cancel: Cancel = NEVER,
    ) -> pa.Table:
        """True rows of the half-open window `[x0, x1) x [y0, y1)`: row, x, y and the layer's columns, at most `limit`.

        Rows are in store order: Morton order (far rows last), or x order for a line. The schema's metadata holds
        `matched`, the number of rows in the window.
        """
        check_window(x0, x1, "x")
        check_window(y0, y1, "y")
        if not 0 <= limit <= MOST_ROWS:
            raise BadInput(f"limit is 0 to {MOST_ROWS:,}, got {limit}", "limit", limit)
        with self._answering(dataset, layer, cancel) as built:
            if isinstance(built, PointsLayer):
                found = find_rows(built.order, (x0, x1), (y0, y1), limit, cancel)
                table, matched = true_rows(dataset, layer, built.order, found), found.matched
            else:
                if isinstance(built, ScannedLayer):
                    numbers, matched = scan_rows(built, (x0, x1), (y0, y1), limit, cancel)
                else:
                    numbers, matched = built.rows((x0, x1), (y0, y1), limit, cancel)
                names = list(dict.fromkeys((layer.x, layer.y, *layer.reduction.sources)))
                table = dataset.take(numbers, names).add_column(0, _ROW_FIELD, pa.array(numbers))
        return table.replace_schema_metadata({"matched": str(matched)})

    def etag(self, dataset: Dataset, layer: Layer) -> str:
        """A name of all that the layer's answers depend on: 32 hexadecimal digits."""
        text = repr((dataset.fingerprint, dataset.version, layer.key(), *self._order_of_sums(dataset, layer)))
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    def memory(self) -> dict[str, int]:
        """Bytes held: `orders` (rows in order and their columns), `pyramids`, `series`, `columns` (as they were read,
        those of builds that run included), and `tiles` (the cache)."""
        return {**self._store.memory(self._uses.columns()), "tiles": self._tiles.nbytes}

    def _arrays(self, dataset: Dataset, layer: Layer, key: TileKey) -> list[npt.NDArray[Any]]:
        with self._answering(dataset, layer) as built:
            return built.arrays(key)

    def _key(self, dataset: Dataset, layer: Layer) -> tuple[Hashable, ...]:
        return dataset.fingerprint, dataset.version, layer.key()

    def _ready(
        self,
        dataset: Dataset,
        layer: Layer,
        progress: Progress = no_progress,
        cancel: Cancel = NEVER,
        whole: bool = False,
    ) -> Built:
        """The layer, as soon as it answers; with `whole`, as soon as its index is complete."""
        key = self._key(dataset, layer)
        built = self._store.get(key)
        if built is not None and not (whole and not self._store.is_whole(key)):
            return built
        layer.check(dataset)
        layer = layer.bound(dataset)

        def build(tell: Progress, stop: Cancel) -> Built:
            crew = Crew(self._threads, tell, stop, self._maker.turns, dataset.num_rows >= _BEHIND)
            opened = partial(self._keep, key, dataset, layer, whole=False)
            try:
                with self._uses.building(dataset, layer):
                    made = self._maker.make(dataset, layer, self._order_key(dataset, layer), crew, opened)
                    self._keep(key, dataset, layer, made)
            except Unreadable as error:
                if self._maker.is_damage(error):
                    raise _damaged(dataset, error) from error
                raise
            return made

        return self._layer_flights.get(key, build, progress, cancel)

    def _keep(self, key: Hashable, dataset: Dataset, layer: Layer, made: Built, whole: bool = True) -> None:
        """Keep a layer; the columns of layers that leave for it are let go of, unless others use them."""
        self._uses.keep(key, dataset, layer)
        for gone in self._store.put(key, made, whole):
            self._uses.drop(gone)

    def _drop_order(self, key: Hashable) -> None:
        for gone in self._store.drop_order(key):
            self._uses.drop(gone)

    def _order_of_sums(self, dataset: Dataset, layer: Layer) -> tuple[str, ...]:
        """What tells sums of floats that are added in file order from those of an index, whose last bits may differ."""
        if layer.glyph != "points" or not layer.reduction.traits.float_order:
            return ()
        built = self._store.get(self._key(dataset, layer))
        if built is None:
            scanned = self._maker.scans(dataset, layer, self._order_key(dataset, layer))
        else:
            scanned = isinstance(built, ScannedLayer)
        return ("scanned",) if scanned else ()

    def _order_key(self, dataset: Dataset, layer: Layer) -> Hashable:
        return dataset.fingerprint, dataset.version, OrderSpec.of(layer)

    @contextmanager
    def _answering(self, dataset: Dataset, layer: Layer, cancel: Cancel = NEVER) -> Iterator[Built]:
        """The layer, for one answer, for which builds make way. A store that turns out to be damaged is removed, so
        that the layer is built again when it is next asked for."""
        built = self._ready(dataset, layer, no_progress, cancel)
        try:
            # A pass is no request that all else waits for: it takes seconds, and makes way for requests itself.
            with nullcontext() if isinstance(built, ScannedLayer) else self._maker.turns.request():
                yield built
        except Unreadable as error:
            if self._maker.is_damage(error):
                self._maker.drop_damaged(error, self._order_key(dataset, layer))
                self._store.drop(self._key(dataset, layer))
                self._uses.drop(self._key(dataset, layer))
                raise _damaged(dataset, error) from error
            raise


def _damaged(dataset: Dataset, error: Unreadable) -> Unreadable:
    """What a client learns of a damaged store: where it lies is for the operator, and in the log."""
    _log.warning("the index of %r is damaged: %s", dataset.name, error.message)
    return Unreadable(f"The index of {dataset.name!r} is damaged: it is built again, ask once more.")
