"""The accumulators of the drawn cells of a level over the rows of one part, which never change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.reductions.base import Planes, Reduction
from bigviz.common.cancel import Cancel
from bigviz.common.jit import frozen, jit
from bigviz.render.level_values import Level
from bigviz.tiles.grid.tile_key import DEEPEST
from bigviz.tiles.pyramid.layer_columns import Inputs
from bigviz.tiles.pyramid.levels.values import key_hash, key_zeros
from bigviz.tiles.segments.joined.cell_splice import distinct
from bigviz.tiles.segments.joined.keyed_rows import Stretch, is_counted, stretches
from bigviz.tiles.segments.part_layer import PartLayer
from bigviz.tiles.segments.row_part import Roots

__all__ = ["DrawnPart", "add_cells", "cell_mask", "drawn_part", "put_together"]

Array = npt.NDArray[Any]

_ROWS: Final = 1 << 20  # taken at a time
_FIRST: Final = 1 << 15  # at first: they tell how many cells there are about


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
        if floor <= self.floor:
            return self
        some = self.zeros >= floor
        planes = tuple(np.ascontiguousarray(plane[..., some]) for plane in self.planes)
        return DrawnPart(floor, self.keys[some], self.zeros[some], planes)


def drawn_part(part: PartLayer, roots: Roots, level: Level, floor: int, most: int, cancel: Cancel) -> DrawnPart:
    """The cells with rows of a part, of a reduction that counts with rows that it counts: those with so many zeros or
    more, and with more where they are too many. All rows are looked at: 5 to 20 ns each. Raises Cancelled."""
    inputs = part.inputs
    made = put_together((), inputs, floor, most, cancel)
    for rows in stretches(part, roots):
        start, size = 0, _FIRST
        while start < rows.size:
            cancel.check()
            found = _of_rows(rows, slice(start, min(start + size, rows.size)), inputs, level, made.floor, most, cancel)
            made = put_together((made, found), inputs, found.floor, most, cancel) if len(made.keys) else found
            start, size = start + size, min(2 * size, _ROWS)
    return made


def put_together(parts: Sequence[DrawnPart], inputs: Inputs, floor: int, most: int, cancel: Cancel) -> DrawnPart:
    """The cells of parts whose rows follow each other. `inputs` tells their labels, those of a part may be fewer."""
    floor = max([floor, *(part.floor for part in parts)])
    keys = distinct(np.concatenate([np.empty(0, np.uint64), *(part.risen(floor).keys for part in parts)]))
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
    places, runs, cells = (np.empty(len(keys), dtype) for dtype in (np.int64, np.int32, np.uint64))
    low = np.uint64((1 << floor) - 1)
    found, count = _draw(frozen(keys), cell_mask(level), low, places, runs, cells)
    places, runs, cells = places[:found] + at.start, runs[:found], cells[:count]
    if found and inputs.reduction.traits.counts and not inputs.counts_rows:
        counted = is_counted(inputs, rows.rows(places), found)
        left, runs = np.unique(runs[counted], return_inverse=True)
        places, cells = places[counted], cells[left]
    names, numbers = np.unique(cells, return_inverse=True)
    zeros, drawn = key_zeros(names), floor
    while np.count_nonzero(zeros >= drawn) > most:
        drawn += 1
    kept = zeros >= drawn
    into = np.where(kept, np.cumsum(kept) - 1, -1).astype(np.int32)[numbers][runs]
    some = into >= 0
    planes = inputs.reduction.create((1, int(kept.sum())), inputs.dtype, len(inputs.labels or ()), cancel.check)
    if some.any():
        inputs.reduction.append(planes, into[some], rows.rows(places[some]))
    return DrawnPart(drawn, names[kept], zeros[kept], planes)


@jit
def _draw(keys: Array, mask: np.uint64, low: np.uint64, places: Array, runs: Array, cells: Array) -> tuple[int, int]:
    """Rows in cells that are drawn, whose hash ends with zeros where `low` has ones, by runs of rows in one cell: how
    many, and how many runs. A cell may have several."""
    found, count, drawn, cell = 0, 0, False, np.uint64(0)
    for k in range(keys.size):
        own = keys[k] & mask
        if k == 0 or own != cell:
            cell, drawn = own, key_hash(own) & low == np.uint64(0)
            if drawn:
                cells[count] = own
                count += 1
        if drawn:
            places[found], runs[found] = k, count - 1
            found += 1
    return found, count
