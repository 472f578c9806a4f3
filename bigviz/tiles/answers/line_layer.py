"""A layer of a line, built: its rows in x order and the tree above them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bigviz.aggregate.axis import Axis
from bigviz.aggregate.glyphs.bins import Bins
from bigviz.aggregate.glyphs.line import line_image
from bigviz.aggregate.inputs import Numbers
from bigviz.aggregate.layer import Layer
from bigviz.aggregate.reductions.counts import Presence
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.workers import Crew
from bigviz.data.dataset import Dataset
from bigviz.tiles.answers.answer import Cost, Drawn, Estimate, microseconds
from bigviz.tiles.answers.columns import Columns
from bigviz.tiles.answers.layer_answers import Held, columns_held
from bigviz.tiles.answers.layer_info import LayerInfo, facts_of
from bigviz.tiles.answers.row_lookup import rows_table
from bigviz.tiles.answers.shared_answers import SingleVersion, TileByTile, TileColours
from bigviz.tiles.grid.survey import Survey
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.grid.window import Number, check_window, within
from bigviz.tiles.selection.chosen import Chosen, NumberedRows
from bigviz.tiles.selection.region import Region
from bigviz.tiles.selection.row_set import RowSet
from bigviz.tiles.series.line import Line
from bigviz.tiles.series.line_tiles import draw_tile
from bigviz.tiles.series.m4 import Picks, column_bounds
from bigviz.wire.codec import encode_values

__all__ = ["LineLayer", "separated"]

Array = npt.NDArray[Any]
Window = tuple[Number, Number]


@dataclass(frozen=True)
class LineLayer(TileByTile, TileColours, SingleVersion):
    """Everything that answers for a line. It does not change once it is built.

    `survey` is of all rows; `line` holds those that the filter keeps, `kept` of them (None: there is no filter).
    """

    x: Axis
    y: Axis
    survey: Survey
    line: Line
    kept: int | None = field(default=None, kw_only=True)

    @property
    def is_scanned(self) -> bool:
        """False: there is a tree."""
        return False

    @property
    def dense(self) -> None:
        """None: a line's first view shows all of it."""

    def facts(self, dataset: Dataset, layer: Layer) -> LayerInfo:
        """What is known of the layer."""
        return facts_of(dataset, layer, self.survey, (self.x, self.y), None, self.line.sorted, self.kept)

    def held(self) -> Iterator[Held]:
        """The memory that it holds."""
        for owner, nbytes in self.line.held((self.x.column.values, self.y.column.values)):
            yield Held("series", owner, nbytes)
        yield from columns_held((self.x.column, self.y.column))

    def draw(self, key: TileKey, cancel: Cancel = NEVER) -> Drawn:
        """One tile: `any`, uint8."""
        cancel.check()
        begun = time.perf_counter()
        plane, rows = draw_tile(self.line, (self.survey.x, self.survey.y), key)
        drawn = time.perf_counter()
        encoded = encode_values(plane, plane > 0)
        encode_us = microseconds(time.perf_counter() - drawn)
        cost = Cost(0, microseconds(drawn - begun), encode_us, rows, rows * self.line.row_bytes)
        return Drawn((encoded,), cost)

    def estimate(self, key: TileKey, cancel: Cancel = NEVER) -> tuple[Drawn, Estimate] | None:
        """None: tiles take no longer."""
        return None

    def arrays(self, key: TileKey, cancel: Cancel = NEVER) -> list[Array]:
        """The tile's finished plane."""
        cancel.check()
        return [draw_tile(self.line, (self.survey.x, self.survey.y), key)[0]]

    def columns(self, low: Number, high: Number, width: int, cancel: Cancel = NEVER) -> Columns:
        """The rows that draw the window `[low, high]` (axis space) at a width in pixels, and one more on each side."""
        cancel.check()
        check_window(low, high, "x")
        begun = time.perf_counter()
        picks = self.line.picks(lambda numbers: column_bounds(numbers, low, high, width))
        rows = self.line.numbers(picks.positions)
        spent = microseconds(time.perf_counter() - begun)
        cost = Cost(0, spent, 0, len(rows), len(rows) * self.line.row_bytes)
        return Columns(
            picks.columns, picks.runs, rows, picks.x, picks.y, width, picks.flagged.tolist(), (self.x, self.y), cost
        )

    def bars(self, low: Number, high: Number, cancel: Cancel = NEVER) -> None:
        """None: they are a histogram's."""

    def image(self, dataset: Dataset, x_bins: Bins, y_bins: Bins, cancel: Cancel = NEVER) -> list[Array]:
        """The uint8 image of a window, row 0 the highest y: what drawing every row gives.

        Drawn from the decimated rows, unless a column has more than two runs; then from all rows of the window.
        """
        picks = self.line.picks(lambda numbers: column_bounds(numbers, x_bins.low, x_bins.high, x_bins.size))
        x, y = self.line.between(picks) if len(picks.flagged) else separated(picks)
        grid = line_image(x, y, x_bins, y_bins, Presence(), cancel=cancel)
        return [grid.values[::-1]]

    def knows(self, x: Window, y: Window) -> bool:
        """True: a line has no marks, which takes no time to find."""
        return True

    def marks(self, x: Window, y: Window, most: int = 0, cancel: Cancel = NEVER) -> None:
        """None: rows of a line are not drawn one by one."""

    def window_image(self, x: Window, y: Window, size: tuple[int, int], cancel: Cancel = NEVER) -> None:
        """None: a line is drawn from its columns at any depth."""

    def rows(
        self, dataset: Dataset, layer: Layer, x: Window, y: Window, limit: int, cancel: Cancel = NEVER
    ) -> tuple[pa.Table, int]:
        """True rows of the half-open window in x order, at most `limit`, and how many there are."""
        numbers, matched = self._rows(x, y, limit, cancel)
        return rows_table(dataset, layer, numbers), matched

    def select(self, dataset: Dataset, layer: Layer, region: Region, crew: Crew) -> tuple[Chosen, ...]:
        """The rows of the line in a region; a gap is in none."""
        found = RowSet(dataset.first_row, dataset.num_rows)
        for batch in self.line.batches(*region.windows[0]):
            crew.look()
            inside = region.holds(batch.x, batch.y, crew.cancel)
            if batch.known is not None:
                inside &= batch.known
            found.add(batch.numbers(np.flatnonzero(inside)))
        return (NumberedRows(found),)

    def _rows(self, x: Window, y: Window, limit: int, cancel: Cancel) -> tuple[Array, int]:
        found: list[Array] = []
        matched = 0
        for batch in self.line.batches(*x):
            cancel.check()
            inside = within(batch.y, *y)
            if batch.known is not None:
                inside &= batch.known
            places = np.flatnonzero(inside)
            found.append(batch.numbers(places[: max(limit - matched, 0)]))
            matched += len(places)
        return (np.concatenate(found) if found else np.empty(0, np.int64)), matched


def separated(picks: Picks) -> tuple[Numbers, Numbers]:
    """The picked rows with a gap between runs."""
    breaks = np.flatnonzero(np.diff(picks.runs)) + 1
    chosen = np.insert(np.arange(len(picks.positions)), breaks, breaks)
    valid = np.ones(len(chosen), np.bool_)
    valid[breaks + np.arange(len(breaks))] = False
    return Numbers(picks.x[chosen]), Numbers(picks.y[chosen], valid)
