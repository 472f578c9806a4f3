"""Both codes of each row in the roots of a layer, in a source's order: their upper 16 bits, and their lower ones.

Views down to level 8 (65,536 cells a side) are told by the upper halves, 4 bytes a row. The lower ones are made when a
view is deeper.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.axis import Axis
from bigviz.aggregate.dyadic_cells import Root
from bigviz.common.jit import frozen, jit
from bigviz.common.workers import Crew, slices
from bigviz.tiles.brush.orders.position_ranges import Picked
from bigviz.tiles.brush.orders.source_order import SourceOrder
from bigviz.tiles.brush.targets.coarse_cells import count_coarse
from bigviz.tiles.brush.targets.in_order import in_order

__all__ = ["COARSE", "Halves", "lower_halves", "upper_halves"]

Array = npt.NDArray[Any]
Axes = tuple[Axis, Axis]
Roots = tuple[Root, Root]

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

    def take(self, picked: Picked) -> Array:
        """The halves of some rows: a new array."""
        return picked.take(self.halves)

    def count(self, picked: Picked, less: Array, place: Array, sign: int, counts: Array) -> None:
        """Count some rows in the cells of a view, of upper halves (see `coarse_cells`)."""
        rows = picked.low, picked.high, picked.places, self.halves
        count_coarse(*rows, np.uint32(self.mark), less, place, sign, counts)


def upper_halves(axes: Axes, roots: Roots, order: SourceOrder, crew: Crew) -> Halves:
    """The upper halves of all rows, in a source's order."""
    rows = len(axes[0])
    halves = np.empty(rows, np.uint32)
    tried = np.random.default_rng(0)
    mark = (1 << 32) - 1
    while True:
        taken = threading.Event()

        def read(piece: tuple[int, int], mark: int = mark, taken: threading.Event = taken) -> int:
            start, stop = piece
            codes = np.empty((2, stop - start), np.uint16)
            inside = [
                root.upper_codes(*axis.slice(start, stop), out)
                for root, axis, out in zip(roots, axes, codes, strict=True)
            ]
            if _pack_upper(codes[0], codes[1], inside[0], inside[1], np.uint32(mark), halves[start:stop]):
                taken.set()
            return stop - start

        crew.run(_STAGE, read, slices(rows, _SLICE), rows)
        if not taken.is_set():
            return Halves(frozen(in_order(order, halves, crew)), mark)
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
