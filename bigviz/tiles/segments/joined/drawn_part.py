"""The accumulators of some cells of a level, of the rows of one part: which never change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.reductions.base import Planes, Reduction
from bigviz.common.cancel import Cancel
from bigviz.common.jit import frozen, jit
from bigviz.common.workers import slices
from bigviz.render.level_values import Level
from bigviz.tiles.grid.tile_key import DEEPEST
from bigviz.tiles.pyramid.layer_columns import Inputs
from bigviz.tiles.pyramid.levels.values import key_zeros, zeros_of
from bigviz.tiles.segments.joined.keyed_rows import Stretch, stretches
from bigviz.tiles.segments.part_layer import PartLayer
from bigviz.tiles.segments.row_part import Roots

__all__ = ["DrawnPart", "add_cells", "cell_mask", "drawn_part", "put_together"]

Array = npt.NDArray[Any]

_ROWS: Final = 1 << 20  # taken at a time


def cell_mask(level: Level) -> np.uint64:
    """The bits of a key that tell the cell of a level: those of the coarser one on both axes, and beyond them those of
    the axis with the finer one. Of each pair of bits the lower one is of x."""
    square, cut = (2 * (DEEPEST - each) for each in (min(level), max(level)))
    along = (0x5555555555555555 if level[0] > level[1] else 0xAAAAAAAAAAAAAAAA) & (1 << square) - (1 << cut)
    return np.uint64(along | (1 << 64) - (1 << square))


@dataclass(frozen=True, eq=False)
class DrawnPart:
    """Cells by ascending key (with `cell_mask`), how many zeros end the hash of each key, `floor` or more, and their
    accumulators, of shape (1, cells), or (categories, 1, cells)."""

    floor: int
    keys: Array
    zeros: Array
    planes: Planes

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.keys.nbytes + self.zeros.nbytes + sum(plane.nbytes for plane in self.planes)

    def risen(self, floor: int) -> DrawnPart:
        """Those with so many zeros or more."""
        return self if floor <= self.floor else self._of(self.zeros >= floor, floor)

    def at_most(self, most: int) -> DrawnPart:
        """Without those of the fewest zeros, as long as they are more."""
        made = self
        while len(made.keys) > most:
            made = made.risen(made.floor + 1)
        return made

    def counted(self) -> DrawnPart:
        """Of counts: without cells whose rows do not count."""
        some = np.asarray(self.planes[0].any(axis=tuple(range(self.planes[0].ndim - 1))))
        return self if some.all() else self._of(some, self.floor)

    def _of(self, some: npt.NDArray[np.bool_], floor: int) -> DrawnPart:
        planes = tuple(np.ascontiguousarray(plane[..., some]) for plane in self.planes)
        return DrawnPart(floor, self.keys[some], self.zeros[some], planes)


def drawn_part(part: PartLayer, roots: Roots, level: Level, floor: int, most: int, cancel: Cancel) -> DrawnPart:
    """The cells with rows of a part: those with so many zeros or more, and with more where they are too many. All rows
    are looked at: 10^8 take a third of a second. Raises Cancelled."""
    inputs = part.inputs
    made = put_together((), inputs, floor, most, cancel)
    for rows in stretches(part, roots):
        for start, stop in slices(rows.size, _ROWS):
            cancel.check()
            found = _of_rows(rows, slice(start, stop), inputs, level, made.floor, most, cancel)
            made = put_together((made, found), inputs, found.floor, most, cancel) if len(made.keys) else found
    return made.counted() if inputs.reduction.traits.counts else made


def put_together(parts: Sequence[DrawnPart], inputs: Inputs, floor: int, most: int, cancel: Cancel) -> DrawnPart:
    """The cells of parts whose rows follow each other. `inputs` tells their labels, those of a part may be fewer."""
    floor = max([floor, *(part.floor for part in parts)])
    keys = np.unique(np.concatenate([np.empty(0, np.uint64), *(part.risen(floor).keys for part in parts)]))
    zeros = key_zeros(keys)
    while len(keys) > most:
        floor += 1
        keys, zeros = keys[zeros >= floor], zeros[zeros >= floor]
    planes = inputs.reduction.create((1, len(keys)), inputs.dtype, len(inputs.labels or ()), cancel.check)
    for part in parts:
        few = part.risen(floor)
        add_cells(inputs.reduction, planes, np.searchsorted(keys, few.keys), few.planes)
    return DrawnPart(floor, keys, zeros, planes)


def add_cells(reduction: Reduction, planes: Planes, places: Array, others: Planes) -> None:
    """Add accumulators of cells to those at some places (each once), as if their rows came after. They may have fewer
    labels."""
    into = [plane[: len(each)] if plane.ndim > 2 else plane for plane, each in zip(planes, others, strict=True)]
    sums = tuple(np.take(plane, places, axis=-1) for plane in into)
    reduction.combine(sums, others)
    for plane, values in zip(into, sums, strict=True):
        plane[..., places] = values


def _of_rows(
    rows: Stretch, at: slice, inputs: Inputs, level: Level, floor: int, most: int, cancel: Cancel
) -> DrawnPart:
    keys = rows.keys(at)
    places, cells = np.empty(len(keys), np.int64), np.empty(len(keys), np.uint64)
    found = _draw(frozen(keys), cell_mask(level), floor, places, cells)
    names, numbers = np.unique(cells[:found], return_inverse=True)
    zeros, drawn = key_zeros(names), floor
    while np.count_nonzero(zeros >= drawn) > most:
        drawn += 1
    kept = zeros >= drawn
    into = np.where(kept, np.cumsum(kept) - 1, -1)[numbers].astype(np.int32)
    some = into >= 0
    planes = inputs.reduction.create((1, int(kept.sum())), inputs.dtype, len(inputs.labels or ()), cancel.check)
    if some.any():
        inputs.reduction.append(planes, into[some], rows.rows(places[:found][some] + at.start))
    return DrawnPart(drawn, names[kept], zeros[kept], planes)


@jit
def _draw(keys: Array, mask: np.uint64, floor: int, places: Array, cells: Array) -> int:
    """Rows whose cell is drawn, and the cells: how many. A cell's rows need not follow each other."""
    found, drawn = 0, False
    cell = np.uint64(0)
    for k in range(keys.size):
        own = keys[k] & mask
        if k == 0 or own != cell:
            cell, drawn = own, zeros_of(own) >= floor
        if drawn:
            places[found], cells[found] = k, own
            found += 1
    return found
