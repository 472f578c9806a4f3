"""The rows of a table that an order does not hold, and their values: read once for all filters of a column."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from bigviz.common.workers import SLICE, Crew, slices
from bigviz.data.filters.cells import Cells
from bigviz.tiles.grid.row_filter import RowFilter
from bigviz.tiles.morton.order import Order

__all__ = ["LooseRows", "loose_rows"]

Mask = npt.NDArray[np.bool_]

_MOST: Final = 1 << 22  # rows that are kept so: they are few, or no better than the table


@dataclass(frozen=True, eq=False)
class LooseRows:
    """The numbers (int64, ascending) of rows without a place and of far rows. Safe to use from any number of
    threads."""

    numbers: npt.NDArray[np.int64]
    _cells: dict[str, Cells] = field(default_factory=dict, init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    @property
    def nbytes(self) -> int:
        """Bytes held, but for what little else a filter has to know of values."""
        return self.numbers.nbytes + sum(cells.values.nbytes for cells in list(self._cells.values()))

    def mask(self, keep: RowFilter) -> Mask | None:
        """Which of them a filter keeps; None where the values of a column have to be seen as a whole. Raises what
        reading these rows does."""
        with self._lock:
            for name in keep.names:
                if name not in self._cells:
                    found = keep.cells(name, self.numbers)
                    if found is None:
                        return None
                    self._cells[name] = found
            return keep.predicate.mask(self._cells.__getitem__, len(self.numbers))


def loose_rows(order: Order, crew: Crew) -> LooseRows | None:
    """The rows that an order does not hold, found once; None for too many."""
    rows, held = order.survey.rows, len(order.guard)
    if rows - held > _MOST:
        return None
    if not order.loose and rows == held:
        order.loose.append(LooseRows(np.empty(0, np.int64)))
    if not order.loose:
        lacking = np.ones(rows, np.bool_)

        def look(piece: tuple[int, int]) -> int:
            lacking[order.numbered.take(slice(*piece))] = False
            return piece[1] - piece[0]

        crew.run("filtering rows", look, slices(held), held)
        parts = [np.flatnonzero(lacking[at : at + SLICE]) + at for at in range(0, rows, SLICE)]
        order.loose.append(LooseRows(np.concatenate([np.empty(0, np.int64), *parts])))
    found: LooseRows = order.loose[0]
    return found
