"""A target of cells (a raster, a histogram, bars) while rows come and go."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.reductions.base import Planes
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.errors import TooLarge
from bigviz.common.jit import jit
from bigviz.common.workers import Crew
from bigviz.tiles.answers.window_image import MOST_CELLS
from bigviz.tiles.brush.linked import Heights
from bigviz.tiles.brush.orders.position_ranges import Picked
from bigviz.tiles.brush.targets.accumulators import Accumulator, accumulator_of
from bigviz.tiles.brush.targets.bin_blocks import BinBlocks
from bigviz.tiles.brush.targets.cell_planes import CellPlanes
from bigviz.tiles.brush.targets.cells import ONE_CELL, Cells
from bigviz.tiles.brush.targets.counted_blocks import CountedBlocks, counted_blocks
from bigviz.tiles.brush.targets.kernels import leave_out
from bigviz.tiles.brush.targets.reduced import Reduced
from bigviz.tiles.pyramid.accumulators import Kept, keep
from bigviz.wire.codec import CELLS, SIDE, EncodedPlane

__all__ = ["GridTarget", "KeptRows"]

Array = npt.NDArray[Any]

_NO_CELLS: Final = np.empty(0, np.int32)
_MOST_PARTS: Final = 1 << 28  # bytes of the cells of all threads: above that they share one


@dataclass(frozen=True, eq=False)
class KeptRows:
    """Which rows a filter keeps (uint8), in a source's order."""

    rows: Array

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return int(self.rows.nbytes)


class GridTarget:
    """Cells and what they hold. Workers may add rows at a time, each with a number of its own."""

    def __init__(self, cells: Cells, reduced: Reduced, kept: KeptRows | None, workers: int) -> None:
        """`kept` are the rows that the target's filter keeps, None without one."""
        self.cells, self.reduced, self._kept = cells, reduced, kept
        self.counted: CountedBlocks | None = None  # made once many rows have come and gone
        self._shown: list[Planes] | None = None
        self.scale = 1.0  # of an estimate: rows of the table for each row that is here
        self.width, self.height = cells.width, cells.height
        self.blocks = -(-self.width // SIDE) * -(-self.height // SIDE)
        self.planes = 1 if reduced.labels is None else len(reduced.labels)
        if self.width * self.height * self.planes > MOST_CELLS:
            raise TooLarge(
                f"a brush's target has at most {MOST_CELLS:,} cells over all planes, got "
                f"{self.width} x {self.height} x {self.planes}",
                "view",
                [self.width, self.height, self.planes],
            )
        size = max(self.blocks * self.planes, 1) * CELLS
        parts = workers if size * workers * 32 <= _MOST_PARTS else 1
        self.state: Accumulator = accumulator_of(
            reduced.reduction.plane, reduced.dtype, reduced.values, reduced.numbers, size, parts
        )
        self._plain = kept is None and reduced.codes is None  # cells are as they are found
        self._alone = threading.Lock() if self.state.parts < workers else None

    @property
    def exact(self) -> bool:
        """Whether no cell waits to be counted again."""
        return self.state.exact

    @property
    def nbytes(self) -> int:
        """Bytes of memory of the cells."""
        return self.state.nbytes

    def add(self, worker: int, picked: Picked, sign: int) -> None:
        """Add rows, or take them away."""
        part = worker if self._alone is None else 0
        counts = self.state.counts(part)
        if counts is not None and self.counted is not None and self.counted.some:
            with self._turn():
                picked = self.counted.count(picked, sign, counts)
        counts = counts if self._plain else None
        cells = self._cells_of(picked) if counts is None else _NO_CELLS
        with self._turn():
            if counts is None:
                self.state.add(part, picked, cells, sign)
            else:
                self.cells.count(picked, sign, counts)

    @property
    def by_ranges(self) -> bool:
        """Whether rows of ranges are added with no room for something of each of them."""
        return self._plain and self.state.counts(0) is not None

    @property
    def uncounted(self) -> bool:
        """Whether rows come and go one by one that could do so by blocks, if these were counted."""
        quick = self._plain and (isinstance(self.cells, BinBlocks) or self.cells is ONE_CELL)
        return self.counted is None and not quick and self.state.counts(0) is not None

    def blocks_of(self, rows: int, crew: Crew) -> CountedBlocks:
        """Count the blocks of all rows of the source's order."""
        size = max(self.blocks * self.planes, 1) * CELLS
        return counted_blocks(lambda start, stop: self._cells_of(Picked.range(start, stop)), rows, size, crew)

    def add_again(self, worker: int, picked: Picked) -> None:
        """Count rows again in the cells that `state.recount` emptied."""
        cells = self._cells_of(picked)
        with self._turn():
            self.state.add_again(picked, cells)

    def merge(self) -> None:
        """All workers have added what they had: nothing is left to do."""

    def clear(self) -> None:
        """Take all rows away."""
        self.state.clear()

    def show(self, planes: list[Planes]) -> None:
        """Show finished accumulators, block by block and plane by plane, instead."""
        self._shown = planes

    @property
    def cell_planes(self) -> CellPlanes:
        """The cells as they are answered."""
        reduced = self.reduced
        return CellPlanes(reduced.reduction, reduced.dtype, self.planes, self.width, self.height, self._block)

    def encoded(self, block: int, cancel: Cancel = NEVER) -> list[EncodedPlane]:
        """The planes of one block as they are sent."""
        return self.cell_planes.encoded(block, cancel)

    def kept(self, number: int, cancel: Cancel = NEVER) -> Kept:
        """The accumulators of a block of a plane, to be added to others."""
        return keep(self.reduced.reduction.plane, self._block(number), cancel.check)

    def heights(self) -> Heights:
        """The finished values of one row of cells."""
        return self.cell_planes.heights()

    def _block(self, number: int) -> Planes:
        """The accumulators of a block, those of an estimate multiplied up to the table's rows."""
        planes = self.state.block(number) if self._shown is None else self._shown[number]
        if self.scale == 1.0 or not self.reduced.reduction.plane.traits.additive:
            return planes
        return tuple(
            np.rint(plane * self.scale).astype(plane.dtype) if plane.dtype.kind in "iu" else plane * self.scale
            for plane in planes
        )

    def _cells_of(self, picked: Picked) -> Array:
        cells = self.cells.cells(picked)
        if self._kept is not None:
            leave_out(picked.take(self._kept.rows), cells)
        if self.reduced.codes is not None:
            codes = self.reduced.codes
            _spread(picked.take(codes.codes), codes.width, self.blocks * CELLS, cells)
        return cells

    def _turn(self) -> AbstractContextManager[Any]:
        return nullcontext() if self._alone is None else self._alone


@jit
def _spread(codes: Array, count: int, plane: int, cells: Array) -> None:
    """Cells of stacked planes; -1 where the row has no label."""
    for k in range(codes.size):
        code = np.int64(codes[k])
        if code >= count:
            cells[k] = -1
        elif cells[k] >= 0:
            cells[k] += np.int32(code * plane)
