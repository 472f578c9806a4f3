"""Tiles that rows in no order are added to, all in one pass, and what else the pass learns."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.dyadic_cells import INSIDE, Root
from bigviz.aggregate.inputs import Inputs as ImageInputs
from bigviz.aggregate.reductions.base import Planes
from bigviz.common.cancel import Cancel
from bigviz.tiles.grid.batches import Batch
from bigviz.tiles.grid.tile_key import Codes, TileKey
from bigviz.tiles.morton.codes import Coded, coded_of
from bigviz.tiles.pyramid.accumulators import Kept, keep
from bigviz.tiles.scans.tile_assignment import BLOCKS, deals_of
from bigviz.tiles.scans.window_rows import Picked, Recipe
from bigviz.wire.codec import CELLS, SIDE

__all__ = ["TileSink", "tile_bytes"]

Array = npt.NDArray[Any]

_PART: Final = 1 << 16  # rows whose codes and cells stay in the cache between the kernels
_SPARSE: Final = 4  # fewer rows of a part than 1 in so many are gathered before they are added


@dataclass
class _State:
    """A stripe's accumulators (tiles one below the other), the rows of each block, and the codes of a piece so far."""

    planes: Planes
    blocks: npt.NDArray[np.int64]
    box: Codes | None = None


class TileSink:
    """The sink (`sweep`) of some tiles.

    `inputs` says what the reduction reads of a batch. After the pass `kept` are the tiles, `blocks` (slot, 16, 16) the
    rows of their blocks of 16 x 16 cells, row 0 the highest y, and `boxes` the codes of the rows of each piece (None:
    no row in both roots).
    """

    def __init__(
        self,
        keys: Sequence[TileKey],
        recipe: Recipe,
        roots: tuple[Root, Root],
        picked: Picked,
        inputs: Callable[[Batch], ImageInputs],
    ) -> None:
        self._keys, self._recipe, self._roots, self._picked, self._inputs = keys, recipe, roots, picked, inputs
        self._deals = deals_of(keys)
        self._total: _State | None = None
        self._lock = threading.Lock()
        self.boxes: dict[int, Codes | None] = {}

    @property
    def blocks(self) -> npt.NDArray[np.int64]:
        """The rows of each block of each tile."""
        return self.start().blocks if self._total is None else self._total.blocks

    def start(self) -> _State:
        count, recipe = len(self._keys), self._recipe
        planes = recipe.reduction.create((count * SIDE, SIDE), recipe.dtype, len(recipe.labels or ()))
        return _State(planes, np.zeros((count, BLOCKS, BLOCKS), np.int64))

    def add(self, state: _State, batch: Batch, look: Callable[[], None]) -> None:
        inputs = self._inputs(batch)
        for start in range(0, batch.rows, _PART):
            look()
            part = slice(start, min(start + _PART, batch.rows))
            coded = coded_of(batch, part, self._roots)
            state.box = _grown(state.box, coded)
            self._picked.add(batch, start, coded)
            self._append(state, coded, inputs, start)

    def finish(self, state: _State, piece: int) -> None:
        with self._lock:
            self.boxes[piece] = state.box
        state.box = None

    def merge(self, state: _State) -> None:
        if self._total is None:
            self._total = state
            return
        self._recipe.reduction.combine(self._total.planes, state.planes)
        self._total.blocks += state.blocks

    def kept(self, cancel: Cancel) -> dict[TileKey, Kept]:
        """The tiles, encoded."""
        planes = (self.start() if self._total is None else self._total).planes
        return {
            key: keep(
                self._recipe.reduction,
                tuple(plane[..., slot * SIDE : (slot + 1) * SIDE, :] for plane in planes),
                cancel.check,
            )
            for slot, key in enumerate(self._keys)
        }

    def _append(self, state: _State, coded: Coded, inputs: ImageInputs, start: int) -> None:
        reduction = self._recipe.reduction
        rows = len(coded.x)
        cells = np.empty(rows, np.int32)
        for deal in self._deals:
            found = deal.cells(coded, cells, state.blocks)
            if found * _SPARSE > rows:
                reduction.append(state.planes, cells, inputs.rows(start, start + rows, reduction.ordered))
            elif found:
                places = np.flatnonzero(cells >= 0)
                reduction.append(state.planes, cells[places], inputs.at(places + start, reduction.ordered))


def tile_bytes(recipe: Recipe) -> int:
    """Bytes of the accumulators of one tile."""
    planes = recipe.reduction.create((1, 1), recipe.dtype, len(recipe.labels or ()))
    return CELLS * max(sum(plane.nbytes for plane in planes), 1)


def _grown(box: Codes | None, coded: Coded) -> Codes | None:
    """The box that holds the codes of more rows."""
    x, y = coded.x, coded.y
    if coded.where_x.any() or coded.where_y.any():
        inside = (coded.where_x == INSIDE) & (coded.where_y == INSIDE)
        x, y = x[inside], y[inside]
    if not len(x):
        return box
    own = int(x.min()), int(x.max()), int(y.min()), int(y.max())
    if box is None:
        return own
    return min(box[0], own[0]), max(box[1], own[1]), min(box[2], own[2]), max(box[3], own[3])
