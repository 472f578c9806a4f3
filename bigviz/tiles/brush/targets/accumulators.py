"""The cells of a target while rows come and go: accumulators that rows can be taken out of again.

Counts and sums are exact whatever comes and goes, so several threads may each add to a part of their own. A cell's
lowest, highest, first or last row may be taken away, and which one follows it is not known: the cell is stale then, and
shows what it held, until it is counted again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.reductions.base import Planes, Reduction, Rows
from bigviz.aggregate.reductions.counts import Count, Presence
from bigviz.aggregate.reductions.extremes import Extreme
from bigviz.aggregate.reductions.picks import Pick
from bigviz.aggregate.reductions.sums import Sum, TimeMean
from bigviz.common.jit import frozen
from bigviz.tiles.brush.orders.position_ranges import Picked
from bigviz.tiles.brush.targets.extreme_cells import ExtremeCells
from bigviz.tiles.brush.targets.fixed_point import FixedPoint, add_floats, add_integers, from_halves
from bigviz.tiles.brush.targets.kernels import (
    add_picks,
    count_rows,
    leave_out,
    lose_rows,
    only_stale,
    take_held,
)
from bigviz.tiles.brush.targets.values import Values
from bigviz.wire.codec import CELLS, SIDE

__all__ = ["Accumulator", "accumulator_of"]

Array = npt.NDArray[Any]

_UNFILLED: Final = np.iinfo(np.int64).max


class Accumulator(Protocol):
    """Accumulators of `planes` planes of `blocks` blocks of 65,536 cells, plane by plane."""

    parts: int

    @property
    def exact(self) -> bool:
        """Whether no cell is stale."""

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""

    def add(self, worker: int, picked: Picked, cells: Array, sign: int) -> None:
        """Add rows to their cells, or take them away; `cells` is overwritten. Workers below `parts`
        may do so at a time."""

    def counts(self, worker: int) -> Array | None:
        """A worker's counts (int32) where these are all there is, and of every row; None for others."""

    def block(self, number: int) -> Planes:
        """The reduction's accumulators of one block of one plane, of shape (256, 256)."""

    def clear(self) -> None:
        """Take all rows away."""

    def recount(self) -> None:
        """Empty the stale cells; all rows that are there are then given to `add_again`."""

    def add_again(self, picked: Picked, cells: Array) -> None:
        """Add rows to the cells that were emptied, and to no others."""

    def recounted(self) -> None:
        """All of them have been added."""


class _Exact:
    """Accumulators that are never stale: one array of cells a worker, whose sum counts."""

    def __init__(self, parts: int, size: int, columns: int, dtype: npt.DTypeLike) -> None:
        self.parts = parts
        self._state = np.zeros((parts, size, columns), dtype)

    @property
    def exact(self) -> bool:
        return True

    @property
    def nbytes(self) -> int:
        return int(self._state.nbytes)

    def clear(self) -> None:
        self._state[:] = 0

    def recount(self) -> None:
        """Nothing is stale."""

    def counts(self, worker: int) -> Array | None:
        """None: values are read."""
        return None

    def add_again(self, picked: Picked, cells: Array) -> None:
        """Nothing is stale."""

    def recounted(self) -> None:
        """Nothing is stale."""

    def _sums(self, number: int) -> Array:
        """The parts' sum over the cells of a block."""
        cells = slice(number * CELLS, (number + 1) * CELLS)
        total: Array = self._state[0, cells]
        for part in self._state[1:]:
            total = total + part[cells]
        return total


class _Counts(_Exact):
    """Numbers of rows, or of those with a value."""

    def __init__(self, parts: int, size: int, values: Values | None, mark: bool) -> None:
        super().__init__(parts, size, 1, np.int32)
        self._values, self._mark = values, mark

    def add(self, worker: int, picked: Picked, cells: Array, sign: int) -> None:
        if self._values is not None:
            leave_out(picked.take(self._values.values), cells)
        count_rows(cells, sign, self._state[worker, :, 0])

    def counts(self, worker: int) -> Array | None:
        return self._state[worker, :, 0] if self._values is None else None

    def block(self, number: int) -> Planes:
        counts = np.ascontiguousarray(self._sums(number)[:, 0]).view(np.uint32).reshape(SIDE, SIDE)
        return ((counts > 0).view(np.uint8),) if self._mark else (counts,)


class _FloatSums(_Exact):
    """Sums of floats, and how many they are of."""

    def __init__(self, parts: int, size: int, values: Values, fixed: FixedPoint) -> None:
        super().__init__(parts, size, fixed.limbs + (3 if fixed.endless else 1), np.int64)
        self._values, self._fixed = values, fixed

    def add(self, worker: int, picked: Picked, cells: Array, sign: int) -> None:
        values, fixed = self._values.at(picked, cells), self._fixed
        add_floats(cells, values, sign, *fixed.scale, fixed.bits, fixed.limbs, self._state[worker])

    def block(self, number: int) -> Planes:
        sums, counts = self._fixed.sums(self._state[:, number * CELLS : (number + 1) * CELLS])
        return sums.reshape(SIDE, SIDE), counts.reshape(SIDE, SIDE)


class _IntegerSums(_Exact):
    """Sums of integers or of nanoseconds."""

    def __init__(self, parts: int, size: int, values: Values, reduction: Reduction, dtype: np.dtype[Any]) -> None:
        self._times = isinstance(reduction, TimeMean)
        self._halves = self._times or dtype.kind == "f"
        super().__init__(parts, size, 3 if self._halves else 2, np.int64)
        self._values = values

    def add(self, worker: int, picked: Picked, cells: Array, sign: int) -> None:
        values = self._values.at(picked, cells)
        unsigned = values.dtype == np.uint64
        add_integers(cells, values.view(np.int64), sign, self._halves, unsigned, self._state[worker])

    def block(self, number: int) -> Planes:
        state = self._sums(number)
        counts = state[:, -1].astype(np.uint32).reshape(SIDE, SIDE)
        if self._times:
            high, low = (np.ascontiguousarray(state[:, k]).reshape(SIDE, SIDE) for k in (0, 1))
            return high, low.view(np.uint64), counts
        sums = from_halves(state) if self._halves else np.ascontiguousarray(state[:, 0])
        return sums.reshape(SIDE, SIDE), counts


class _Stale:
    """What is common to accumulators of which a cell may be stale."""

    parts = 1

    def __init__(self, size: int) -> None:
        self._counts, self._stale = np.zeros(size, np.int32), np.zeros(size, np.uint8)
        self._recounts = False

    @property
    def exact(self) -> bool:
        return not self._stale.any()

    def clear(self) -> None:
        self._counts[:], self._stale[:] = 0, 0

    def counts(self, worker: int) -> Array | None:
        """None: there is more than counts."""
        return None

    def recount(self) -> None:
        self._counts[self._stale > 0] = 0

    def recounted(self) -> None:
        self._stale[:] = 0

    def add_again(self, picked: Picked, cells: Array) -> None:
        only_stale(cells, self._stale)
        self._append(picked, cells, True)

    def add(self, worker: int, picked: Picked, cells: Array, sign: int) -> None:
        if sign > 0:
            self._append(picked, cells, False)
        else:
            self._remove(picked, cells)

    def _append(self, picked: Picked, cells: Array, again: bool) -> None:
        raise NotImplementedError

    def _remove(self, picked: Picked, cells: Array) -> None:
        raise NotImplementedError

    def _cells(self, number: int) -> slice:
        return slice(number * CELLS, (number + 1) * CELLS)


class _Picks(_Stale):
    """The value of the first or the last row."""

    def __init__(
        self, size: int, values: Values, numbers: Callable[[Array], Array], reduction: Pick, dtype: np.dtype[Any]
    ) -> None:
        super().__init__(size)
        self._picked, self._rows = np.zeros(size, dtype), np.zeros(size, np.int64)
        self._values, self._numbers, self._lowest = values, numbers, reduction.lowest

    @property
    def nbytes(self) -> int:
        return int(self._picked.nbytes + self._rows.nbytes + self._counts.nbytes + self._stale.nbytes)

    def _append(self, picked: Picked, cells: Array, again: bool) -> None:
        values, rows = self._values.at(picked, cells), frozen(self._numbers(picked.positions()).astype(np.int64))
        add_picks(cells, values, rows, self._lowest, again, self._picked, self._rows, self._counts, self._stale)

    def _remove(self, picked: Picked, cells: Array) -> None:
        values, rows = self._values.at(picked, cells), frozen(self._numbers(picked.positions()).astype(np.int64))
        take_held(cells, values, rows, self._rows, self._counts, self._stale)

    def block(self, number: int) -> Planes:
        here = self._cells(number)
        rows = np.where(self._counts[here] > 0, self._rows[here], _UNFILLED if self._lowest else -1)
        return self._picked[here].reshape(SIDE, SIDE), rows.reshape(SIDE, SIDE)


class _Again(_Stale):
    """Sums of floats of too different sizes to be taken away again: cells that lose a row are counted anew."""

    def __init__(self, size: int, values: Values, reduction: Reduction) -> None:
        super().__init__(size)
        self._planes, self._values, self._reduction = reduction.create((size // SIDE, SIDE)), values, reduction

    @property
    def nbytes(self) -> int:
        return int(sum(plane.nbytes for plane in self._planes) + self._counts.nbytes + self._stale.nbytes)

    def clear(self) -> None:
        super().clear()
        for plane in self._planes:
            plane[:] = 0

    def recount(self) -> None:
        super().recount()
        for plane in self._planes:
            plane.reshape(-1)[self._stale > 0] = 0

    def _append(self, picked: Picked, cells: Array, again: bool) -> None:
        values = self._values.at(picked, cells)
        self._reduction.append(self._planes, cells, Rows(values))
        count_rows(cells, 1, self._counts)

    def _remove(self, picked: Picked, cells: Array) -> None:
        values = self._values.at(picked, cells)
        lose_rows(cells, values, self._counts, self._stale)

    def block(self, number: int) -> Planes:
        first, second = (plane.reshape(-1)[self._cells(number)].reshape(SIDE, SIDE) for plane in self._planes)
        return first, second


def accumulator_of(
    reduction: Reduction,
    dtype: np.dtype[Any],
    values: Values | None,
    numbers: Callable[[Array], Array],
    size: int,
    parts: int,
) -> Accumulator:
    """Accumulators of a plane's reduction for `size` cells; `dtype` is its accumulator's, `numbers` gives the row
    numbers at positions. `parts` threads add at a time, where several can."""
    if isinstance(reduction, Count | Presence):
        return _Counts(parts, size, values, isinstance(reduction, Presence))
    assert values is not None
    if isinstance(reduction, Sum):
        if values.values.dtype.kind != "f":
            return _IntegerSums(parts, size, values, reduction, dtype)
        return (
            _Again(size, values, reduction) if values.fixed is None else _FloatSums(parts, size, values, values.fixed)
        )
    if isinstance(reduction, Extreme):
        return ExtremeCells(parts, size, values, reduction, dtype)
    assert isinstance(reduction, Pick)
    return _Picks(size, values, numbers, reduction, dtype)
