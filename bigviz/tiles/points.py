"""A layer of points, built: its rows in order and its pyramid."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy.typing as npt

from bigviz.aggregate.reductions import By, Mean
from bigviz.data.cancel import NEVER, Cancel
from bigviz.tiles.axis import Axis
from bigviz.tiles.order import Order
from bigviz.tiles.planes import finished, revive, wire
from bigviz.tiles.pyramid import Pyramid
from bigviz.tiles.scan import TileKey
from bigviz.tiles.tile import Cost, Tile

__all__ = ["PointsLayer"]


@dataclass(frozen=True)
class PointsLayer:
    """Everything that answers for a layer of points. Nothing of it changes once it is built."""

    x: Axis
    y: Axis
    order: Order
    pyramid: Pyramid

    @property
    def nbytes(self) -> int:
        """Bytes held, without the order, which layers share."""
        return self.pyramid.nbytes

    def tile(self, key: TileKey, cancel: Cancel = NEVER) -> Tile:
        """One tile, from the pyramid or from its rows."""
        inputs = self.pyramid.inputs
        exact = partial(self.arrays, key)
        kept = self.pyramid.kept(key)
        begun = time.perf_counter()
        if kept is not None and not isinstance(_inner(inputs.reduction), Mean):
            return Tile(key, list(kept.values), Cost(bytes=sum(len(plane.payload) for plane in kept.values)), exact)
        if kept is not None:
            planes, rows = revive(inputs.reduction, kept, inputs.dtype), 0
        else:
            planes, rows = self.pyramid.scan(key, cancel)
        summed = time.perf_counter()
        encoded = wire(inputs.reduction, planes)
        cost = Cost(0, _us(summed - begun), _us(time.perf_counter() - summed), rows, rows * inputs.row_bytes)
        cost = replace(cost, bytes=cost.bytes + sum(len(plane.payload) for plane in encoded))
        return Tile(key, encoded, cost, exact)

    def arrays(self, key: TileKey) -> list[npt.NDArray[Any]]:
        """The tile's finished planes, from its exact accumulators."""
        inputs = self.pyramid.inputs
        kept = self.pyramid.kept(key)
        planes = revive(inputs.reduction, kept, inputs.dtype) if kept is not None else self.pyramid.scan(key, NEVER)[0]
        return finished(inputs.reduction, planes, inputs.own)


def _inner(reduction: Any) -> Any:
    return reduction.inner if isinstance(reduction, By) else reduction


def _us(seconds: float) -> int:
    return round(seconds * 1e6)
