"""The cells of a target as they are answered: from accumulators of its blocks, wherever these were added up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.reductions.base import Planes, Reduction
from bigviz.common.cancel import NEVER, Cancel
from bigviz.tiles.answers.answer import Cost
from bigviz.tiles.answers.window_image import WindowImage
from bigviz.tiles.brush.linked import Heights
from bigviz.tiles.pyramid.accumulators import wire
from bigviz.wire.codec import SIDE, EncodedPlane

__all__ = ["CellPlanes"]


@dataclass(frozen=True)
class CellPlanes:
    """`planes` planes of `width` by `height` cells, of a reduction whose accumulators have a `dtype`; `block` gives
    those of a block of 256 x 256 cells, plane by plane."""

    reduction: Reduction
    dtype: np.dtype[Any]
    planes: int
    width: int
    height: int
    block: Callable[[int], Planes]

    @property
    def blocks(self) -> int:
        """How many blocks a plane has."""
        return -(-self.width // SIDE) * -(-self.height // SIDE)

    def encoded(self, block: int, cancel: Cancel = NEVER) -> list[EncodedPlane]:
        """The planes of one block as they are sent."""
        if self.reduction.category is None:
            return wire(self.reduction, self.block(block), cancel)
        return wire(self.reduction, self._stacked(block), cancel)

    def image(self, planes: list[EncodedPlane]) -> WindowImage:
        """An image, of the planes of its blocks one after the other."""
        return WindowImage(self.width, self.height, self.planes, planes, Cost())

    def heights(self) -> Heights:
        """The finished values of one row of cells."""
        reduction = self.reduction.plane
        values, filled, rows = [], [], []
        for plane in range(self.planes):
            blocks = [self.block(plane * self.blocks + block) for block in range(self.blocks)]
            parts = tuple(
                np.concatenate([part[0] for part in each])[: self.width] for each in zip(*blocks, strict=True)
            )
            grid = reduction.finalize(parts)
            values.append(grid.values)
            filled.append(grid.filled)
            counts: npt.NDArray[Any] = parts[-1] if reduction.traits.parts[-1] == "count" else grid.filled
            rows.append(counts.astype(np.int64))
        if not values:
            empty = np.empty((0, self.width))
            return Heights(empty, empty.astype(np.bool_), empty.astype(np.int64))
        return Heights(np.stack(values), np.stack(filled), np.stack(rows))

    def _stacked(self, block: int) -> Planes:
        found = [self.block(plane * self.blocks + block) for plane in range(self.planes)]
        if not found:
            return self.reduction.create((SIDE, SIDE), self.dtype, 0)
        return tuple(np.stack(each) for each in zip(*found, strict=True))
