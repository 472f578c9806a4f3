"""Cells of the deepest level put together to those of coarser ones, each once for all levels on which it holds the same
rows.

Rows are taken some at a time. A cell with rows beyond them is left in parts, which are those of finer levels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.reductions.base import Planes, Reduction
from bigviz.common.jit import frozen, jit
from bigviz.tiles.grid.tile_key import DEEPEST
from bigviz.tiles.pyramid.levels.merge_level import LEVELS, merge_level

__all__ = ["NO_STEP", "STEPS", "Cells", "Tell", "combined", "joined", "planned"]

Array = npt.NDArray[Any]

STEPS: Final = 3  # a cell is put together from its first child and at most so many others
NO_STEP: Final = DEEPEST * STEPS


@dataclass(frozen=True)
class Cells:
    """Cells in the order of their keys: the key of each one's first row (uint64), the finest level on which it holds
    the same rows (int64), and accumulators of shape (1, cells), or (categories, 1, cells)."""

    keys: Array
    finest: Array
    planes: Planes

    def __len__(self) -> int:
        return len(self.keys)

    def take(self, which: Array) -> Cells:
        """Some of them."""
        return Cells(self.keys[which], self.finest[which], _taken(self.planes, which))


Tell = Callable[[Cells, int], None]
"""Is told of cells and of the coarsest level on which they hold the same rows."""


def joined(parts: Sequence[Cells], reduction: Reduction) -> Cells:
    """Cells of rows that follow each other; what is of one cell of the deepest level is put together."""
    keys = np.concatenate([part.keys for part in parts])
    finest = np.concatenate([part.finest for part in parts])
    planes = tuple(np.concatenate(each, axis=-1) for each in zip(*(part.planes for part in parts), strict=True))
    cells = Cells(keys, finest, planes)
    again = np.flatnonzero(keys[1:] == keys[:-1]) + 1
    if not len(again):
        return cells
    heads = np.ones(len(keys), np.bool_)
    heads[again] = False
    firsts = np.flatnonzero(heads)[np.cumsum(heads) - 1]
    for at in again.tolist():
        into = slice(int(firsts[at]), int(firsts[at]) + 1)
        reduction.combine(
            tuple(plane[..., into] for plane in planes), tuple(plane[..., at : at + 1] for plane in planes)
        )
    return cells.take(np.flatnonzero(heads))


def combined(reduction: Reduction, cells: Cells, before: int, after: int, tell: Tell) -> Cells:
    """Put cells of different keys together, level by level; returns those that are part of a cell with rows beyond
    them, or of none. `tell` is told of all others.

    `before` and `after` are the deepest levels on which the first and the last row lie in a cell with the row before,
    and the one after; -1 where there is none. The accumulators given are used up.
    """
    into, steps, order = planned(cells, before, after)
    ends = np.searchsorted(steps[order], np.arange(NO_STEP + 1))
    for level in range(DEEPEST - 1, -1, -1):
        step = (DEEPEST - 1 - level) * STEPS
        whole = order[ends[step] : ends[step + STEPS]]
        if not len(whole):
            continue
        firsts = into[order[ends[step] : ends[step + 1]]]
        tell(cells.take(np.concatenate([firsts, whole])), level + 1)
        for nth in range(step, step + STEPS):
            others = order[ends[nth] : ends[nth + 1]]
            if len(others):
                _combine(reduction, cells.planes, into[others], others)
        cells.finest[firsts] = level
    return cells.take(np.flatnonzero(steps == NO_STEP))


def planned(cells: Cells, before: int, after: int) -> tuple[Array, Array, Array]:
    """How `combined` goes about it: which cell each one is added to, in which step, and all that are, step by step."""
    into, steps = np.zeros(len(cells), np.int64), np.full(len(cells), NO_STEP, np.uint8)
    _plan(frozen(cells.keys), before, after, into, steps)
    order = np.argsort(steps, kind="stable")
    return into, steps, order[: len(order) - int(np.count_nonzero(steps == NO_STEP))]


def _taken(planes: Planes, which: Array) -> Planes:
    return tuple(np.take(plane, which, axis=-1) for plane in planes)


def _combine(reduction: Reduction, planes: Planes, into: Array, others: Array) -> None:
    """Add cells to others, each to another one."""
    sums = _taken(planes, into)
    reduction.combine(sums, _taken(planes, others))
    for plane, values in zip(planes, sums, strict=True):
        plane[..., into] = values


@jit
def _plan(keys: Array, before: int, after: int, into: Array, steps: Array) -> None:
    """To which cell each one is added, and in which step: three for each level, the deepest level first.

    A cell is named by its first part. It is the last one before the others that differs from its predecessor on a
    coarser level; a stack holds these, the coarsest at the bottom.
    """
    levels = np.empty(keys.size, np.int8)
    stack = np.empty((LEVELS + 1, 4), np.int64)  # level, last place on this level, cell of it, and how many were added
    depth = 0
    for k in range(1, keys.size):
        level = merge_level(keys[k - 1], keys[k])
        levels[k] = level
        while depth > 0 and stack[depth - 1, 0] > level:
            depth -= 1
        if depth == 0 or stack[depth - 1, 0] < level:
            stack[depth, 0] = level
            stack[depth, 2] = stack[depth - 1, 1] if depth > 0 else 0
            stack[depth, 3] = 0
            depth += 1
        stack[depth - 1, 1] = k
        into[k] = stack[depth - 1, 2]
        if level > before or into[k] > 0:
            steps[k] = min((DEEPEST - 1 - level) * STEPS + stack[depth - 1, 3], NO_STEP)
        stack[depth - 1, 3] += 1
    lowest = DEEPEST
    for k in range(keys.size - 1, 0, -1):
        if lowest >= levels[k] and levels[k] <= after:
            steps[k] = NO_STEP
        lowest = min(lowest, levels[k])
