"""The targets of a brush that rests, by a pass over the table: for tables whose columns memory does not hold."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from bigviz.aggregate.reductions.base import Planes
from bigviz.common.cancel import Cancel
from bigviz.tiles.answers.answer import Cost, microseconds
from bigviz.tiles.brush.asked import Asked, moving_brush
from bigviz.tiles.brush.brush import accumulated
from bigviz.tiles.brush.linked import Brushed, LineTarget, RasterTarget, Step
from bigviz.tiles.brush.orders.shapes import Shape
from bigviz.tiles.brush.prepared import Prepared
from bigviz.tiles.brush.some_rows import batches
from bigviz.tiles.brush.targets.grid_target import GridTarget

__all__ = ["passed"]


class _Sum:
    """The grids of all batches, as one; `grids` are those of the first."""

    def __init__(self) -> None:
        self.selected = 0
        self.grids: list[GridTarget] = []
        self._planes: list[list[Planes]] = []
        self._lock = threading.Lock()

    def add(self, grids: list[GridTarget], selected: int) -> None:
        """Take in a batch."""
        found = [[grid.state.block(number) for number in range(grid.planes * grid.blocks)] for grid in grids]
        with self._lock:
            self.selected += selected
            if not self.grids:
                self.grids, self._planes = grids, found
                return
            for grid, planes, more in zip(self.grids, self._planes, found, strict=True):
                for one, other in zip(planes, more, strict=True):
                    grid.reduced.reduction.plane.combine(one, other)

    def finished(self) -> list[GridTarget]:
        """The grids with what all batches had."""
        for grid, planes in zip(self.grids, self._planes, strict=True):
            grid.show(planes)
        return self.grids


def passed(asked: Asked, prepared: Prepared, shape: Shape | None, guess: Step, cancel: Cancel) -> Step:
    """The step that a guess was of, exact but for lines, whose rows are not at hand. Raises what reading does, and
    Cancelled."""
    begun = time.perf_counter()
    crew = replace(prepared.crew, cancel=cancel)
    numbers = [number for number, target in enumerate(asked.targets) if not isinstance(target, LineTarget)]
    others = tuple(
        replace(each, spares=frozenset(at for at, number in enumerate(numbers) if number in each.spares))
        for each in asked.others
    )
    grids = replace(asked, targets=tuple(asked.targets[number] for number in numbers), others=others)
    names, total = asked.names(prepared), _Sum()

    def look(chunk: int) -> int:
        rows = 0
        for batch in batches(replace(prepared, crew=replace(crew, threads=1, turns=None)), chunk, names, cancel):
            crew.look()
            brush = moving_brush(grids, batch, 1)
            total.add(*brush.filled(shape, cancel))
            brush.close()
            rows += batch.rows
        return rows

    rows = prepared.dataset.num_rows
    crew.run("counting the brush's rows", look, range(len(prepared.dataset.chunks())), rows)
    targets = list(guess.targets)
    for number, grid in zip(numbers, total.finished(), strict=False):
        if prepared.before is not None:
            targets[number] = accumulated(grid, True, _one_by_one, cancel)
            continue
        planes = [plane for block in range(grid.blocks) for plane in grid.encoded(block, cancel)]
        heights = None if isinstance(asked.targets[number], RasterTarget) else grid.heights()
        targets[number] = Brushed(grid.cell_planes.image(planes), None, True, heights=heights)
    cost = Cost(0, microseconds(time.perf_counter() - begun), 0, rows, rows * 8)
    return Step(targets, total.selected, rows, all(target.exact for target in targets), cost)


def _one_by_one(count: int, work: Callable[[int], None]) -> None:
    for k in range(count):
        work(k)
