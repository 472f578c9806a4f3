"""A layer of points without an index: answered exactly by passes over its source.

All tiles of a view are made in one pass, with a ring of their neighbours, and kept. On the way the rows of the window
are picked out as long as they are few: in order in memory, they answer for the window and all that lies in it. A pass
skips the pieces of the source that are known, from earlier passes, to have no row in what is asked for.

Counts, minima, maxima, first and last rows and sums of integers are those of an index, bit for bit. Sums of floats are
added in file order within each of 16 stripes of the file, and stripe by stripe; an index adds them in Morton order.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.axis import Axis
from bigviz.aggregate.bins import Bins
from bigviz.aggregate.glyphs.points import add_points
from bigviz.aggregate.inputs import Inputs as ImageInputs
from bigviz.aggregate.inputs import Numbers
from bigviz.common.byte_cache import ByteCache
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.priority import Turns
from bigviz.common.progress import no_progress
from bigviz.common.single_flight import Flights
from bigviz.common.workers import Crew
from bigviz.data.columns.column import Column
from bigviz.tiles.answers.answer import Cost, Drawn, microseconds
from bigviz.tiles.estimates.preview import Known, Preview
from bigviz.tiles.grid.batches import Batch, Streamed
from bigviz.tiles.grid.survey import Survey
from bigviz.tiles.grid.tile_key import Codes, TileKey
from bigviz.tiles.grid.window import Number, codes_between
from bigviz.tiles.pyramid.accumulators import Kept, finished, keep, revive, wire
from bigviz.tiles.scans.parallel_pass import Gate, sweep
from bigviz.tiles.scans.scan_memory import Learnt
from bigviz.tiles.scans.tile_sink import TileSink, tile_bytes
from bigviz.tiles.scans.window_rows import Focus, Picked, Recipe

__all__ = ["Scan", "ScannedLayer", "Scanning"]

Array = npt.NDArray[Any]
Window = tuple[Number, Number]

STAGE: Final = "scanning rows"
_MOST_PICKED: Final = 1 << 20  # rows of a window that are put in order: some 60 MB
_LEAST_PICKED: Final = 1 << 17  # more than are sent as rows
_LEAST_PLANES: Final = 64 << 20  # bytes of accumulators that a pass has room for, however little memory is meant
_BLOCK: Final = 4  # a tile that is asked for by itself is made with those of its block of 4 x 4


@dataclass(frozen=True)
class Scanning:
    """What the scanned layers of an engine share: threads of a pass, bytes that are meant for what is kept, the gate to
    passes, and who goes first."""

    threads: int
    memory: int
    gate: Gate
    turns: Turns


@dataclass
class Scan:
    """The tiles that were asked for, and what the passes for them cost."""

    tiles: dict[TileKey, Kept]
    cost: Cost = field(default_factory=Cost)


class ScannedLayer:
    """Everything that answers for a layer from its source. Safe to use from any number of threads.

    `columns` are those of the source, x and y first, without rows: what is known of them before they are read.
    """

    def __init__(
        self, source: Streamed, columns: Sequence[Column], survey: Survey, recipe: Recipe, shared: Scanning
    ) -> None:
        self.source, self.survey, self.recipe, self._columns = source, survey, recipe, tuple(columns)
        self.x, self.y = Axis(columns[0], source.spaces[0]), Axis(columns[1], source.spaces[1])
        self._shared = shared
        row = 32 + 16 * len(columns)
        self._most_picked = min(_MOST_PICKED, max(_LEAST_PICKED, shared.memory // 8 // row))
        planes = max(_LEAST_PLANES, shared.memory // 8)
        # A set of accumulators for each thread, and one that all are merged into.
        self._room = max(1, planes // (tile_bytes(recipe) * (shared.threads + 1)))
        self._kept: ByteCache[Kept] = ByteCache(shared.memory // 8)
        self._learnt = Learnt()
        self._flights: Flights[dict[TileKey, Kept]] = Flights()
        self._preview: Preview | None = None
        self._sampling = threading.Lock()

    @property
    def row_bytes(self) -> int:
        """Bytes read for each row."""
        return sum(column.values.itemsize for column in self._columns)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self._kept.nbytes + self._learnt.nbytes

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
            more = _ring(group)[: self._room - len(group)] if ring and len(groups) == 1 else []
            step = crew.within(STAGE, number / len(groups), (number + 1) / len(groups), self.source.rows)
            made = self._pass([*group, *more], unknown if number == 0 else None, step, scan.cost)
            scan.tiles.update((key, made[key]) for key in group)
        return scan

    def has(self, key: TileKey) -> bool:
        """Whether a tile takes no pass."""
        return self._kept.get(key) is not None or self._learnt.focus(key.codes) is not None

    def preview(self, make: Callable[[], Preview]) -> Preview:
        """Estimates of the layer's tiles, made once."""
        with self._sampling:
            if self._preview is None:
                self._preview = make()
            return self._preview

    @property
    def known(self) -> Known:
        """What a preview need not find out."""
        labels = {column.info.name: column.categories for column in self._columns if column.categories is not None}
        return Known(self.survey, labels)

    def tile(self, key: TileKey, cancel: Cancel = NEVER) -> Kept:
        """One tile. Those around it are likely to be asked for next, so its block is made in the same pass."""
        kept = self._at_hand(key, cancel)
        if kept is not None:
            return kept
        keys = _block(key)
        if len(keys) > self._room:
            keys = [key]

        def make(tell: Any, stop: Cancel) -> dict[TileKey, Kept]:
            return self.scan(keys, None, Crew(self._shared.threads, tell, stop), ring=False).tiles

        return self._flights.get(keys[0], make, no_progress, cancel)[key]

    def drawn(self, kept: Kept, cancel: Cancel = NEVER) -> Drawn:
        """A tile as the wire has it."""
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
        planes = revive(reduction, self.tile(key, cancel), self.recipe.dtype, cancel)
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

    def image(self, x_bins: Bins, y_bins: Bins, cancel: Cancel = NEVER) -> list[Array]:
        """The finished image of a window, row 0 the highest y; rows are added in file order, as `Canvas` adds them."""
        recipe = self.recipe
        reduction = recipe.reduction
        planes = reduction.create((y_bins.size, x_bins.size), recipe.dtype, len(recipe.labels or ()), cancel.check)
        for batch in self.batches((x_bins.low, x_bins.high), (y_bins.low, y_bins.high), cancel):
            inputs = self.inputs(batch)
            add_points(planes, _Slices(*batch.x), _Slices(*batch.y), x_bins, y_bins, reduction, inputs, cancel)
        done = finished(reduction, planes, recipe.own, cancel)
        return [np.ascontiguousarray(plane[::-1]) if type(plane) is np.ndarray else plane[::-1] for plane in done]

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
        """Make tiles, and learn what one pass tells."""
        outer = _around([*(key.codes for key in keys), *([] if window is None else [window])])
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
        cost.bytes += rows * self.row_bytes
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


@dataclass(frozen=True)
class _Slices:
    """Axis-space numbers of a batch, as kernels take them."""

    values: Array
    valid: npt.NDArray[np.bool_] | None

    def __len__(self) -> int:
        return len(self.values)

    def slice(self, start: int, stop: int) -> tuple[Array, Array | None]:
        return self.values[start:stop], None if self.valid is None else self.valid[start:stop]


def _around(rectangles: Sequence[Codes]) -> Codes:
    """The rectangle that holds all."""
    firsts, lasts, bottoms, tops = zip(*rectangles, strict=True)
    return min(firsts), max(lasts), min(bottoms), max(tops)


def _block(key: TileKey) -> list[TileKey]:
    """The tiles of the block of 4 x 4 that a tile lies in, the same ones in the same order for each."""
    columns, rows = (
        range(at // _BLOCK * _BLOCK, min((at // _BLOCK + 1) * _BLOCK, 1 << level))
        for at, level in ((key.i, key.zx), (key.j, key.zy))
    )
    return [TileKey(key.zx, key.zy, i, j) for j in rows for i in columns]


def _ring(keys: Sequence[TileKey]) -> list[TileKey]:
    """The tiles around those of a view, which are all of one level; none about tiles that are not a view's."""
    levels = {(key.zx, key.zy) for key in keys}
    if len(levels) != 1:
        return []
    ((zx, zy),) = levels
    left, right = (choose(key.i for key in keys) for choose in (min, max))
    top, bottom = (choose(key.j for key in keys) for choose in (min, max))
    columns = range(max(left - 1, 0), min(right + 2, 1 << zx))
    rows = range(max(top - 1, 0), min(bottom + 2, 1 << zy))
    if len(columns) * len(rows) > 4 * len(keys) + 64:
        return []
    have = set(keys)
    around = [TileKey(zx, zy, i, j) for j in rows for i in columns]
    return [key for key in around if key not in have]
