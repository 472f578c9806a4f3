"""What a brush is of, and its shapes, as JSON, which reads numbers back as they were."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, astuple
from typing import Any

import numpy as np

from bigviz.aggregate.layer import Layer
from bigviz.tiles.brush.asked import Asked
from bigviz.tiles.brush.linked import (
    BarTarget,
    BoxSource,
    HistogramTarget,
    LabelSource,
    LineTarget,
    OtherBrush,
    RasterTarget,
    RasterView,
    Source,
    SpanSource,
    Target,
    TotalTarget,
)  # fmt: skip
from bigviz.tiles.brush.orders.shapes import Box, Labels, Shape, Span
from bigviz.tiles.cluster.messages import layer_of

__all__ = ["asked_facts", "asked_of", "shape_facts", "shape_of"]

LayerFacts = Callable[[Layer], Mapping[str, Any]]


def asked_facts(asked: Asked, layer: LayerFacts) -> dict[str, Any]:
    """A brush as JSON; `layer` tells of a layer with the roots of the whole table."""
    return {
        "source": _source_facts(asked.source, layer),
        "targets": [_target_facts(each, layer) for each in asked.targets],
        "others": [
            [_source_facts(each.source, layer), shape_facts(each.shape), sorted(each.spares)] for each in asked.others
        ],
    }


def asked_of(facts: Mapping[str, Any]) -> Asked:
    """The brush that `asked_facts` told of, over a part."""
    others = tuple(
        OtherBrush(_source_of(source), _some(shape_of(shape)), frozenset(spares))
        for source, shape, spares in facts["others"]
    )
    return Asked(_source_of(facts["source"]), tuple(_target_of(each) for each in facts["targets"]), others)


def shape_facts(shape: Shape | None) -> list[Any] | None:
    """A shape as JSON; None is one that all rows are in."""
    if shape is None:
        return None
    if isinstance(shape, Labels):
        return ["labels", sorted(_plain(each) for each in shape.codes)]
    if isinstance(shape, Span):
        return ["span", _plain(shape.low), _plain(shape.high)]
    return ["box", [_plain(each) for each in shape.x], [_plain(each) for each in shape.y]]


def shape_of(facts: list[Any] | None) -> Shape | None:
    """The shape that `shape_facts` told of."""
    if facts is None:
        return None
    kind, *told = facts
    if kind == "labels":
        return Labels(frozenset(told[0]))
    if kind == "span":
        return Span(told[0], told[1])
    return Box((told[0][0], told[0][1]), (told[1][0], told[1][1]))


def _source_facts(source: Source, layer: LayerFacts) -> dict[str, Any]:
    if isinstance(source, BoxSource):
        return {"kind": "box", "layer": layer(source.layer)}
    return {"kind": "span" if isinstance(source, SpanSource) else "labels", **asdict(source)}


def _source_of(facts: Mapping[str, Any]) -> Source:
    told = {name: each for name, each in facts.items() if name != "kind"}
    if facts["kind"] == "box":
        return BoxSource(layer_of(told["layer"]))
    return SpanSource(**told) if facts["kind"] == "span" else LabelSource(**told)


def _target_facts(target: Target, layer: LayerFacts) -> dict[str, Any]:
    if isinstance(target, LineTarget):
        window = [_plain(target.x0), _plain(target.x1), target.width]
        return {"kind": "line", "layer": layer(target.layer), "window": window}
    if isinstance(target, RasterTarget):
        return {"kind": "raster", "layer": layer(target.layer), "view": astuple(target.view)}
    if isinstance(target, HistogramTarget):
        return {"kind": "histogram", **asdict(target), "edges": [_plain(edge) for edge in target.edges]}
    return {"kind": "bar" if isinstance(target, BarTarget) else "total", **asdict(target)}


def _target_of(facts: Mapping[str, Any]) -> Target:
    told = {name: each for name, each in facts.items() if name != "kind"}
    if facts["kind"] == "line":
        return LineTarget(layer_of(told["layer"]), *told["window"])
    if facts["kind"] == "raster":
        return RasterTarget(layer_of(told["layer"]), RasterView(*told["view"]))
    if facts["kind"] == "histogram":
        return HistogramTarget(**{**told, "edges": tuple(told["edges"])})
    return BarTarget(**told) if facts["kind"] == "bar" else TotalTarget(**told)


def _plain(number: Any) -> Any:
    """A number as Python's own, which JSON has."""
    return number.item() if isinstance(number, np.generic) else number


def _some(shape: Shape | None) -> Shape:
    assert shape is not None
    return shape
