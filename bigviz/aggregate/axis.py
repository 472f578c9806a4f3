"""A column in an axis space: the numbers that cells divide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.dyadic_cells import Root
from bigviz.aggregate.spaces import Space
from bigviz.data.columns.column import Column, widen

__all__ = ["Axis", "in_space"]

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Axis:
    """A column and the space it is shown in."""

    column: Column
    space: Space

    def __len__(self) -> int:
        return len(self.column)

    @property
    def fixed_root(self) -> Root | None:
        """The root that does not depend on the numbers, if the space has one."""
        return self.space.root

    @property
    def keeps_numbers(self) -> bool:
        """Whether the space's numbers are the column's own."""
        return self.space.forward is None

    def slice(self, start: int, stop: int) -> tuple[Array, npt.NDArray[np.bool_] | None]:
        """Axis-space numbers of rows `start` to `stop` (at most a slice) and where they are valid (None: everywhere).

        The numbers are float32, float64, int64 or uint64; floats may also hold NaN and infinities. Where the space
        has a root of its own, a number outside it has no place: it is NaN.
        """
        return self._map(*self.column.slice(start, stop))

    def at(self, rows: Array) -> tuple[Array, npt.NDArray[np.bool_] | None]:
        """The same for any rows, in the order given."""
        valid = self.column.valid
        return self._map(widen(self.column.values[rows]), None if valid is None else valid[rows])

    def _map(self, values: Array, valid: Array | None) -> tuple[Array, npt.NDArray[np.bool_] | None]:
        return in_space(self.space, values, valid)


def in_space(space: Space, values: Array, valid: Array | None) -> tuple[Array, npt.NDArray[np.bool_] | None]:
    """Column numbers (float32, float64, int64 or uint64) as the numbers of an axis in a space, as `Axis.slice` has
    them."""
    values, valid = space.map(values, valid)
    if space.root is not None:
        low, high = float(space.root.start), float(space.root.stop)
        values[(values < low) | (values >= high)] = np.nan
    return values, valid
