"""The values of a level by a sample of its cells. Which cells are drawn depends on their places alone, so a version
recomputes only the drawn cells in which rows came or went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.cancel import Cancel
from bigviz.common.workers import slices
from bigviz.render.level_values import Level, LevelValues
from bigviz.tiles.pyramid.layer_columns import Inputs
from bigviz.tiles.pyramid.levels import values as sampling
from bigviz.tiles.pyramid.levels.summary import finite_values
from bigviz.tiles.pyramid.levels.values import key_zeros
from bigviz.tiles.segments.joined.cell_splice import distinct, spliced
from bigviz.tiles.segments.joined.drawn_part import DrawnPart, add_cells, cell_mask

__all__ = ["DrawnLevel", "drawn_level", "most_drawn", "most_kept"]

Array = npt.NDArray[Any]

_TIMES: Final = 3  # as many cells are kept as are needed: half of them may go before all rows are looked at again
_CELLS: Final = 1 << 17  # of all labels


def most_drawn(inputs: Inputs) -> int:
    """The cells of a sample, at most: fewer of many labels."""
    return min(sampling.MOST_SAMPLED, max(1, _CELLS // max(len(inputs.labels or ()), 1)))


def most_kept(inputs: Inputs) -> int:
    """The cells that are kept of a level, at most."""
    return _TIMES * most_drawn(inputs)


@dataclass(frozen=True, eq=False)
class DrawnLevel:
    """Cells with rows by ascending key, those whose hash ends with `floor` zeros or more, their values, and which are
    finite."""

    level: Level
    floor: int
    keys: Array
    zeros: Array
    numbers: Array
    filled: npt.NDArray[np.bool_]
    most: int

    @property
    def nbytes(self) -> int:
        """Bytes held, without the sample."""
        return sum(each.nbytes for each in (self.keys, self.zeros, self.numbers, self.filled))

    @property
    def is_lost(self) -> bool:
        """Whether cells with fewer zeros, which are not kept, would be in the sample."""
        return self.floor > 0 and len(self.keys) <= self.most

    @cached_property
    def known(self) -> LevelValues:
        """The values of the sample, ascending: of the cells with the fewest zeros that are not too many."""
        cells = np.bincount(self.zeros)[::-1].cumsum()[::-1]
        some = self.filled & (self.zeros >= np.count_nonzero(cells > self.most))
        return LevelValues(np.sort(self.numbers[some]), np.ones(int(some.sum()), np.int64))

    def after(self, came_or_went: Array, parts: Sequence[DrawnPart], inputs: Inputs, cancel: Cancel) -> DrawnLevel:
        """The level after rows with such keys came or went; the parts are those that are there now."""
        cells = distinct(came_or_went & cell_mask(self.level))
        zeros = key_zeros(cells)
        drawn = zeros >= self.floor
        cells, zeros = cells[drawn], zeros[drawn]
        numbers, filled, there = _values_now(parts, cells, inputs, cancel)
        places = spliced(self.keys, cells, there)
        held = (self.keys, cells), (self.zeros, zeros), (self.numbers, numbers), (self.filled, filled)
        keys, zeros, numbers, filled = (np.concatenate(each)[places] for each in held)
        return _bounded(DrawnLevel(self.level, self.floor, keys, zeros, numbers, filled, most_drawn(inputs)))


def drawn_level(level: Level, parts: Sequence[DrawnPart], inputs: Inputs, cancel: Cancel) -> DrawnLevel:
    """The level of parts."""
    floor = max((part.floor for part in parts), default=0)
    keys = distinct(np.concatenate([np.empty(0, np.uint64), *(part.risen(floor).keys for part in parts)]))
    found = [_values_now(parts, keys[:0], inputs, cancel)[:2]]
    step = max(1, _CELLS // max(len(inputs.labels or ()), 1))
    for start, stop in slices(len(keys), step):
        found.append(_values_now(parts, keys[start:stop], inputs, cancel)[:2])
    numbers, filled = (np.concatenate(each) for each in zip(*found[len(found) > 1 :], strict=True))
    return _bounded(DrawnLevel(level, floor, keys, key_zeros(keys), numbers, filled, most_drawn(inputs)))


def _bounded(level: DrawnLevel) -> DrawnLevel:
    floor, most = level.floor, _TIMES * level.most
    while np.count_nonzero(level.zeros >= floor) > most:
        floor += 1
    if floor == level.floor:
        return level
    some = level.zeros >= floor
    return replace(
        level,
        floor=floor,
        keys=level.keys[some],
        zeros=level.zeros[some],
        numbers=level.numbers[some],
        filled=level.filled[some],
    )


def _values_now(
    parts: Sequence[DrawnPart], cells: Array, inputs: Inputs, cancel: Cancel
) -> tuple[Array, npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """The values of cells (ascending), which are finite, and which have rows."""
    there = np.zeros(len(cells), np.bool_)
    planes = inputs.reduction.create((1, max(len(cells), 1)), inputs.dtype, len(inputs.labels or ()), cancel.check)
    for part in parts if len(cells) else ():
        cancel.check()
        if not len(part.keys):
            continue
        places = np.minimum(np.searchsorted(part.keys, cells), len(part.keys) - 1)
        some = part.keys[places] == cells
        if some.any():
            there |= some
            found = tuple(np.take(plane, places[some], axis=-1) for plane in part.planes)
            add_cells(inputs.reduction, planes, np.flatnonzero(some), found)
    numbers, filled = finite_values(inputs, planes, cancel)
    return numbers[: len(cells)], filled[: len(cells)], there
