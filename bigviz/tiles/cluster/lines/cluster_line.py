"""A line over the parts of a table that workers hold: what each picks of its rows, put together in the order of x."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bigviz.aggregate.glyphs.bins import Bins
from bigviz.aggregate.glyphs.line import line_image
from bigviz.aggregate.inputs import Numbers
from bigviz.aggregate.layer import Layer
from bigviz.aggregate.reductions.counts import Presence
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.errors import TooLarge
from bigviz.common.workers import Crew
from bigviz.data.dataset import Dataset
from bigviz.tiles.answers.answer import Cost, Drawn, Estimate, microseconds
from bigviz.tiles.answers.columns import Columns
from bigviz.tiles.answers.layer_info import LayerInfo, facts_of
from bigviz.tiles.answers.line_layer import separated
from bigviz.tiles.answers.row_lookup import rows_table
from bigviz.tiles.cluster.cluster_layer import ClusterLayer, refused
from bigviz.tiles.cluster.lines.joined_line import answer_arrays, joined_line, without_bridges
from bigviz.tiles.cluster.lines.part_picks import PartPicks
from bigviz.tiles.cluster.messages import Answer, arrays_of
from bigviz.tiles.cluster.parts.division import Part
from bigviz.tiles.cluster.tile_batches import TileBatches, tiles_of
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.grid.window import Number, check_window
from bigviz.tiles.selection.chosen import Chosen
from bigviz.tiles.selection.region import Region
from bigviz.tiles.series.line_tiles import draw_picks
from bigviz.tiles.series.m4 import Picks
from bigviz.wire.codec import SIDE, encode_values

__all__ = ["ClusterLine", "is_sorted", "rows_by_x"]

Array = npt.NDArray[Any]
Window = tuple[Number, Number]

_MOST_SENT: Final = 1 << 26  # rows that are sent for an image which picks do not draw
_MOST_AT_ONCE: Final = 1 << 22  # of them that are brought together at a time: some 100 MB


@dataclass(frozen=True, eq=False)
class ClusterLine(ClusterLayer):
    """Everything that answers for a line of a dataset that workers hold."""

    batches: TileBatches = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "batches", TileBatches(self.workers, self.parts, "line_tiles"))

    def facts(self, dataset: Dataset, layer: Layer) -> LayerInfo:
        """What is known of the layer."""
        return facts_of(dataset, layer, self.survey, self.axes, None, is_sorted(self), self.rows_kept)

    def arrays(self, key: TileKey, cancel: Cancel = NEVER) -> list[Array]:
        """The tile's finished plane."""
        return [self._plane(key, self.parts, cancel)[0]]

    def columns(self, low: Number, high: Number, width: int, cancel: Cancel = NEVER) -> Columns:
        """The rows that draw the window `[low, high]` (axis space) at a width in pixels, and one more on each side."""
        return self._columns(low, high, width, self.parts, cancel)

    def columns_held(self, low: Number, high: Number, width: int, cancel: Cancel = NEVER) -> tuple[Columns, Estimate]:
        """The columns of the rows that are held now, and their share. Where x is in the order of the file, nothing is
        drawn across rows that nobody holds."""
        return self._of_held(lambda parts: self._columns(low, high, width, parts, cancel))

    def bars(self, low: Number, high: Number, cancel: Cancel = NEVER) -> None:
        """None: they are a histogram's."""

    def image(self, dataset: Dataset, x_bins: Bins, y_bins: Bins, cancel: Cancel = NEVER) -> list[Array]:
        """The uint8 image of a window, row 0 the highest y: what drawing every row gives.

        Drawn from picks, unless a column has more than two runs; then each worker draws its rows, and what joins parts
        is drawn here. Where rows of parts lie between each other, those of such columns are brought here, some at a
        time. Raises TooLarge for too many of them.
        """
        window = {"columns": [x_bins.low, x_bins.high, x_bins.size]}
        picks = self._window_picks(window, x_bins.size, self.parts, cancel)
        if not len(picks.flagged):
            return [_inked(*separated(picks), x_bins, y_bins, cancel)[::-1]]
        ends = self._ends
        if ends is None:
            plane = _inked(*separated(_without_middles(picks)), x_bins, y_bins, cancel)
            self._filled(plane, picks.flagged, window, (x_bins, y_bins), cancel)
            return [plane[::-1]]
        plane = _inked(*_joints(ends, picks), x_bins, y_bins, cancel)[::-1]
        asked = {axis: [bins.low, bins.high, bins.size] for axis, bins in (("x", x_bins), ("y", y_bins))}
        for answer in self.ask({"ask": "line_image", **asked}, cancel):
            (bits,) = arrays_of(answer.head["arrays"], answer.bodies)
            assert bits is not None
            plane |= np.unpackbits(bits, count=plane.size).reshape(plane.shape)
        return [plane]

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
        return rows_by_x(self, dataset, layer, x, y, limit, cancel)

    def select(self, dataset: Dataset, layer: Layer, region: Region, crew: Crew) -> tuple[Chosen, ...]:
        """Raises BadInput: this process has no rows."""
        raise refused("rows in this process")

    @cached_property
    def _types(self) -> tuple[np.dtype[Any], np.dtype[Any]]:
        x, y = (axis.slice(0, 0)[0].dtype for axis in self.axes)
        return x, y

    def _columns(self, low: Number, high: Number, width: int, parts: Sequence[Part], cancel: Cancel) -> Columns:
        check_window(low, high, "x")
        begun = time.perf_counter()
        bins = Bins(low, high, width, name="x0")
        picks = self._window_picks({"columns": [bins.low, bins.high, width]}, width, parts, cancel)
        size = len(picks.positions)
        cost = Cost(0, microseconds(time.perf_counter() - begun), 0, size, size * self._row_bytes)
        flagged = picks.flagged.tolist()
        return Columns(picks.columns, picks.runs, picks.positions, picks.x, picks.y, width, flagged, self.axes, cost)

    @property
    def _row_bytes(self) -> int:
        return sum(each.itemsize for each in self._types)

    def _drawn(self, key: TileKey, parts: Sequence[Part], cancel: Cancel) -> Drawn:
        begun = time.perf_counter()
        plane, rows = self._plane(key, parts, cancel)
        drawn = time.perf_counter()
        encoded = encode_values(plane, plane > 0)
        encode_us = microseconds(time.perf_counter() - drawn)
        return Drawn((encoded,), Cost(0, microseconds(drawn - begun), encode_us, rows, rows * self._row_bytes))

    def _plane(self, key: TileKey, parts: Sequence[Part], cancel: Cancel) -> tuple[Array, int]:
        """The plane of a tile, and the rows that it is drawn from."""
        place = [key.zx, key.zy, key.i, key.j]
        if parts is self.parts:
            answers = self.batches.ask(key, self._told, dict(self.indexed), cancel)
        else:
            asked = {"ask": "line_tiles", "keys": [place]}
            answers = [tiles_of(answer)[0] for answer in self.ask(asked, cancel, parts)]
        picks = self._joined(answers, {"tile": place}, SIDE, parts, cancel)
        return draw_picks(picks, (self.survey.x, self.survey.y), key)

    def _window_picks(self, window: Mapping[str, Any], width: int, parts: Sequence[Part], cancel: Cancel) -> Picks:
        """The picks of a window's columns, of the rows of some parts."""
        answers = self.ask({"ask": "line_picks", **window}, cancel, parts)
        return self._joined(answers, window, width, parts, cancel)

    def _joined(
        self, answers: Sequence[Answer], window: Mapping[str, Any], width: int, parts: Sequence[Part], cancel: Cancel
    ) -> Picks:
        """The picks of parts (one or more) as those of one line."""

        def ask(asked: Mapping[str, Any]) -> Sequence[Answer]:
            return self.ask({**asked, **window}, cancel, parts)

        picks = joined_line([PartPicks.of(answer.head, answer.bodies[0]) for answer in answers], width, ask)
        if len(parts) == len(self.parts) or not is_sorted(self):
            return picks
        return without_bridges(picks, parts, self.parts)

    @property
    def _ends(self) -> list[list[Any]] | None:
        """The first row and the last two of each part that has some, in the order of x; None where rows of parts lie
        between each other."""
        ends = [each for part in self.parts if (each := self.found[part]["ends"])]
        ends.sort(key=lambda each: (each[0][0], each[0][2]))
        follow = all((one[-1][0], one[-1][2]) < (two[0][0], two[0][2]) for one, two in pairwise(ends))
        return ends if follow else None

    def _filled(
        self, plane: Array, chosen: Array, window: Mapping[str, Any], bins: tuple[Bins, Bins], cancel: Cancel
    ) -> None:
        """Draw all rows of columns into an image, some columns at a time. Raises TooLarge for too many rows, in one
        column or in all."""
        told = {"ask": "line_columns", **window}
        counts = [
            answer_arrays(each)[0] for each in self.ask({**told, "chosen": chosen.tolist(), "values": False}, cancel)
        ]
        rows = np.sum(counts, axis=0)
        most = int(rows.max())
        if most > _MOST_AT_ONCE or int(rows.sum()) > _MOST_SENT:
            raise TooLarge(
                f"An image of this line needs {int(rows.sum()):,} rows from workers, {most:,} of them in one pixel "
                "column, since x is not in the order of the file and there are gaps in these columns: at most "
                f"{_MOST_SENT:,} are sent, and {_MOST_AT_ONCE:,} of a column. Ask for a narrower window.",
                "x0",
                int(rows.sum()),
            )
        for part in np.split(chosen, _cuts(rows.tolist(), _MOST_AT_ONCE)):
            plane |= _inked(*self._all_rows({**told, "chosen": part.tolist(), "values": True}, cancel), *bins, cancel)

    def _all_rows(self, asked: Mapping[str, Any], cancel: Cancel) -> tuple[Numbers, Numbers]:
        """All rows of some columns, with a gap between columns that do not follow each other."""
        found = [answer_arrays(answer) for answer in self.ask(asked, cancel)]
        x, y, known, numbers, columns = (np.concatenate([each[at] for each in found]) for at in range(5))
        order = np.lexsort((numbers, x))
        breaks = np.flatnonzero(np.diff(columns[order]) > 1) + 1
        order = np.insert(order, breaks, order[breaks])
        there = known[order]
        there[breaks + np.arange(len(breaks))] = False
        return Numbers(x[order]), Numbers(y[order], there)


def is_sorted(held: ClusterLayer) -> bool:
    """Whether x of a line that workers hold needed no sort, as far as the parts have told."""
    found = [each for part in held.parts if (each := held.found.get(part)) is not None]
    ends = [each["ends"] for each in found if each["ends"]]
    return all(each["sorted"] for each in found) and all(one[-1][0] <= two[0][0] for one, two in pairwise(ends))


def rows_by_x(
    held: ClusterLayer, dataset: Dataset, layer: Layer, x: Window, y: Window, limit: int, cancel: Cancel
) -> tuple[pa.Table, int]:
    """True rows of a half-open window over a line that workers hold, in x order."""
    answers = held.ask({"ask": "line_rows", "x": x, "y": y, "limit": limit}, cancel)
    found = [answer_arrays(answer) for answer in answers]
    xs, numbers = (np.concatenate([each[at] for each in found]) for at in range(2))
    chosen = numbers[np.lexsort((numbers, xs))][:limit]
    return rows_table(dataset, layer, chosen), sum(answer.head["matched"] for answer in answers)


def _cuts(sizes: Sequence[int], most: int) -> list[int]:
    """Where to cut things of some sizes so that no piece is larger than `most`, unless one thing is."""
    cuts, total = list[int](), 0
    for at, size in enumerate(sizes):
        if total and total + size > most:
            cuts.append(at)
            total = 0
        total += size
    return cuts


def _without_middles(picks: Picks) -> Picks:
    """Picks without what lies between the first and the last run of a column, which is no line of its own."""
    column, run = picks.columns, picks.runs
    starts = np.flatnonzero(np.append(True, column[1:] != column[:-1]))
    stops = np.append(starts[1:], len(column))
    sizes = stops - starts
    outer = (run == np.repeat(run[starts], sizes)) | (run == np.repeat(run[stops - 1], sizes))
    kept = np.flatnonzero(outer | ~np.isin(column, picks.flagged))
    return replace(
        picks, columns=column[kept], runs=run[kept], positions=picks.positions[kept], x=picks.x[kept], y=picks.y[kept]
    )


def _joints(ends: Sequence[Sequence[Any]], picks: Picks) -> tuple[Numbers, Numbers]:
    """What joins the parts of a line: the last two rows of one and the first of the next, with gaps between."""
    path: list[Any] = []
    for rows in ends:
        path += [rows[0], [rows[0][0], None, -1], *rows[1:]] if len(rows) == 3 else rows
    x = np.array([row[0] for row in path], picks.x.dtype)
    y = np.array([0 if row[1] is None else row[1] for row in path], picks.y.dtype)
    return Numbers(x), Numbers(y, np.array([row[1] is not None for row in path], np.bool_))


def _inked(x: Numbers, y: Numbers, x_bins: Bins, y_bins: Bins, cancel: Cancel) -> Array:
    return line_image(x, y, x_bins, y_bins, Presence(), cancel=cancel).values
