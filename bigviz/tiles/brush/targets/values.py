"""What a reduction reads of each row, in a source's order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from bigviz.common.jit import frozen
from bigviz.data.columns.column import widen
from bigviz.tiles.brush.orders.position_ranges import Picked
from bigviz.tiles.brush.targets.fixed_point import FixedPoint
from bigviz.tiles.brush.targets.kernels import leave_out

__all__ = ["Values"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Values:
    """Values of all rows, in a source's order. Integers have `valid` (uint8) where some are null."""

    values: Array
    valid: Array | None = None
    fixed: FixedPoint | None = None

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return int(self.values.nbytes) + (0 if self.valid is None else int(self.valid.nbytes))

    def at(self, picked: Picked, cells: Array) -> Array:
        """The values of some rows, in one of the four types of kernels; cells of rows without one become -1."""
        if self.valid is not None:
            leave_out(picked.take(self.valid), cells)
        return frozen(widen(picked.take(self.values)))
