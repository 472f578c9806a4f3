"""Histograms of the axis numbers of rolled-over rows: roots are of all rows ever appended."""

from __future__ import annotations

from bigviz.aggregate.axis import in_space
from bigviz.aggregate.spaces import Space, space
from bigviz.common.cancel import Cancel
from bigviz.data.columns.magnitudes import Magnitudes
from bigviz.data.dataset import Dataset
from bigviz.tiles.grid.order_spec import OrderSpec
from bigviz.tiles.grid.survey import numbers_of

__all__ = ["LostNumbers", "lost_numbers"]

LostNumbers = tuple[Magnitudes, Magnitudes]
"""On x, and on y."""


def lost_numbers(dataset: Dataset, spec: OrderSpec, cancel: Cancel) -> LostNumbers:
    """Those of all rows that a version lacks. A row that is a number on one axis only counts for that one, since it is
    not known any more which were a row. Raises what reading does, and Cancelled."""
    x, y = space(spec.xaxis, "x"), space(spec.yaxis, "y")
    return _lost(dataset, spec.x, x, cancel), _lost(dataset, spec.y, y, cancel)


def _lost(dataset: Dataset, name: str, axis: Space, cancel: Cancel) -> Magnitudes:
    if not dataset.first_row or axis.root is not None:
        return Magnitudes()
    values, weights = dataset.gone(name, cancel).points
    numbers, known = numbers_of(*in_space(axis, values, None))
    return Magnitudes.of(numbers, weights) if known is None else Magnitudes.of(numbers[known], weights[known])
