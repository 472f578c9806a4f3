"""The values that the cells of each level of a layer have, found in one pass over its rows in order."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.picture_cells import PRESENCE, picture_cells
from bigviz.aggregate.reductions.base import CELLS_ONLY, Planes
from bigviz.common.cancel import Cancel
from bigviz.common.jit import frozen, jit
from bigviz.common.workers import Crew, slices
from bigviz.render.level_values import LevelValues
from bigviz.render.shade import Values, values_of
from bigviz.tiles.grid.tile_key import DEEPEST
from bigviz.tiles.morton.sorted_keys import SortedKeys
from bigviz.tiles.pyramid.accumulators import finished
from bigviz.tiles.pyramid.layer_columns import Inputs
from bigviz.tiles.pyramid.levels.cell_tree import Cells, combined, joined
from bigviz.tiles.pyramid.levels.counts import CountTally, count_levels
from bigviz.tiles.pyramid.levels.merge_level import LEVELS, merge_level
from bigviz.tiles.pyramid.levels.plain_values import combined_values, is_plain
from bigviz.tiles.pyramid.levels.values import ValueTally

__all__ = ["finite_cells", "finite_values", "level_values", "takes_long"]

Array = npt.NDArray[Any]
Part = tuple[int, int]  # rows from the first on, up to the second

_ROWS: Final = 1 << 17  # taken at a time
_CELLS: Final = 1 << 19  # of all planes, at most
_AT_ONCE: Final = 8  # parts that a thread takes one after the other
_MOST_APART: Final = 1 << 21  # rows whose values by label are summed up: a second
_PARTS: Final = 64  # whose rests are put together at a time


def takes_long(inputs: Inputs, rows: int) -> bool:
    """Whether values of each label are to be summed up of more than two million rows: of ten labels that takes as long
    as five times building the tiles."""
    reduction = inputs.reduction
    return rows > _MOST_APART and not (reduction.traits.counts or is_plain(reduction))


def level_values(
    guard: SortedKeys, inputs: Inputs, crew: Crew, tally: ValueTally | None = None
) -> tuple[LevelValues, ...]:
    """The values of all filled cells of each level of square tiles, 0 to 24: counts exactly, of others the extremes and
    a sample, for which they are told to the `tally`. Floats that are added may differ from those of tiles in their last
    bits. Raises Cancelled, Unreadable."""
    if inputs.counts_rows:
        return count_levels(guard, crew)
    if picture_cells(inputs.reduction) == PRESENCE:
        return (LevelValues(np.ones(1, np.int64), np.ones(1, np.int64)),) * LEVELS
    return _Summary(guard, inputs, crew, ValueTally() if tally is None else tally).levels()


class _Summary:
    """The pass over rows with columns. Counts by label are those of all labels together."""

    def __init__(self, guard: SortedKeys, inputs: Inputs, crew: Crew, tally: ValueTally) -> None:
        self._guard, self._inputs, self._crew = guard, inputs, crew
        self._counts = inputs.reduction.traits.counts
        self._picture = picture_cells(inputs.reduction)
        self._reduction = inputs.reduction.plane if self._counts else inputs.reduction
        self._labels = 0 if self._counts else len(inputs.labels or ())
        self._tally: CountTally | ValueTally = CountTally() if self._counts else tally

    def levels(self) -> tuple[LevelValues, ...]:
        """The values of each level."""
        rows = len(self._guard)
        parts = _grouped(slices(rows, max(min(_ROWS, _CELLS // max(self._labels, 1)), 1)), _AT_ONCE)
        rests: dict[Part, Cells] = {}

        def look(group: list[Part]) -> int:
            whole = _whole(group)
            rests[whole] = self._put_together([self._of_rows(*part) for part in group], *whole)
            return whole[1] - whole[0]

        self._crew.run("summing up cells", look, parts, rows)
        left = [_whole(group) for group in parts]
        while len(left) > 1:
            groups = _grouped(left, _PARTS)
            left = [_whole(group) for group in groups]
            for group, whole in zip(groups, left, strict=True):
                self._crew.look()
                rests[whole] = self._put_together([rests.pop(part) for part in group], *whole)
        for part in left:
            self._tell(rests[part], 0)
        tally = self._tally
        if isinstance(tally, CountTally):
            return tally.levels(np.float64 if self._picture.by else np.int64)
        return tally.levels()

    def _of_rows(self, low: int, high: int) -> Cells:
        """The cells that some rows are only a part of."""
        keys = self._guard.keys.take(slice(low, high))
        cells, heads = np.empty(high - low, np.int32), np.empty(high - low, np.int64)
        count = _distinct(frozen(keys), cells, heads)
        planes = self._reduction.create((1, count), self._inputs.dtype, self._labels, self._crew.look)
        self._append(planes, cells, slice(low, high))
        leaves = Cells(keys[heads[:count]], np.full(count, DEEPEST), planes)
        return self._put_together([leaves], low, high)

    def _append(self, planes: Planes, cells: npt.NDArray[np.int32], rows: slice) -> None:
        if not self._counts or self._inputs.codes is None:
            self._inputs.append(planes, cells, rows)
            return
        labelled = self._inputs.codes.take(rows) >= 0
        values = self._inputs.rows(rows) if self._reduction.columns else CELLS_ONLY
        self._reduction.append(planes, np.where(labelled, cells, np.int32(-1)), values)

    def _put_together(self, parts: list[Cells], low: int, high: int) -> Cells:
        keys = self._guard.keys
        rows = len(self._guard)
        edges = [keys.take(slice(at - 1, at + 1)) for at in (low, high) if 0 < at < rows]
        levels = [merge_level(*edge) for edge in edges]
        before = levels[0] if low else -1
        after = levels[-1] if high < rows else -1
        cells = joined(parts, self._reduction)
        if isinstance(self._tally, CountTally) or not is_plain(self._reduction):
            return combined(self._reduction, cells, before, after, self._tell)
        rest, told = combined_values(self._reduction, cells, before, after)
        self._tally.tell(*told)
        return rest

    def _tell(self, cells: Cells, level: int) -> None:
        if isinstance(self._tally, CountTally):
            self._tally.tell(cells.planes[0][0], level, cells.finest)
            return
        planes = finished(self._reduction, cells.planes, self._inputs.own, self._crew.cancel)
        if not planes:  # there are no labels
            return
        numbers, filled = finite_cells(values_of(planes, self._picture))
        keep = np.flatnonzero(filled[0] & (cells.finest >= level))
        first = np.full(len(keep), level)
        self._tally.tell(numbers[0][keep], cells.keys[keep], first, cells.finest[keep])


def finite_values(inputs: Inputs, planes: Planes, cancel: Cancel) -> tuple[Array, npt.NDArray[np.bool_]]:
    """The values of accumulators of some cells, of shape (1, cells), or (categories, 1, cells), as `finite_cells` has
    them, by cell."""
    arrays, cells = finished(inputs.reduction, planes, inputs.own, cancel), planes[0].shape[-1]
    if not arrays:  # there are no labels
        return np.zeros(cells), np.zeros(cells, np.bool_)
    numbers, filled = finite_cells(values_of(arrays, picture_cells(inputs.reduction)))
    return numbers[0], filled[0]


def finite_cells(found: Values) -> tuple[Array, npt.NDArray[np.bool_]]:
    """The numbers of cells in float64, int64 or uint64, and which cells hold a finite one."""
    numbers, filled = found.numbers, found.filled
    if numbers.dtype.kind == "f":
        filled = filled & np.isfinite(numbers)
    wide: type = {"f": np.float64, "u": np.uint64}.get(numbers.dtype.kind, np.int64)
    return numbers.astype(wide, copy=False), filled


def _grouped(parts: list[Part], most: int) -> list[list[Part]]:
    return [parts[at : at + most] for at in range(0, len(parts), most)]


def _whole(group: list[Part]) -> Part:
    return group[0][0], group[-1][1]


@jit
def _distinct(keys: Array, cells: Array, heads: Array) -> int:
    """Number each row by its key; `heads` receives where each key begins. How many there are."""
    count = 0
    for k in range(keys.size):
        if k == 0 or keys[k] != keys[k - 1]:
            heads[count] = k
            count += 1
        cells[k] = count - 1
    return count
