"""Rows of a part that were given other values: they are taken out of it, and sorted in again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy.typing as npt

from bigviz.common.workers import Crew
from bigviz.data.dataset import Dataset
from bigviz.tiles.grid.near_runs import near_runs
from bigviz.tiles.grid.order_spec import OrderSpec
from bigviz.tiles.segments.column_pieces import read_numbers
from bigviz.tiles.segments.part_layer import PartLayer, column_of, layer_of
from bigviz.tiles.segments.remaking import merge, spliced, without
from bigviz.tiles.segments.row_part import Numbers, RowPart, among, joined, part_of

__all__ = ["corrected", "numbers_at"]

Array = npt.NDArray[Any]

_FEW: Final = 1 << 12  # rows that are put into copies of the arrays one by one
_NEAR: Final = 1 << 12  # rows between two that were corrected, which are read along


def numbers_at(dataset: Dataset, spec: OrderSpec, rows: Array, crew: Crew) -> Numbers:
    """Those of some rows (numbers, ascending) that are numbers on both axes."""
    again = [read_numbers(dataset, spec, int(run[0]), int(run[-1]) + 1, crew) for run in near_runs(rows, _NEAR)]
    near = joined(again)
    keep = among(near.rows, rows)
    return Numbers(near.rows[keep], near.x[keep], near.y[keep])


def corrected(part: RowPart, rows: Array, numbers: Numbers, dataset: Dataset, crew: Crew) -> RowPart:
    """A part after some of its rows (numbers, ascending) were given other values, with its columns and layers, but not
    what filters kept of it: they are asked again. `numbers` are what `numbers_at` gives of the rows."""
    whole = {name: each for name, each in tuple(part.layers.items()) if not isinstance(each, RowPart)}
    new = part_of(part.first, part.stop, numbers, part.order.roots, crew)
    for name in whole:
        if isinstance(name, str):
            column_of(new, dataset, name, crew)
    for layer in [each for each in whole.values() if isinstance(each, PartLayer)]:
        inputs = layer.inputs
        labels = inputs.labels
        if layer.layer.reduction.category is not None:
            labels = dataset.labels(layer.layer.reduction.category, crew.cancel)
        layer_of(new, layer.layer, inputs.dtype, inputs.own, labels, (layer.points.x, layer.points.y))
    old = replace(part, layers=whole)
    if len(rows) <= _FEW:
        return spliced(old, rows, new)
    return merge((without(old, part.first, part.stop, rows, crew), new), part.order.roots, crew)
