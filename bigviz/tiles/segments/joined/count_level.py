"""How many cells of a level hold how many rows, kept up with the rows that come and go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from bigviz.common.cancel import Cancel
from bigviz.render.level_values import LevelValues
from bigviz.tiles.pyramid.layer_columns import Inputs
from bigviz.tiles.segments.joined.cell_splice import distinct
from bigviz.tiles.segments.joined.keyed_rows import KeyedRows, shift_of

__all__ = ["Change", "CountLevel"]

Array = npt.NDArray[Any]


class Change(NamedTuple):
    """The keys of the rows that came and of those that went, in any order, and the rows that are there now. `inputs`
    has no columns."""

    added: Array
    gone: Array
    sources: Sequence[KeyedRows]
    inputs: Inputs
    cancel: Cancel


@dataclass(frozen=True, eq=False)
class CountLevel:
    """The different counts of a level, ascending, and how many cells have each."""

    level: int
    known: LevelValues

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return sum(array.nbytes for array in self.known)

    def after(self, change: Change) -> CountLevel:
        """The level after rows came and went. Raises Cancelled."""
        keys = np.concatenate([change.added, change.gone]) >> shift_of(self.level)
        signs = np.repeat([1, -1], [len(change.added), len(change.gone)])
        cells = distinct(keys)
        now = np.zeros(len(cells), np.int64)
        for each in change.sources:
            change.cancel.check()
            lows, highs = each.spans(cells, self.level)
            now += highs - lows
        before = now - np.bincount(np.searchsorted(cells, keys), signs, len(cells)).astype(np.int64)
        counts = np.concatenate([self.known.values, before, now])
        weights = np.repeat([-1, 1], len(cells))
        values, places = np.unique(counts, return_inverse=True)
        cells_with = np.bincount(places, np.append(self.known.weights, weights)).astype(np.int64)
        some = (cells_with != 0) & (values != 0)
        return CountLevel(self.level, LevelValues(values[some].astype(self.known.values.dtype), cells_with[some]))
