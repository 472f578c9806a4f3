"""A layer of points without an index: answered exactly by passes over its source.

All tiles of a view are made in one pass, with a ring of their neighbours, and kept. On the way the rows of the window
are picked out as long as they are few: in order in memory, they answer for the window and all that lies in it. A pass
skips the pieces of the source that are known, from earlier passes, to have no row in the requested part.

Counts, minima, maxima, first and last rows and sums of integers are those of an index, bit for bit. Sums of floats are
added in file order within each of 16 stripes of the file, and stripe by stripe; an index adds them in Morton order.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bigviz.aggregate.axis import Axis
from bigviz.aggregate.glyphs.bins import Bins
from bigviz.aggregate.glyphs.points import PointRows, PointsImage
from bigviz.aggregate.inputs import Inputs as ImageInputs
from bigviz.aggregate.inputs import Numbers
from bigviz.aggregate.layer import Layer
from bigviz.aggregate.reductions.base import Rows
from bigviz.common.byte_cache import ByteCache
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.priority import Turns
from bigviz.common.progress import no_progress
from bigviz.common.single_flight import Flights
from bigviz.common.workers import Crew
from bigviz.data.columns.column import Column
from bigviz.data.dataset import Dataset
from bigviz.tiles.answers.answer import Cost, Drawn, Estimate, microseconds
from bigviz.tiles.answers.layer_answers import Held
from bigviz.tiles.answers.layer_info import LayerInfo, facts_of
from bigviz.tiles.answers.marks import MOST_MARKS, Marks
from bigviz.tiles.answers.row_lookup import rows_table
from bigviz.tiles.answers.shared_answers import NoColumnsOrBars, SingleVersion, TileColours
from bigviz.tiles.answers.window_image import RowPart, WindowImage, draw_window
from bigviz.tiles.estimates.preview import Known, Preview
from bigviz.tiles.grid.batches import Batch, Streamed
from bigviz.tiles.grid.survey import Survey
from bigviz.tiles.grid.tile_key import Codes, TileKey
from bigviz.tiles.grid.window import Number, codes_between
from bigviz.tiles.morton.codes import coded_of, rows_within
from bigviz.tiles.pyramid.accumulators import Kept, finished, keep, revive, wire
from bigviz.tiles.scans.parallel_pass import Gate, sweep
from bigviz.tiles.scans.pass_tiles import around, block_of, ring_of
from bigviz.tiles.scans.row_scan import scan_rows
from bigviz.tiles.scans.scan_memory import Learnt
from bigviz.tiles.scans.tile_sink import TileSink, tile_bytes
from bigviz.tiles.scans.window_rows import Focus, Picked, Recipe
from bigviz.tiles.selection.chosen import Chosen, NumberedRows
from bigviz.tiles.selection.region import Region
from bigviz.tiles.selection.row_set import RowSet

__all__ = ["Scan", "ScannedLayer", "Scanning"]

Array = npt.NDArray[Any]
Window = tuple[Number, Number]

STAGE: Final = "scanning rows"
_MOST_PICKED: Final = 1 << 20  # rows of a window that are put in order: some 60 MB
_LEAST_PICKED: Final = 1 << 17  # more than are sent as rows
_LEAST_PLANES: Final = 64 << 20  # bytes of accumulators that a pass has room for, however small the budget


@dataclass(frozen=True)
class Scanning:
    """What the scanned layers of an engine share: the threads of a pass, the bytes that may be kept, the gate to
    passes, and the turns of builds and requests."""

    threads: int
    memory: int
    gate: Gate
    turns: Turns


@dataclass
class Scan:
    """The requested tiles, and what the passes for them cost."""

    tiles: dict[TileKey, Kept]
    cost: Cost = field(default_factory=Cost)


class ScannedLayer(TileColours, NoColumnsOrBars, SingleVersion):
    """Everything that answers for a layer from its source. Safe to use from any number of threads.

    `columns` are those of the source, x and y first, without rows: what is known of them before they are read.
    `sample` begins estimates of the layer; None where a pass takes no longer. `kept` rows are kept by the source's
    filter (None: it has none). `boxes` is what is known of where the rows of pieces lie before they are read.
    """

    def __init__(
        self,
        source: Streamed,
        columns: Sequence[Column],
        survey: Survey,
        recipe: Recipe,
        shared: Scanning,
        sample: Callable[[Known, Cancel], Preview] | None = None,
        kept: int | None = None,
        boxes: Mapping[int, Codes | None] | None = None,
    ) -> None:
        self.source, self.survey, self.recipe, self._columns = source, survey, recipe, tuple(columns)
        self.x, self.y = Axis(columns[0], source.spaces[0]), Axis(columns[1], source.spaces[1])
        self._shared, self._rows_kept = shared, kept
        row = 32 + 16 * len(columns)
        self._most_picked = min(_MOST_PICKED, max(_LEAST_PICKED, shared.memory // 8 // row))
        planes = max(_LEAST_PLANES, shared.memory // 8)
        # A set of accumulators for each thread, and one that all are merged into.
        self._room = max(1, planes // (tile_bytes(recipe) * (shared.threads + 1)))
        self._kept: ByteCache[Kept] = ByteCache(shared.memory // 8)
        self._learnt = Learnt()
        self._learnt.boxes(boxes or {})
        self._flights: Flights[dict[TileKey, Kept]] = Flights()
        self._sample = sample
        self._preview: Preview | None = None
        self._sampling = threading.Lock()
        self._row_bytes = sum(column.values.itemsize for column in columns)

    @property
    def is_scanned(self) -> bool:
        """True."""
        return True

    @property
    def dense(self) -> None:
        """None: finding it would take a pass."""

    def facts(self, dataset: Dataset, layer: Layer) -> LayerInfo:
        """What is known of the layer."""
        return facts_of(dataset, layer, self.survey, (self.x, self.y), self.recipe.labels, False, self._rows_kept)

    def held(self) -> Iterator[Held]:
        """The memory that it holds."""
        yield Held("pyramids", self, self._kept.nbytes + self._learnt.nbytes)

    def scan(
        self, keys: Sequence[TileKey], window: tuple[Window, Window] | None, crew: Crew, ring: bool = True
    ) -> Scan:
        """Tiles, made in one pass over the source (more where the planes of all would be too large), or in none if they
        are here; after that it is known whether a half-open window has few rows: then `focus` has them. With `ring` the
        neighbours of the tiles are made as well.

        Raises Cancelled, and what reading raises.
        """
        scan = Scan({key: kept for key in keys if (kept := self._at_hand(key, crew.cancel)) is not None})
        lacking = [key for key in dict.fromkeys(keys) if key not in scan.tiles]
        unknown = None if window is None or self.knows(*window) else self.codes(*window)
        groups = [lacking[at : at + self._room] for at in range(0, len(lacking), self._room)]
        if not groups and unknown is not None:
            groups = [[]]
        for number, group in enumerate(groups):
            more = ring_of(group)[: self._room - len(group)] if ring and len(groups) == 1 else []
            step = crew.within(STAGE, number / len(groups), (number + 1) / len(groups), self.source.rows)
            made = self._pass([*group, *more], unknown if number == 0 else None, step, scan.cost)
            scan.tiles.update((key, made[key]) for key in group)
        return scan

    def draw(self, key: TileKey, cancel: Cancel = NEVER) -> Drawn:
        """One tile as the wire has it."""
        return self._drawn(self._tile(key, cancel), cancel)

    def draw_all(self, keys: Sequence[TileKey], window: tuple[Window, Window] | None, crew: Crew) -> list[Drawn]:
        """Tiles of a view, all in one pass, whose cost the first one has; see `scan`."""
        found = self.scan(keys, window, crew)
        tiles = [self._drawn(found.tiles[key], crew.cancel) for key in keys]
        return [Drawn(tiles[0].planes, found.cost), *tiles[1:]] if tiles else []

    def estimate(self, key: TileKey, cancel: Cancel = NEVER) -> tuple[Drawn, Estimate] | None:
        """A tile from a sample of the source, made once; None where the tile takes no pass, or a short one. Passes make
        way for estimates of what they are for."""
        if self._sample is None or self._kept.get(key) is not None or self._learnt.focus(key.codes) is not None:
            return None
        with self._sampling:
            if self._preview is None:
                labels = {each.info.name: each.categories for each in self._columns if each.categories is not None}
                self._preview = self._sample(Known(self.survey, labels), cancel)
            preview = self._preview
        with self._shared.turns.request():
            return preview.draw(key, cancel)

    def _tile(self, key: TileKey, cancel: Cancel) -> Kept:
        """One tile. Those around it are likely to be requested next, so its block is made in the same pass."""
        kept = self._at_hand(key, cancel)
        if kept is not None:
            return kept
        keys = block_of(key)
        if len(keys) > self._room:
            keys = [key]

        def make(tell: Any, stop: Cancel) -> dict[TileKey, Kept]:
            return self.scan(keys, None, Crew(self._shared.threads, tell, stop), ring=False).tiles

        return self._flights.get(keys[0], make, no_progress, cancel)[key]

    def _drawn(self, kept: Kept, cancel: Cancel) -> Drawn:
        reduction = self.recipe.reduction
        cost = Cost(bytes=sum(len(plane.payload) for plane in kept.values))
        if not reduction.traits.derived:
            return Drawn(kept.values, cost)
        begun = time.perf_counter()
        planes = wire(reduction, revive(reduction, kept, self.recipe.dtype, cancel), cancel)
        cost.encode_us = microseconds(time.perf_counter() - begun)
        return Drawn(tuple(planes), cost)

    def arrays(self, key: TileKey, cancel: Cancel = NEVER) -> list[Array]:
        """The tile's finished planes, from its exact accumulators."""
        reduction = self.recipe.reduction
        planes = revive(reduction, self._tile(key, cancel), self.recipe.dtype, cancel)
        return finished(reduction, planes, self.recipe.own, cancel)

    def codes(self, x: Window, y: Window) -> Codes | None:
        """The codes of a window; None where it misses the roots."""
        across, up = codes_between(self.survey.x, *x), codes_between(self.survey.y, *y)
        return None if across is None or up is None else (*across, *up)

    def knows(self, x: Window, y: Window) -> bool:
        """Whether it is known without a pass that a window has few rows, or many."""
        codes = self.codes(x, y)
        return codes is None or self._learnt.focus(codes) is not None or self._learnt.is_crowded(codes)

    def focus(self, x: Window, y: Window) -> Focus | None:
        """The rows of a window, if they are in memory: those of an empty window always are."""
        codes = self.codes(x, y)
        if codes is not None:
            return self._learnt.focus(codes)
        return Picked([(0, 0, 0, 0)], 0).focus(self._columns, self.source.spaces, self.survey, self.recipe)

    def image(self, dataset: Dataset, x_bins: Bins, y_bins: Bins, cancel: Cancel = NEVER) -> list[Array]:
        """The finished image of a window, row 0 the highest y; rows are added in file order, as `Canvas` adds them."""
        recipe = self.recipe
        reduction = recipe.reduction
        planes = reduction.create((y_bins.size, x_bins.size), recipe.dtype, len(recipe.labels or ()), cancel.check)
        image = PointsImage(x_bins, y_bins, reduction)
        for batch in self.batches((x_bins.low, x_bins.high), (y_bins.low, y_bins.high), cancel):
            image.add(planes, PointRows(_Slices(*batch.x), _Slices(*batch.y), self.inputs(batch)), cancel)
        done = finished(reduction, planes, recipe.own, cancel)
        return [np.ascontiguousarray(plane[::-1]) if type(plane) is np.ndarray else plane[::-1] for plane in done]

    def marks(self, x: Window, y: Window, most: int = MOST_MARKS, cancel: Cancel = NEVER) -> Marks | None:
        """The coordinates with rows of a half-open window; None if they are more than `most` or cannot be
        determined."""
        if not self.knows(x, y):
            self.scan((), (x, y), Crew(self._shared.threads, cancel=cancel))
        focus = self.focus(x, y)
        return None if focus is None else focus.layer.marks(x, y, most, cancel)

    def window_image(self, x: Window, y: Window, size: tuple[int, int], cancel: Cancel = NEVER) -> WindowImage | None:
        """An exact image of a half-open window; None where it is too large."""
        focus = self.focus(x, y)
        if focus is not None:
            return focus.layer.window_image(x, y, size, cancel)
        reduction, dtype, labels = self.recipe.reduction, self.recipe.dtype, self.recipe.labels
        rows = self._parts(x, y, cancel)
        return draw_window(rows, reduction, dtype, labels, x, y, size, self._row_bytes, cancel)

    def rows(
        self, dataset: Dataset, layer: Layer, x: Window, y: Window, limit: int, cancel: Cancel = NEVER
    ) -> tuple[pa.Table, int]:
        """True rows of a half-open window in Morton order, far ones last, at most `limit`, and how many there are."""
        roots = self.survey.x, self.survey.y
        numbers, matched = scan_rows(self.batches(x, y, cancel), roots, x, y, limit)
        return rows_table(dataset, layer, numbers), matched

    def select(self, dataset: Dataset, layer: Layer, region: Region, crew: Crew) -> tuple[Chosen, ...]:
        """The rows in a region, far ones included, found in one pass over the source."""
        x, y = region.windows
        root = self.survey.y
        found = RowSet(dataset.first_row, dataset.num_rows)
        for batch in self.batches(x, (float(root.start), float(root.stop)) if y is None else y, crew.cancel):
            inside = region.holds(batch.x[0], batch.y[0], crew.cancel)
            for _, valid in (batch.x, batch.y):
                if valid is not None:
                    inside &= valid
            found.add(np.flatnonzero(inside) + batch.first)
        return (NumberedRows(found),)

    def _parts(self, x: Window, y: Window, cancel: Cancel) -> Iterator[RowPart]:
        """The rows inside both roots that lie in the cells of a window."""
        codes = self.codes(x, y)
        ordered = self.recipe.reduction.ordered
        if codes is None:
            return
        for batch in self.batches(x, y, cancel):
            coded = coded_of(batch, slice(0, batch.rows), (self.survey.x, self.survey.y))
            places = rows_within(coded, codes)
            read = partial(_read, self.inputs(batch), places, ordered)
            yield RowPart(batch.x[0][places], batch.y[0][places], read, batch.rows)

    def batches(self, x: Window, y: Window, cancel: Cancel = NEVER) -> Iterator[Batch]:
        """All rows of the source in file order, but for pieces without one in a closed window: one pass."""
        codes = self.codes(x, y)
        with self._admitted(cancel):
            for piece in range(len(self.source.pieces)):
                if self.survey.far or self._learnt.may_hold(piece, codes):
                    for batch in self.source.read(piece, cancel):
                        self._shared.turns.give_way(cancel)
                        yield batch

    def inputs(self, batch: Batch) -> ImageInputs:
        """What the reduction reads of the rows of a batch."""
        reduction, labels = self.recipe.reduction, self.recipe.labels
        names = [column.info.name for column in self._columns]
        columns: Mapping[str, Column] = dict(zip(names, batch.columns, strict=True))
        values, codes = (
            None if name is None else Numbers(columns[name].values, columns[name].valid)
            for name in (reduction.column, reduction.category)
        )
        numbers = np.arange(batch.first, batch.first + batch.rows) if reduction.ordered else None
        return ImageInputs(values, codes, numbers, self.recipe.dtype, len(labels or ()))

    def _at_hand(self, key: TileKey, cancel: Cancel) -> Kept | None:
        """A tile that was kept, or whose rows are in memory."""
        kept = self._kept.get(key)
        if kept is not None:
            return kept
        focus = self._learnt.focus(key.codes)
        if focus is None:
            return None
        kept = keep(self.recipe.reduction, focus.layer.pyramid.scan(key, cancel)[0], cancel.check)
        self._kept.put(key, kept)
        return kept

    def _pass(self, keys: list[TileKey], window: Codes | None, crew: Crew, cost: Cost) -> dict[TileKey, Kept]:
        """Make tiles, and keep what else the pass finds out."""
        outer = around([*(key.codes for key in keys), *([] if window is None else [window])])
        picked = Picked([outer] if window in (None, outer) else [outer, window], self._most_picked)
        sink = TileSink(keys, self.recipe, (self.survey.x, self.survey.y), picked, self.inputs)
        begun = time.perf_counter()
        with self._admitted(crew.cancel):
            rows = sweep(
                STAGE,
                self.source,
                lambda piece: self._learnt.may_hold(piece, outer),
                sink,
                crew,
                self._shared.turns,
            )
            swept = time.perf_counter()
            made = sink.kept(crew.cancel)
            focus = picked.focus(self._columns, self.source.spaces, self.survey, self.recipe)
        self._learnt.boxes(sink.boxes)
        self._learnt.counted(keys, sink.blocks)
        if focus is not None:
            self._learnt.focused(focus)
        elif window is not None:
            self._learnt.crowded(window)
        for key, kept in made.items():
            self._kept.put(key, kept)
        cost.rows += rows
        cost.bytes += rows * self._row_bytes
        cost.kernel_us += microseconds(swept - begun)
        cost.encode_us += microseconds(time.perf_counter() - swept)
        return made

    @contextmanager
    def _admitted(self, cancel: Cancel) -> Iterator[None]:
        self._shared.gate.enter(cancel)
        try:
            yield
        finally:
            self._shared.gate.leave()


def _read(inputs: ImageInputs, places: Array, ordered: bool, keep: npt.NDArray[np.bool_]) -> Rows:
    return inputs.at(places[keep], ordered)


@dataclass(frozen=True)
class _Slices:
    """Axis-space numbers of a batch, as kernels take them."""

    values: Array
    valid: npt.NDArray[np.bool_] | None

    def __len__(self) -> int:
        return len(self.values)

    def slice(self, start: int, stop: int) -> tuple[Array, Array | None]:
        return self.values[start:stop], None if self.valid is None else self.valid[start:stop]
