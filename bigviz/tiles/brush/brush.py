"""A brush that moves: rows come and go at its edges, and each target's cells follow.

Crossfilter (Square, 2012, https://github.com/crossfilter/crossfilter) keeps each dimension sorted and, as a filter on
one moves, adds and removes the rows between its old and its new end, in JavaScript, one dimension at a time and about
10^6 rows. Falcon (Moritz, Howe, Heer, "Falcon: Balancing Interactive Latency and Resolution Sensitivity for Scalable
Linked Visualizations", CHI 2019) and Mosaic's pre-aggregation (Heer, Moritz, "Mosaic: An Architecture for Scalable &
Interoperable Data Views", VIS 2023) instead sum up, for the view that is about to be brushed, a cube of its pixels by
the bins of each other view: a move then costs cells and not rows, but a cube is exact only at pixels of the view that
it was built for, is built again when any view is zoomed, and a raster of 1024 x 768 cells by a box of two axes would
have more cells than the table has rows.

Here rows lie in an order in which a brush is a few ranges (sorted for one axis, Morton for a box), and each target's
cells of the deepest level lie beside them. So a move costs the rows of the strip that its edges swept, in any number of
targets, is exact to the number at each edge, and does not care how far any view is zoomed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from bigviz.common.cancel import NEVER, Cancel, locked
from bigviz.common.errors import Cancelled
from bigviz.common.workers import Crew
from bigviz.tiles.answers.answer import Cost, microseconds
from bigviz.tiles.brush.brush_threads import BrushThreads
from bigviz.tiles.brush.linked import Accumulated, Brushed, LineInBrush, LineTarget, RasterTarget, Step, Target
from bigviz.tiles.brush.orders.position_ranges import PART, Picked, PositionRanges, one_range, parts_of
from bigviz.tiles.brush.orders.shapes import Shape
from bigviz.tiles.brush.orders.source_order import Change, SourceOrder, inverse, rows_of
from bigviz.tiles.brush.targets.grid_target import GridTarget
from bigviz.tiles.brush.targets.lines.line_rows import LineRows
from bigviz.tiles.pyramid.accumulators import Kept
from bigviz.wire.codec import EncodedPlane

__all__ = ["MovingBrush", "State", "accumulated"]

Array = npt.NDArray[Any]

_ALONE: Final = 1 << 17  # rows that one thread takes no longer for than two
_LONG: Final = 1 << 20  # rows that are looked at together where nothing is made of each of them
_CHEAP: Final = 1 << 20  # rows whose difference is taken without asking whether another way is shorter


@dataclass
class State:
    """A target as it was asked for, with its cells; `spared` are the bits of the brushes that do not filter it."""

    target: Target
    rows: GridTarget | LineRows
    spared: int


class _Rows(Protocol):
    """What rows are added to, or taken away from."""

    def add(self, worker: int, picked: Picked, sign: int) -> None:
        """Add rows, or take them away. Workers may do so at a time, each with a number of its own."""

    def merge(self) -> None:
        """All workers have added what they had."""


_Taker = tuple[_Rows, int]  # and the bits of the brushes that do not filter it


@dataclass(frozen=True)
class _Job:
    """Rows to be added, or taken away."""

    change: Change
    sign: int

    @property
    def rows(self) -> int:
        return rows_of(self.change)


class MovingBrush:
    """A brush over a source's order. Calls may come from any thread; one moves at a time.

    `failed` (uint8, in the source's order; None: all are zero) says by its bits which of the other brushes a row is not
    in. Steps of a `part` of a table tell accumulators.
    """

    def __init__(
        self, order: SourceOrder, states: list[State], failed: Array | None, workers: int, part: bool = False
    ) -> None:
        self._part = part
        self._order, self._states, self._failed = order, states, failed
        self._threads = BrushThreads(workers)
        self._lock = threading.Lock()
        self._shape: Shape | None = None
        self._blank = True  # the targets hold no rows
        self._selected = 0
        self._inside = 0  # rows in this brush, be they in the others or not
        self._left: list[tuple[PositionRanges, int]] = []  # of a move that was cancelled
        self._done: list[tuple[PositionRanges, int]] = []
        self._before: tuple[Shape | None, bool] = (None, True)
        self._latest: tuple[Shape, Change] | None = None

    @property
    def nbytes(self) -> int:
        """Bytes of memory of the targets' cells."""
        return sum(state.rows.nbytes for state in self._states)

    def move(self, shape: Shape | None, cancel: Cancel = NEVER) -> Step:
        """Show the rows of another brush; None: all rows."""
        with locked(self._lock, cancel):
            begun = time.perf_counter()
            read = self._follow(shape, cancel)
            return self._step(begun, read, cancel)

    def settle(self, cancel: Cancel = NEVER) -> Step:
        """Count again what a shrinking brush left uncertain; everything is exact after that."""
        with locked(self._lock, cancel):
            begun = time.perf_counter()
            stale = [state for state in self._states if not state.rows.exact]
            read = self._recount(stale, cancel) if stale else 0
            return self._step(begun, read, cancel)

    def retarget(self, number: int, state: State, cancel: Cancel = NEVER) -> Step:
        """Show a target otherwise, from the next answer on: it gets the rows of the brush as it is now."""
        with locked(self._lock, cancel):
            begun = time.perf_counter()
            self._finish()
            read = 0
            if isinstance(state.rows, LineRows):
                state.rows.begin(self._failed, state.spared, Crew(self._threads.count, cancel=cancel))
            if not self._blank:
                read = self._fill([(state.rows, state.spared)], cancel)
            self._states[number] = state
            return self._step(begun, read, NEVER)  # it is shown otherwise already

    def replace(self, number: int, target: LineTarget, cancel: Cancel = NEVER) -> Step:
        """Show a line in another window: it has its rows already."""
        with locked(self._lock, cancel):
            begun = time.perf_counter()
            self._finish()
            state = self._states[number]
            if isinstance(state.rows, LineRows):
                state.rows.show((target.x0, target.x1, target.width), Crew(self._threads.count, cancel=cancel))
            state.target = target
            return self._step(begun, 0, NEVER)

    def state(self, number: int) -> State:
        """A target as it is."""
        return self._states[number]

    def uncounted(self) -> list[tuple[Target, GridTarget]]:
        """The targets that want their blocks counted (see `targets.counted_blocks`)."""
        if self._failed is not None or not self._order.ranged:
            return []
        grids = [(state.target, state.rows) for state in self._states if isinstance(state.rows, GridTarget)]
        return [(target, grid) for target, grid in grids if grid.uncounted]

    def filled(self, shape: Shape | None, cancel: Cancel) -> tuple[list[GridTarget], int]:
        """The targets of cells under a brush, and how many rows are in all brushes."""
        with locked(self._lock, cancel):
            self._follow(shape, cancel)
            return [state.rows for state in self._states if isinstance(state.rows, GridTarget)], self._selected

    def line(self, number: int, shape: Shape | None, cancel: Cancel) -> LineInBrush:
        """All rows of a line in its window under a brush."""
        with locked(self._lock, cancel):
            self._follow(shape, cancel)
            rows = self._states[number].rows
            assert isinstance(rows, LineRows)
            return rows.in_brush(self._order, self._change(cancel), cancel)

    def scale(self, factor: float) -> None:
        """Each row stands for so many."""
        for state in self._states:
            if isinstance(state.rows, GridTarget):
                state.rows.scale = factor

    def close(self) -> None:
        """End the threads."""
        self._threads.close()

    # What follows is called with the lock held.

    def _follow(self, shape: Shape | None, cancel: Cancel) -> int:
        """Bring the targets from one brush to another; the rows that were read."""
        self._finish()
        if not self._blank and shape == self._shape:
            return 0
        jobs, anew = self._plan(shape, cancel)
        parts = self._parts(jobs)
        self._before, self._done = (self._shape, self._blank), []
        if anew:
            self._clear()
        self._shape, self._blank, self._left = shape, False, parts
        try:
            return self._move(parts, cancel)
        except Cancelled:
            raise
        except BaseException:
            self._forget()
            raise

    def _finish(self) -> None:
        """After a move that was cancelled: go on with it, or back, whichever is shorter."""
        if not self._left:
            return
        forward, back = (sum(part.rows for part, _ in each) for each in (self._left, self._done))
        if self._before[1] and back > 0 and forward > _CHEAP:
            self._forget()
            return
        if forward <= back:
            self._move(self._left, NEVER)
        else:
            undone = [(part, -sign) for part, sign in self._done]
            self._left, self._done = undone, []
            self._move(undone, NEVER)
            self._shape, self._blank = self._before
        self._left = []

    def _plan(self, shape: Shape | None, cancel: Cancel) -> tuple[list[_Job], bool]:
        """What to do, and whether after taking all rows away."""
        if self._blank or not self._order.ranged:
            return [_Job(self._found(shape, cancel), 1)], True
        jobs = self._differences(self._shape, shape, cancel)
        changed = sum(job.rows for job in jobs)
        if changed > max(_CHEAP, self._inside + sum(job.sign * job.rows for job in jobs)):
            whole = _Job(self._found(shape, cancel), 1)
            if whole.rows < changed:
                return [whole], True
        return jobs, False

    def _differences(self, before: Shape | None, after: Shape | None, cancel: Cancel) -> list[_Job]:
        """The rows that leave the brush, and then those that come; searched for on all threads, and before them the
        whole brush, which takes longest, where a line will ask for it."""
        if before is None or after is None:
            shape = before or after
            rest = [] if shape is None else inverse(self._order.within(shape, cancel), self._order.rows)
            return [_Job(rest, -1 if before is None else 1)]
        todo: list[tuple[Shape, int]] = [*((each, -1) for each in before.minus(after))]
        todo += ((each, 1) for each in after.minus(before))
        found: list[Change] = [[] for _ in todo]

        lines = any(isinstance(state.rows, LineRows) for state in self._states)

        def search(k: int) -> None:
            if k < lines:
                self._found(after, cancel)
            else:
                found[k - lines] = self._order.within(todo[k - lines][0], cancel)

        self._threads.each(len(todo) + lines, search)
        return [_Job(change, sign) for change, (_, sign) in zip(found, todo, strict=True)]

    def _found(self, shape: Shape | None, cancel: Cancel) -> Change:
        """The ranges of a brush. Those of the last one are kept: lines are looked for in the ranges of grids."""
        if shape is None:
            return [one_range(0, self._order.rows)] if self._order.rows else []
        if self._latest is None or self._latest[0] != shape:
            self._latest = shape, self._order.within(shape, cancel)
        return self._latest[1]

    def _parts(self, jobs: Sequence[_Job]) -> list[tuple[PositionRanges, int]]:
        few = self._failed is not None or any(not state.rows.by_ranges for state in self._states)
        size = PART if few else _LONG
        return [(part, job.sign) for job in jobs for each in job.change for part in parts_of(each, size)]

    def _clear(self) -> None:
        for state in self._states:
            state.rows.clear()
        self._selected = self._inside = 0

    def _forget(self) -> None:
        """Begin with the next move."""
        self._clear()
        self._shape, self._blank, self._left, self._done = None, True, [], []

    def _move(self, parts: list[tuple[PositionRanges, int]], cancel: Cancel) -> int:
        """Add parts to all targets, or take them away."""
        return self._run(parts, [(state.rows, state.spared) for state in self._states], cancel, True)

    def _fill(self, takers: Sequence[_Taker], cancel: Cancel) -> int:
        """Add all rows of the brush as it is now."""
        return self._run(self._parts([_Job(self._found(self._shape, cancel), 1)]), takers, cancel, False)

    def _run(
        self, parts: list[tuple[PositionRanges, int]], takers: Sequence[_Taker], cancel: Cancel, kept: bool
    ) -> int:
        """Add parts to targets, or take them away, on all threads: the rows of all ranges. With `kept` what was done
        and what is left is known after a cancellation, and rows in the brush are counted."""
        total = sum(part.rows for part, _ in parts)
        todo = iter(list(parts))
        lock = threading.Lock()
        done: list[tuple[PositionRanges, int]] = []
        selected, inside = [0] * self._threads.count, [0] * self._threads.count

        def work(worker: int) -> None:
            while not cancel.cancelled:
                with lock:
                    each = next(todo, None)
                if each is None:
                    return
                counts = self._apply(worker, *each, takers)
                selected[worker] += counts[0]
                inside[worker] += counts[1]
                with lock:
                    done.append(each)

        if total > _ALONE:
            self._threads.share(work)
        else:
            work(0)
        for rows, _ in takers:
            rows.merge()
        if kept:
            self._selected += sum(selected)
            self._inside += sum(inside)
            self._done = done
            self._left = list(todo) if cancel.cancelled else []
        if cancel.cancelled and (self._left or not kept):
            raise Cancelled()
        return total

    def _apply(self, worker: int, part: PositionRanges, sign: int, takers: Sequence[_Taker]) -> tuple[int, int]:
        """Add the rows of a part to targets; `sign` times how many of them are in all brushes, and in this one."""
        picked = self._order.picked(part)
        if self._failed is None:
            for rows, _ in takers:
                rows.add(worker, picked, sign)
            return sign * picked.rows, sign * picked.rows
        failed, positions = picked.take(self._failed), picked.positions()
        kept: dict[int, Picked] = {}
        for spared in {0, *(spared for _, spared in takers)}:
            kept[spared] = Picked.at(positions[failed & np.uint8(255 & ~spared) == 0])
        for rows, spared in takers:
            rows.add(worker, kept[spared], sign)
        return sign * kept[0].rows, sign * picked.rows

    def _recount(self, stale: Sequence[State], cancel: Cancel) -> int:
        """Count stale cells of targets again."""
        self._finish()
        grids = [state.rows for state in stale if isinstance(state.rows, GridTarget)]
        for grid in grids:
            grid.state.recount()
        again = [(_Again(grid), state.spared) for state, grid in zip(stale, grids, strict=True)]
        try:
            read = self._fill(again, cancel)
        except BaseException:
            self._forget()
            raise
        for grid in grids:
            grid.state.recounted()
        return read

    def _step(self, begun: float, read: int, cancel: Cancel) -> Step:
        counted = time.perf_counter()
        targets = self._answers(cancel)
        exact = all(target.exact for target in targets)
        encode_us = microseconds(time.perf_counter() - counted)
        cost = Cost(0, microseconds(counted - begun), encode_us, read, read * 8)
        return Step(targets, self._selected, self._order.rows, exact, cost)

    def _answers(self, cancel: Cancel) -> list[Brushed]:
        """The targets as they are sent; their blocks are encoded on all threads."""
        grids = [
            (number, state.rows) for number, state in enumerate(self._states) if isinstance(state.rows, GridTarget)
        ]
        if self._part:
            return [self._of_part(state.rows, cancel) for state in self._states]
        todo = [(number, rows, block) for number, rows in grids for block in range(rows.blocks)]
        made: dict[tuple[int, int], list[EncodedPlane]] = {}

        def work(k: int) -> None:
            number, rows, block = todo[k]
            made[number, block] = rows.encoded(block, cancel)

        self._threads.each(len(todo), work)
        return [self._brushed(number, state, made, cancel) for number, state in enumerate(self._states)]

    def _of_part(self, rows: GridTarget | LineRows, cancel: Cancel) -> Brushed:
        """What a target of a part is told of."""
        if isinstance(rows, GridTarget):
            return accumulated(rows, rows.exact, self._threads.each, cancel)
        if rows.picks_at_once:
            return Brushed(None, rows.columns(self._order, self._change(cancel), self._threads.each, cancel), True)
        return Brushed(None, None, True, line=rows.in_brush(self._order, self._change(cancel), cancel))

    def _change(self, cancel: Cancel) -> Change:
        """The ranges of the brush as it is now."""
        return [] if self._blank else self._found(self._shape, cancel)

    def _brushed(
        self, number: int, state: State, made: dict[tuple[int, int], list[EncodedPlane]], cancel: Cancel
    ) -> Brushed:
        rows = state.rows
        if not isinstance(rows, GridTarget):
            columns = rows.columns(self._order, self._change(cancel), self._threads.each, cancel)
            return Brushed(None, columns, rows.exact)
        planes: list[EncodedPlane] = list(chain.from_iterable(made[number, block] for block in range(rows.blocks)))
        image = rows.cell_planes.image(planes)
        heights = None if isinstance(state.target, RasterTarget) else rows.heights()
        return Brushed(image, None, rows.exact, heights=heights)


def accumulated(
    grid: GridTarget, exact: bool, each: Callable[[int, Callable[[int], None]], None], cancel: Cancel
) -> Brushed:
    """A target of a part of a table; `each(count, work)` calls `work(k)` for each k below a count."""
    kept: dict[int, Kept] = {}

    def work(k: int) -> None:
        kept[k] = grid.kept(k, cancel)

    count = grid.planes * grid.blocks
    each(count, work)
    told = Accumulated(
        grid.planes, grid.width, grid.height, grid.reduced.dtype, [kept[number] for number in range(count)]
    )
    return Brushed(None, None, exact, accumulated=told)


class _Again:
    """A target's stale cells, to which rows are added again."""

    def __init__(self, grid: GridTarget) -> None:
        self._grid = grid

    def add(self, worker: int, picked: Picked, sign: int) -> None:
        self._grid.add_again(worker, picked)

    def merge(self) -> None:
        """Nothing is left to do."""
