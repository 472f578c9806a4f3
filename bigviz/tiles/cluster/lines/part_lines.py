"""A worker's side: what its rows of a line have in the columns of a window or a tile, and its rows themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.glyphs.bins import Bins
from bigviz.data.dataset_slice import DatasetSlice
from bigviz.tiles.answers.layer_answers import LayerAnswers
from bigviz.tiles.answers.line_layer import LineLayer
from bigviz.tiles.bars.histogram import HistogramLayer
from bigviz.tiles.cluster.lines.part_picks import Keys, body_of, part_picks
from bigviz.tiles.cluster.lines.torn_columns import gaps_between, runs_between
from bigviz.tiles.cluster.messages import Answer, packed
from bigviz.tiles.cluster.question import Question
from bigviz.tiles.engine import Engine
from bigviz.tiles.grid.order_spec import far_of
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.grid.window import within
from bigviz.tiles.series.line import OneSeries
from bigviz.tiles.series.line_tiles import tile_bounds
from bigviz.tiles.series.m4 import column_bounds
from bigviz.tiles.series.merged_rows import MergedRows
from bigviz.tiles.series.part import Part
from bigviz.tiles.series.sorted_numbers import Positions

__all__ = ["PartLines", "line_facts", "line_of", "torn_gaps", "torn_runs"]

Array = npt.NDArray[Any]


class PartLines:
    """Safe to use from any number of threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def questions(self) -> dict[str, Callable[[Question], Answer]]:
        """What is answered here, by the names of questions."""
        return {
            "line_tiles": self._tiles,
            "line_picks": self._picks,
            "line_gaps": self._gaps,
            "line_runs": self._runs,
            "line_image": self._image,
            "line_columns": self._columns,
            "line_rows": self._rows,
        }

    @contextmanager
    def _line(self, asked: Question) -> Iterator[tuple[LineLayer, Part]]:
        """The line, and its rows, which have the numbers of the whole table."""
        with self._engine.answering(asked.part, asked.layer, asked.crew.cancel) as built:
            line = line_of(built)
            yield line, _part(line, asked.part)

    def _tiles(self, asked: Question) -> Answer:
        """The picks of several tiles."""
        told = []
        with self._line(asked) as (_, part):
            for key in asked.head["keys"]:
                asked.crew.look()
                told.append(part_picks(part, _bounds(part, asked, {"tile": key})).told())
        heads, bodies = [head for head, _ in told], [body for _, body in told]
        return Answer({"tiles": heads, "dtype": part.series.y.dtype.str, "row_bytes": 0}, bodies)

    def _picks(self, asked: Question) -> Answer:
        """The picks of the columns of a window."""
        with self._line(asked) as (_, part):
            head, body = part_picks(part, _bounds(part, asked, asked.head)).told()
            return Answer(head, (body,))

    def _gaps(self, asked: Question) -> Answer:
        """Of torn columns the rows without a y next to the first and the last value."""
        head = asked.head
        with self._line(asked) as (_, part):
            return torn_gaps(part, _bounds(part, asked, head), head)

    def _runs(self, asked: Question) -> Answer:
        """What is drawn of torn columns."""
        head = asked.head
        with self._line(asked) as (_, part):
            return torn_runs(part, _bounds(part, asked, head), head)

    def _image(self, asked: Question) -> Answer:
        """The image of the part's rows, a bit a cell."""
        (x0, x1, width), (y0, y1, height) = asked.head["x"], asked.head["y"]
        with self._line(asked) as (line, _):
            x, y = Bins(x0, x1, width, name="x0"), Bins(y0, y1, height, name="y0")
            (plane,) = line.image(asked.part, x, y, asked.crew.cancel)
        facts, bodies = packed([np.packbits(plane)])
        return Answer({"arrays": facts}, bodies)

    def _columns(self, asked: Question) -> Answer:
        """How many rows there are in some columns of a window, and with `values` these rows and which column each is
        in."""
        head = asked.head
        chosen = np.array(head["chosen"], np.int64)
        with self._line(asked) as (_, part):
            bounds = _bounds(part, asked, head)
            low, high = bounds[chosen], bounds[chosen + 1]
            if not head["values"]:
                facts, body = body_of([high - low])
                return Answer({"arrays": facts}, (body,))
            breaks = np.flatnonzero(low[1:] != high[:-1]) + 1  # columns that follow each other are one range
            firsts, stops = low[np.append(0, breaks)], high[np.append(breaks - 1, len(high) - 1)]
            nothing = np.empty(0, np.bool_), np.empty(0, np.int64)
            found: list[tuple[Array, Array, Array, Array]] = [(part.series.x.slice(0, 0), part.series.y[:0], *nothing)]
            for first, stop in zip(firsts.tolist(), stops.tolist(), strict=True):
                asked.crew.look()
                if first == stop:
                    continue
                piece = MergedRows([part], (first,), (stop,)).slice(0, stop - first)
                known = np.ones(len(piece.x), np.bool_) if piece.known is None else piece.known
                found.append((piece.x, piece.y, known, piece.rows))
            arrays = [np.concatenate([each[at] for each in found]) for at in range(4)]
            facts, body = body_of([*arrays, np.repeat(chosen.astype(np.int32), high - low)])
        return Answer({"arrays": facts}, (body,))

    def _rows(self, asked: Question) -> Answer:
        """The first rows of a half-open window, in the order of x: x and numbers, and how many there are."""
        head = asked.head
        xs: list[Array] = []
        rows: list[Array] = []
        matched = 0
        with self._line(asked) as (line, part):
            for batch in line.line.batches(*head["x"]):
                asked.crew.look()
                inside = within(batch.y, *head["y"])
                if batch.known is not None:
                    inside &= batch.known
                places = np.flatnonzero(inside)
                few = places[: max(head["limit"] - matched, 0)]
                xs.append(batch.x[few])
                rows.append(batch.numbers(few) + part.base)
                matched += len(places)
            xs.append(part.series.x.slice(0, 0))
        rows.append(np.empty(0, np.int64))
        facts, body = body_of([np.concatenate(xs), np.concatenate(rows)])
        return Answer({"matched": matched, "arrays": facts}, (body,))


def torn_gaps(part: Part, bounds: Positions, head: Mapping[str, Any]) -> Answer:
    """Of torn columns, separated by `bounds`, the rows without a y next to the first and the last value of all."""
    first, last = (_keys(part, head[end]) for end in ("first", "last"))
    found = gaps_between(part, *_torn(bounds, head), first, last)
    facts, body = body_of([each for keys, there in found for each in (keys.x, keys.rows, there)])
    return Answer({"arrays": facts}, (body,))


def torn_runs(part: Part, bounds: Positions, head: Mapping[str, Any]) -> Answer:
    """What is drawn of torn columns, separated by `bounds`."""
    opening, closing = (_keys(part, head[end]) for end in ("opening", "closing"))
    found = runs_between(part, *_torn(bounds, head), opening, closing)
    facts, body = body_of([found.x, found.rows, found.y, found.known])
    return Answer({"arrays": facts}, (body,))


def _torn(bounds: Positions, head: Mapping[str, Any]) -> tuple[Positions, Positions]:
    columns = np.array(head["torn"], np.int64)
    return bounds[columns], bounds[columns + 1]


def line_of(built: LayerAnswers) -> LineLayer:
    """A layer's line: a histogram has one of its column over itself."""
    line = built.line if isinstance(built, HistogramLayer) else built
    assert isinstance(line, LineLayer)
    return line


def line_facts(line: LineLayer, rows: DatasetSlice) -> dict[str, Any]:
    """What a server has to know of a part's line: how many rows its filter keeps, whether x needed no sort, and the
    first row and the last two in the order of x, each as x, y (None: there is none) and number."""
    part = _part(line, rows)
    size = len(part)
    places = np.array(sorted({0, size - 2, size - 1} & set(range(size))), np.int64)
    ends = []
    for place, x, row in zip(
        places.tolist(), part.series.x.at(places).tolist(), part.numbers(places).tolist(), strict=True
    ):
        y, known = part.series.heights(place, place + 1)
        there = bool(y[0] == y[0]) if known is None else bool(known[0])
        ends.append([x, y[0].item() if there else None, row])
    kept = rows.num_rows if line.kept is None else line.kept
    return {"kept": kept, "sorted": line.line.sorted, "rows": size, "ends": ends}


def _part(line: LineLayer, rows: DatasetSlice) -> Part:
    assert isinstance(line.line, OneSeries)
    return Part(line.line.series, rows.offset, 0, line, 0)


def _bounds(part: Part, asked: Question, window: Mapping[str, Any]) -> Positions:
    """The positions that separate the columns of a window, or of a tile."""
    if "tile" in window:
        roots = far_of(asked.layer.root)
        assert isinstance(roots, tuple)
        return tile_bounds(part.series.x, roots[0], TileKey(*window["tile"]))
    return column_bounds(part.series.x, *window["columns"])


def _keys(part: Part, told: list[Any]) -> Keys:
    x, rows = told
    return Keys(np.array(x, part.series.x.dtype), np.array(rows, np.int64))
