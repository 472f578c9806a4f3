"""Both codes of each row in the roots of a layer, in a source's order: their upper 16 bits, and their lower ones.

Views down to level 8 (65,536 cells a side) are told by the upper halves, 4 bytes a row. The lower ones are made when a
view is deeper.

Where an axis is one of the source's, its codes are in the keys of the source's order, and only the other axis is looked
up row by row; else both are packed in the rows' own order first, and the pairs are gathered.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.axis import Axis
from bigviz.aggregate.dyadic_cells import Root
from bigviz.common.jit import frozen, jit
from bigviz.common.workers import Crew, slices
from bigviz.tiles.brush.orders.source_order import SourceOrder
from bigviz.tiles.brush.targets.in_order import in_order, numbers_at
from bigviz.tiles.grid.interleave import compact

__all__ = ["COARSE", "Halves", "lower_halves", "upper_halves"]

Array = npt.NDArray[Any]
Axes = tuple[Axis, Axis]
Roots = tuple[Root, Root]
Mask = npt.NDArray[np.bool_]
Keyed = tuple[int | None, int | None]

COARSE: Final = 8  # the deepest level whose cells the upper 16 bits of a code tell
_SLICE: Final = 1 << 16  # rows whose codes stay in the processor's cache
_STAGE: Final = "finding cells"


@dataclass(frozen=True, eq=False)
class Halves:
    """16 bits of both codes of each row, those of x above those of y (uint32). Rows outside have `mark` in the upper
    halves, which no row inside has."""

    halves: Array
    mark: int = 0

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return int(self.halves.nbytes)


def upper_halves(axes: Axes, roots: Roots, order: SourceOrder, keyed: Keyed, crew: Crew) -> Halves:
    """The upper halves of all rows, in a source's order; `keyed` says which axis of its keys either axis is."""
    direct = any(which is not None for which in keyed)

    def from_rows(k: int, start: int, stop: int, out: Array) -> Mask:
        return roots[k].upper_codes(*axes[k].slice(start, stop), out)

    def in_place(k: int, start: int, stop: int, out: Array) -> Mask:
        which, known = keyed[k], 0
        inside = np.ones(stop - start, np.bool_)
        if which is not None:
            keys = order.keys(start, stop)
            known = len(keys)
            _upper_of(frozen(keys), np.uint64(which), out[:known])
        if start + known < stop:
            found = numbers_at(axes[k], order.row_numbers(start + known, stop))
            inside[known:] = roots[k].upper_codes(*found, out[known:])
        return inside

    halves, mark = _packed(len(axes[0]), in_place if direct else from_rows, crew)
    return Halves(frozen(halves if direct else in_order(order, halves, crew)), mark)


def _packed(rows: int, codes_of: Callable[[int, int, int, Array], Mask], crew: Crew) -> tuple[Array, int]:
    """Pairs of what `codes_of(axis, start, stop, out)` writes (uint16), and their mark; it returns which rows are
    inside."""
    halves = np.empty(rows, np.uint32)
    tried = np.random.default_rng(0)
    mark = (1 << 32) - 1
    while True:
        taken = threading.Event()

        def read(piece: tuple[int, int], mark: int = mark, taken: threading.Event = taken) -> int:
            start, stop = piece
            codes = np.empty((2, stop - start), np.uint16)
            inside = [codes_of(k, start, stop, codes[k]) for k in (0, 1)]
            if _pack_upper(codes[0], codes[1], inside[0], inside[1], np.uint32(mark), halves[start:stop]):
                taken.set()
            return stop - start

        crew.run(_STAGE, read, slices(rows, _SLICE), rows)
        if not taken.is_set():
            return halves, mark
        mark = int(tried.integers(1 << 32))


def lower_halves(axes: Axes, roots: Roots, order: SourceOrder, crew: Crew) -> Halves:
    """The lower halves of all rows, in a source's order; those of rows outside mean nothing."""
    rows = len(axes[0])
    halves = np.empty(rows, np.uint32)

    def read(piece: tuple[int, int]) -> int:
        start, stop = piece
        codes = np.empty((2, stop - start), np.uint32)
        for root, axis, out in zip(roots, axes, codes, strict=True):
            root.codes(*axis.slice(start, stop), out)
        _pack_lower(codes[0], codes[1], halves[start:stop])
        return stop - start

    crew.run(_STAGE, read, slices(rows, _SLICE), rows)
    return Halves(frozen(in_order(order, halves, crew)))


@jit
def _upper_of(keys: Array, which: np.uint64, out: Array) -> None:
    """The upper 16 bits of one axis's codes."""
    sixteen = np.uint64(16)
    for k in range(keys.size):
        out[k] = np.uint16(compact(keys[k] >> which) >> sixteen)


@jit
def _pack_upper(x: Array, y: Array, in_x: Array, in_y: Array, mark: np.uint32, out: Array) -> bool:
    """Whether a row inside has the mark's codes."""
    taken = False
    sixteen = np.uint32(16)
    for k in range(x.size):
        half = np.uint32(x[k]) << sixteen | np.uint32(y[k])
        inside = in_x[k] & in_y[k]
        taken |= (half == mark) & inside
        out[k] = half if inside else mark
    return taken


@jit
def _pack_lower(x: Array, y: Array, out: Array) -> None:
    sixteen, low = np.uint32(16), np.uint32(0xFFFF)
    for k in range(x.size):
        out[k] = x[k] << sixteen | (y[k] & low)
