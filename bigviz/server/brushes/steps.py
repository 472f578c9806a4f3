"""The steps of one connection's brush: what it is of, and its targets as frames. Everything here blocks."""

from __future__ import annotations

import json
import time
from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from bigviz.aggregate.layer import Layer
from bigviz.common.cancel import Cancel
from bigviz.common.errors import BadInput
from bigviz.data.dataset import Dataset
from bigviz.data.filters.selected import time_value
from bigviz.document.controls.number_expression import parsed_number
from bigviz.server.brushes.cell_budget import CellBudget
from bigviz.server.brushes.wanted import AskedBrush, ShapeWant, TargetWant
from bigviz.server.controls.figure_values import FigureValue, figure_json
from bigviz.server.jobs.encoded import bars_message, columns_message
from bigviz.server.jobs.layer_ref import times_of
from bigviz.server.request_values import interval, window_of
from bigviz.tiles.interface import (
    Bars,
    BarTarget,
    Box,
    BoxSource,
    Brush,
    Brushed,
    Engine,
    HistogramTarget,
    Labels,
    LabelSource,
    LineTarget,
    OtherBrush,
    RasterTarget,
    RasterView,
    Shape,
    Source,
    Span,
    SpanSource,
    Step,
    Target,
    TotalTarget,
)
from bigviz.wire.frames import Part, Type, dump
from bigviz.wire.images import image_parts

if TYPE_CHECKING:
    from bigviz.tiles.interface import Number

__all__ = ["Answer", "HeldBrush"]

_MOST_KEPT: Final = 64  # bars whose places are known


@dataclass(frozen=True)
class Answer:
    """A target under the brush, laid out for the wire."""

    kind: Type
    parts: list[Part]
    figure: int
    layer: int


@dataclass(frozen=True)
class _Target:
    """A target as the engine has it, and the bars that its heights stand in."""

    want: TargetWant
    target: Target
    bars: Bars | None = None
    order: tuple[int, ...] | None = None
    window: tuple[Number, Number] = (0, 1)


class HeldBrush:
    """The brush of a connection. One call at a time, from any thread; `close` at any time."""

    def __init__(self, engine: Engine, budget: CellBudget) -> None:
        self._engine, self._budget = engine, budget
        self._brush: Brush | None = None
        self._key: Hashable = None
        self._targets: list[_Target] = []
        self._numbers: tuple[tuple[str, TotalTarget], ...] = ()
        self._dataset: Dataset | None = None
        self._bars_of: dict[Hashable, Bars] = {}
        self._cancel = Cancel()

    @property
    def prepared(self) -> bool:
        """Whether its steps are as exact as they will be."""
        return self._brush is not None and self._brush.prepared

    def close(self) -> None:
        """Give everything back."""
        self._cancel.cancel()
        if self._brush is not None:
            self._brush.close()
        self._budget.free(self)

    def begin(self, asked: AskedBrush, cancel: Cancel) -> Brush:
        """The brush that is asked for, which is the one before if that differs in its shape or in what targets show;
        it may not be prepared yet. Raises BadInput, what the budget raises, and what the engine does."""
        source = _brushed(asked)
        others = tuple(
            OtherBrush(
                _source(asked.dataset, layer),
                _shape(asked.dataset, layer, want.shape),
                frozenset(at for at, (target, _) in enumerate(asked.targets) if not want.filters(target.figure)),
            )
            for want, layer in asked.others
        )
        targets = [self._target(asked.dataset, want, layer, cancel) for want, layer in asked.targets]
        layers = tuple((want.figure, want.layer, layer) for want, layer in asked.targets)
        self._budget.hold(self, sum(_cells(asked.dataset, each.target) for each in targets))
        if self._cancel.cancelled:
            self._budget.free(self)
        key = (asked.dataset.fingerprint, asked.dataset.version, source, others, layers, asked.numbers)
        if self._brush is None or self._key != key:
            if self._brush is not None:
                self._brush.close()
            all_targets = [*(each.target for each in targets), *(total for _, total in asked.numbers)]
            self._brush = self._engine.brush(asked.dataset, source, all_targets, others)
            if self._cancel.cancelled:
                self._brush.close()
        elif self._brush.prepared:
            for at, (before, now) in enumerate(zip(self._targets, targets, strict=True)):
                if before.target != now.target:
                    self._brush.retarget(at, now.target, cancel)
                    self._targets[at] = now  # the next one may fail
        else:  # its targets are prepared as they were
            targets = self._targets
        self._key, self._targets, self._numbers, self._dataset = key, targets, asked.numbers, asked.dataset
        return self._brush

    def move(self, asked: AskedBrush, seq: int, cancel: Cancel) -> tuple[list[Answer], dict[str, Any]]:
        """The targets under the brush, and what `done` says. Raises BadInput, and what the engine raises."""
        assert self._brush is not None
        return self._told(self._brush.move(_brush(asked), cancel), seq)

    def settle(self, asked: AskedBrush, seq: int, cancel: Cancel) -> tuple[list[Answer], dict[str, Any]]:
        """The same, exact."""
        assert self._brush is not None
        step = self._brush.move(_brush(asked), cancel)
        return self._told(step if step.exact else self._brush.settle(cancel), seq)

    def _told(self, step: Step, seq: int) -> tuple[list[Answer], dict[str, Any]]:
        begun = time.perf_counter()
        shown = len(self._targets)
        answers = [_answer(*each, seq, step) for each in zip(self._targets, step.targets[:shown], strict=True)]
        done: dict[str, Any] = {**_costs(step), "brush": seq, "exact": step.exact, "selected": step.rows, "of": step.of}
        share = min((each.share for each in step.targets), default=1.0)
        if share < 1:
            done["share"] = share
        totals = zip(self._numbers, step.targets[shown:], strict=True)
        numbers = {name: _number(total, found, self._dataset) for (name, total), found in totals}
        if numbers:
            done["numbers"] = numbers
        done["encode_us"] += round(1e6 * (time.perf_counter() - begun))
        return answers, done

    def _target(self, dataset: Dataset, want: TargetWant, layer: Layer, cancel: Cancel) -> _Target:
        if layer.glyph == "points":
            if want.view is None:
                raise BadInput("A target of points has a view.", "targets")
            category = layer.reduction.category
            if category is not None and not dataset.labels(category, cancel):
                raise BadInput("A layer without categories shows no brush.", "targets")
            return _Target(want, RasterTarget(layer, RasterView(*want.view)))
        if layer.glyph == "bar":
            bars = self._bars(dataset, layer, (0, 1), cancel)
            if not bars.bins:
                raise BadInput("A bar chart without bars shows no brush.", "targets")
            column = dataset.info(layer.x).label_column
            places = {label: at for at, label in enumerate(dataset.labels(column, cancel))}
            order = tuple(places[name] for name in bars.names or ())
            return _Target(want, BarTarget(column, str(layer.reduction), layer.filter), bars, order)
        if want.columns is None:
            raise BadInput(f"A target of a {layer.glyph} has columns.", "targets")
        ends = {"x0": want.columns.x0, "x1": want.columns.x1}
        window = interval(ends.get, "x0", "x1", time=times_of(dataset, layer)[0])
        if layer.glyph == "line":
            return _Target(want, LineTarget(layer, *window, want.columns.width), None, None, window)
        bars = self._bars(dataset, layer, window, cancel)
        if not bars.bins:
            raise BadInput("A histogram without bins shows no brush.", "targets")
        edges = tuple(bars.edges.tolist())
        target = HistogramTarget(layer.x, edges, str(layer.reduction), _kind(layer), bars.closed, layer.filter)
        return _Target(want, target, bars, None, window)

    def _bars(self, dataset: Dataset, layer: Layer, window: tuple[Number, Number], cancel: Cancel) -> Bars:
        """Bars that stand where those of a layer do. Unless it decides their order, its filter says nothing about that:
        a layer that is not built, as for each value of a control, is not built for it."""
        if layer.glyph == "bar" and layer.sort != "label":
            return self._engine.bars(dataset, layer, *window, cancel)
        bare = replace(layer, filter="")
        key = (dataset.fingerprint, dataset.version, bare, window)
        if key not in self._bars_of:
            is_built = self._engine.readiness(dataset, layer) == "complete"
            found = self._engine.bars(dataset, layer if is_built else bare, *window, cancel)
            if len(self._bars_of) >= _MOST_KEPT:
                self._bars_of.clear()
            self._bars_of[key] = found
        return self._bars_of[key]


def _brushed(asked: AskedBrush) -> Source:
    """What the brush is over."""
    return _source(asked.dataset, asked.layer) if asked.drag is None else asked.drag.source


def _brush(asked: AskedBrush) -> Shape | None:
    """The brush; None: all rows."""
    if asked.drag is not None:
        return asked.drag.shape
    assert asked.shape is not None
    return _shape(asked.dataset, asked.layer, asked.shape)


def _cells(dataset: Dataset, target: Target) -> int:
    """How many cells a raster has, over all planes; other targets are small."""
    if not isinstance(target, RasterTarget):
        return 0
    category = target.layer.reduction.category
    planes = 1 if category is None else len(dataset.labels(category))
    return target.view.width * target.view.height * planes


def _kind(layer: Layer) -> str:
    """The space of x; times are numbers."""
    return "linear" if layer.xaxis == "datetime" else layer.xaxis


_SHAPE_OF: Final = {"points": "box", "line": "range", "histogram": "range", "bar": "labels"}
"""What a brush over each glyph is."""


def _source(dataset: Dataset, layer: Layer) -> Source:
    shape = _SHAPE_OF[layer.glyph]
    if shape == "box":
        return BoxSource(layer)
    if shape == "labels":
        return LabelSource(dataset.info(layer.x).label_column, layer.filter)
    return SpanSource(layer.x, _kind(layer), layer.filter)


def _shape(dataset: Dataset, layer: Layer, want: ShapeWant) -> Shape:
    wanted = _SHAPE_OF[layer.glyph]
    if want.kind != wanted:
        raise BadInput(f"A brush over {layer.glyph} is {wanted}, got {want.kind}.", want.kind)
    times = times_of(dataset, layer)
    if wanted == "box":
        given = dict(zip(("x0", "y0", "x1", "y1"), want.values, strict=True))
        return Box(*window_of(given.get, times))
    if wanted == "range":
        return Span(*interval(dict(zip(("x0", "x1"), want.values, strict=True)).get, "x0", "x1", time=times[0]))
    places = {label: at for at, label in enumerate(dataset.labels(dataset.info(layer.x).label_column))}
    for label in want.values:
        if label not in places:
            raise BadInput(f"Column {layer.x!r} has no label {label[:60]!r}.", "labels", label[:60])
    return Labels(frozenset(places[label] for label in want.values))


def _costs(step: Step) -> dict[str, int]:
    return {name: round(value) for name, value in asdict(step.cost).items()}


def _number(total: TotalTarget, found: Brushed, dataset: Dataset | None) -> FigureValue:
    """A live figure over the rows of a brush, as over those of a filter: a sum of none is 0, and times are texts."""
    heights = found.heights
    assert heights is not None and dataset is not None
    what, column = parsed_number(total.agg)
    if not heights.filled[0, 0]:
        return 0 if what in ("count", "sum") else None
    value = heights.values[0, 0].item()
    info = None if column is None else dataset.info(column)
    return figure_json(time_value(int(value), what, info.type) if info is not None and info.is_time else value)


def _answer(target: _Target, found: Brushed, seq: int, step: Step) -> Answer:
    want = target.want
    told = {"brush": seq, "exact": found.exact}
    if target.bars is not None and found.heights is not None:
        heights, order = found.heights, target.order
        columns = np.arange(target.bars.bins) if order is None else np.array(order, np.int64)
        values = heights.values[:, columns]
        values = values.astype(np.int64) if values.dtype == np.uint32 else values
        some = np.ones(values.shape, np.bool_) if target.bars.zero else heights.filled[:, columns]
        bars = replace(target.bars, values=values, filled=some, rows=heights.rows[:, columns], cost=step.cost)
        prepared = bars_message(bars, target.window, 1)
        return Answer(prepared.kind, _with(prepared.parts, told), want.figure, want.layer)
    if found.columns is not None:
        prepared = columns_message(found.columns, target.window, found.columns.width)
        return Answer(prepared.kind, _with(prepared.parts, told), want.figure, want.layer)
    assert found.image is not None and want.view is not None
    zx, zy, left, top, width, height = want.view
    info = {
        "window": [left, left + width, top, top + height],
        "width": width,
        "height": height,
        "planes": found.image.planes_per_block,
        **_costs(step),
        **told,
        "view": [zx, zy, left, top, width, height],
    }
    return Answer(Type.IMAGE, image_parts(info, found.image.planes), want.figure, want.layer)


def _with(parts: Sequence[Part], more: dict[str, Any]) -> list[Part]:
    """Parts whose JSON says more."""
    return [replace(part, json=dump({**json.loads(part.json), **more})) for part in parts]
