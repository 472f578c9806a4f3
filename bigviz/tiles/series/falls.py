"""Whether rows came in the order of x."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from bigviz.tiles.series.merged_rows import Piece

__all__ = ["Falls"]

Array = npt.NDArray[Any]


class Falls:
    """Where x falls from a row to the next one that has an x, in the order of row numbers. `last` is the number of the
    last row that a lower x follows (-1: none): rows above it came in order."""

    def __init__(self) -> None:
        self.last = -1
        self._x: Array | None = None  # of the row before
        self._row = -1

    @classmethod
    def of(cls, pieces: Iterable[Piece]) -> Self:
        """Of rows in another order."""
        found = list(pieces)
        out = cls()
        if found:
            rows = np.concatenate([piece.rows for piece in found])
            order = np.argsort(rows, kind="stable")
            out.add(np.concatenate([piece.x for piece in found])[order], rows[order])
        return out

    def add(self, x: Array, rows: npt.NDArray[np.int64]) -> None:
        """The next rows, by number."""
        if not len(x):
            return
        if self._x is not None and x[0] < self._x[0]:
            self.last = self._row
        falls = np.flatnonzero(x[1:] < x[:-1])
        if len(falls):
            self.last = int(rows[falls[-1]])
        self._x, self._row = x[-1:].copy(), int(rows[-1])
