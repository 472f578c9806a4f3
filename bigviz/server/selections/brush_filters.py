"""Brushes over figures as one filter, for the rows that all of them hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from bigviz.common.bounded_repr import echoed
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.errors import BadInput
from bigviz.data.filters.parse import parse
from bigviz.data.filters.tree import ColumnName, Text
from bigviz.server.jobs.layer_ref import times_of
from bigviz.server.selections.requests import read_region
from bigviz.tiles.interface import Engine, Lasso

if TYPE_CHECKING:
    from bigviz.aggregate.layer import Layer
    from bigviz.data.dataset import Dataset

__all__ = ["Resolve", "under_brushes"]

_MOST: Final = 9
_MOST_LABELS: Final = 200
_SHAPES: Final = ("box", "range", "labels")

Resolve = Callable[[Any], tuple["Dataset", "Layer"]]


def under_brushes(
    dataset: Dataset, layer: Layer, brushes: Any, resolve: Resolve, engine: Engine, cancel: Cancel = NEVER
) -> Layer:
    """A layer of those of its rows that lie in brushes, `{definition, box | range | labels}`, and that the filters of
    the layers which these are over keep. Raises BadInput, and what `resolve` of a definition does."""
    if not isinstance(brushes, list) or len(brushes) > _MOST:
        raise BadInput(f"brushes is a list of at most {_MOST}, got {echoed(brushes, 60)}.", "brushes")
    terms = [layer.filter] if layer.filter else []
    for at, each in enumerate(brushes):
        path = f"brushes[{at}]"
        if not isinstance(each, Mapping) or len([name for name in _SHAPES if name in each]) != 1:
            raise BadInput(f"{path} is a definition with a box, a range or labels, got {echoed(each, 60)}.", path)
        of, under = resolve(each.get("definition"))
        if of is not dataset:
            raise BadInput(f"{path} is over {of.name!r}: brushes and rows are of one dataset.", path)
        terms += [under.filter] if under.filter else []
        term = _term(dataset, under, each, path, engine, cancel)
        if term is None:
            raise BadInput(
                f"{path} cannot be written as a filter: give 1 to {_MOST_LABELS} labels, or a box or a range over "
                "numbers, dates, stamps or labels.",
                path,
            )
        terms.append(term)
    return replace(layer, filter=str(parse(" and ".join(f"({term})" for term in dict.fromkeys(terms)))))


def _term(
    dataset: Dataset, layer: Layer, brush: Mapping[str, Any], path: str, engine: Engine, cancel: Cancel
) -> str | None:
    name = next(name for name in _SHAPES if name in brush)
    if name != "labels":
        region = read_region(name, brush[name], times_of(dataset, layer))
        return None if isinstance(region, Lasso) else engine.expression(dataset, layer, region, cancel)
    labels, kind = brush[name], dataset.info(layer.x).kind
    if not isinstance(labels, list) or not all(isinstance(each, str) for each in labels):
        raise BadInput(f"{path}.labels is a list of texts, got {echoed(labels, 60)}.", path)
    if not labels or len(labels) > _MOST_LABELS:
        return None
    known = set(dataset.labels(dataset.info(layer.x).label_column, cancel))
    for label in labels:
        if label not in known:
            raise BadInput(f"Column {layer.x!r} has no label {label[:60]!r}.", path, label[:60])
    words = labels if kind == "integer" else [label.lower() if kind == "bool" else str(Text(label)) for label in labels]
    return f"{ColumnName(layer.x)} in ({', '.join(words)})"
