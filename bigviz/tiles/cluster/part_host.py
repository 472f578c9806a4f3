"""A worker's side: parts of tables, and the engine of one machine over each, which answers for its rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy.typing as npt
import pyarrow as pa

from bigviz import __version__
from bigviz.aggregate.dyadic_cells import Root
from bigviz.aggregate.glyphs.bins import Bins
from bigviz.aggregate.reductions.base import Planes
from bigviz.aggregate.spaces import space
from bigviz.common.cancel import Cancel
from bigviz.common.errors import TooLarge
from bigviz.common.workers import Crew
from bigviz.data.columns.categories import Sorted, label_texts
from bigviz.data.dataset_slice import DatasetSlice, know_labels, own_labels
from bigviz.tiles.answers.points_layer import PointsLayer
from bigviz.tiles.answers.row_lookup import find_rows
from bigviz.tiles.answers.window_image import ordered_rows, window_planes
from bigviz.tiles.cluster.bars.part_bars import PartBars
from bigviz.tiles.cluster.brushes.part_brushes import PartBrushes
from bigviz.tiles.cluster.lines.part_lines import PartLines, line_facts, line_of
from bigviz.tiles.cluster.measured import Measured
from bigviz.tiles.cluster.messages import Answer, extent_facts, numbered, packed
from bigviz.tiles.cluster.planes.part_tiles import tile_of_part
from bigviz.tiles.cluster.question import Question
from bigviz.tiles.cluster.selections.part_selections import PartSelections
from bigviz.tiles.cluster.tables.opened_tables import OpenedTables
from bigviz.tiles.engine import Engine
from bigviz.tiles.grid.batches import Streamed
from bigviz.tiles.grid.survey import PairMeasures
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.morton.filtered_order import FilteredOrder
from bigviz.tiles.scans.scan_factory import extremes_of

__all__ = ["PROTOCOL", "PartHost", "labels_bytes", "labels_from"]

Array = npt.NDArray[Any]

PROTOCOL: Final = 3  # of these messages


class PartHost:
    """The parts of tables that one worker holds. Every method may be called from any thread."""

    def __init__(self, engine: Engine, threads: int) -> None:
        self._engine, self._threads = engine, threads
        self._selections, self._brushes = PartSelections(engine), PartBrushes(engine)
        self.tables = OpenedTables()
        measures = Measured({
            "own_labels": self._own_labels,
            "extent": self._extent,
            "bins": self._bins,
            "extremes": self._extremes,
            "bounds": self._bounds,
        })  # fmt: skip
        self._questions: dict[str, Callable[[Question], Answer]] = {
            **measures.questions,
            "ensure": self._ensure,
            "tiles": self._tiles,
            "image": self._image,
            "window": self._window,
            "rows": self._rows,
            **PartLines(engine).questions,
            **PartBars(engine).questions,
            **self._selections.questions,
            **self._brushes.questions,
        }

    def answer(self, asked: Answer, cancel: Cancel) -> Answer:
        """The answer to a question: what it lacks for it, if it does. Raises BigvizError."""
        head = asked.head
        what = head["ask"]
        if what == "hello":
            return Answer({"version": __version__, "protocol": PROTOCOL})
        if what == "open":
            self.tables.open(asked)
            return Answer({})
        part = self.tables.part(head["dataset"], *head["part"])
        if part is None:
            return Answer({"needs": "dataset"})
        if what == "forget":
            self._engine.forget(part)
            self._selections.forget(part.fingerprint)
            self._brushes.forget(part.fingerprint)
            self.tables.forget(part)
            return Answer({})
        if what == "know_labels":
            know_labels(part, head["column"], labels_from(asked.bodies[0]))
            return Answer({})
        lacking = [name for name in head.get("labels", ()) if not part.knows_labels(name)]
        if lacking:
            return Answer({"needs": "labels", "columns": lacking})
        try:
            return self._questions[what](Question(part, head, Crew(self._threads, cancel=cancel)))
        finally:
            self._selections.let_go()

    def _own_labels(self, asked: Question) -> Answer:
        found = own_labels(asked.part, asked.head["column"], asked.crew.cancel)
        return Answer({}, (labels_bytes(found.labels),))

    def _measures(self, asked: Question) -> PairMeasures:
        layer = asked.layer
        spaces = space(layer.xaxis, "x"), space(layer.yaxis, "y")
        return PairMeasures(Streamed(asked.part, (layer.x, layer.y), spaces), asked.crew)

    def _extent(self, asked: Question) -> Answer:
        given = asked.head["roots"]
        roots = None if given is None else (Root(*given[0]), Root(*given[1]))
        return Answer(extent_facts(self._measures(asked).extent(roots)))

    def _bins(self, asked: Question) -> Answer:
        head = asked.head
        found = self._measures(asked).bins(head["which"], Root(*head["root"]), head["spare"])
        facts, bodies = packed([found])
        return Answer({"arrays": facts}, bodies)

    def _extremes(self, asked: Question) -> Answer:
        return Answer({"found": self._measures(asked).extremes(asked.head["which"], Root(*asked.head["root"]))})

    def _bounds(self, asked: Question) -> Answer:
        return Answer({"found": extremes_of(asked.part, asked.head["column"], asked.crew)})

    def _ensure(self, asked: Question) -> Answer:
        layer, part, cancel = asked.layer, asked.part, asked.crew.cancel
        if asked.head["published"]:
            self._engine.publish(part, layer)
        self._engine.ensure(part, layer, cancel=cancel)
        with self._engine.answering(part, layer, cancel) as built:
            if layer.glyph != "points":
                return Answer(line_facts(line_of(built), part))
            order = _points(built, part).order
            return Answer({"kept": order.kept if isinstance(order, FilteredOrder) else part.num_rows})

    def _tiles(self, asked: Question) -> Answer:
        """The accumulators of several tiles."""
        keys, crew = [TileKey(*each) for each in asked.head["keys"]], asked.crew
        heads: list[dict[str, Any]] = [{} for _ in keys]
        bodies = [b"" for _ in keys]
        with self._engine.answering(asked.part, asked.layer, crew.cancel) as built:
            points = _points(built, asked.part)
            inputs = points.pyramid.inputs

            def draw(at: int) -> int:
                heads[at], bodies[at] = tile_of_part(points, keys[at], asked.part.offset, crew.cancel)
                return 0

            crew.run("drawing", draw, range(len(keys)), 0)
            return Answer({"tiles": heads, "dtype": inputs.dtype.str, "row_bytes": inputs.row_bytes}, bodies)

    def _image(self, asked: Question) -> Answer:
        head, cancel = asked.head, asked.crew.cancel
        (x0, x1, width), (y0, y1, height) = head["x"], head["y"]
        x, y = Bins(x0, x1, width, name="x0"), Bins(y0, y1, height, name="y0")
        with self._engine.answering(asked.part, asked.layer, cancel) as built:
            points = _points(built, asked.part)
            planes = points.image_planes(x, y, cancel)
            return _planes_answer(points, planes, asked.part, 0)

    def _window(self, asked: Question) -> Answer:
        head, cancel = asked.head, asked.crew.cancel
        x, y, size = (tuple(head[name]) for name in ("x", "y", "size"))
        with self._engine.answering(asked.part, asked.layer, cancel) as built:
            points = _points(built, asked.part)
            inputs = points.pyramid.inputs
            rows = ordered_rows(points.order, inputs, x, y, cancel)
            planes, read = window_planes(rows, inputs.reduction, inputs.dtype, inputs.labels, x, y, size, cancel)
            return _planes_answer(points, planes, asked.part, read)

    def _rows(self, asked: Question) -> Answer:
        """The first rows of a half-open window, by their keys, and its far rows: their numbers, and with `values` what
        marks need of the former."""
        head, cancel = asked.head, asked.crew.cancel
        x, y = tuple(head["x"]), tuple(head["y"])
        with self._engine.answering(asked.part, asked.layer, cancel) as built:
            points = _points(built, asked.part)
            order, inputs = points.order, points.pyramid.inputs
            found = find_rows(order, x, y, head["limit"], cancel)
            at = found.positions
            arrays: list[Array | None] = [order.row_numbers(at) + asked.part.offset, found.far + asked.part.offset]
            arrays.append(order.guard.keys.take(at))
            if head["values"]:
                rows = inputs.rows(at)
                arrays += [order.numbers(0, at), order.numbers(1, at), rows.values, rows.valid, rows.codes]
            facts, bodies = packed(arrays)
            return Answer({"arrays": facts, "matched": found.matched}, bodies)


def _points(built: object, part: DatasetSlice) -> PointsLayer:
    if not isinstance(built, PointsLayer):
        raise TooLarge(
            f"A worker has no memory for the index of its {part.num_rows:,} rows of {part.name!r}: more workers hold "
            "fewer rows each.",
            "dataset",
            part.num_rows,
        )
    return built


def _planes_answer(points: PointsLayer, planes: Planes, part: DatasetSlice, read: int) -> Answer:
    inputs = points.pyramid.inputs
    facts, bodies = packed(numbered(inputs.reduction, planes, part.offset))
    return Answer({"arrays": facts, "dtype": inputs.dtype.str, "rows": read, "row_bytes": inputs.row_bytes}, bodies)


def labels_bytes(labels: pa.Array) -> bytes:
    """The labels of a category, in their own type, as bytes."""
    batch = pa.record_batch([labels], ["labels"])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue())


def labels_from(body: bytes) -> Sorted:
    """The labels that `labels_bytes` told of."""
    with pa.ipc.open_stream(body) as reader:
        batches: Sequence[pa.RecordBatch] = list(reader)
    labels = batches[0].column(0)
    return Sorted(labels, tuple(label_texts(labels)))
