"""Targets of a brush, added up from what parts have of them, in the order of rows."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bigviz.aggregate.reductions.base import Planes, Reduction
from bigviz.common.cancel import Cancel
from bigviz.tiles.answers.answer import Cost, microseconds
from bigviz.tiles.brush.linked import Brushed, RasterTarget, Step, Target
from bigviz.tiles.brush.targets.cell_planes import CellPlanes
from bigviz.tiles.cluster.cluster_points import widened
from bigviz.tiles.cluster.messages import Answer, kept_of
from bigviz.tiles.pyramid.accumulators import revive
from bigviz.wire.codec import SIDE

__all__ = ["Added", "added_step"]


@dataclass(frozen=True)
class Added:
    """A target of all parts: its reduction, bound to the table, and the `dtype` in which all rows add up."""

    target: Target
    reduction: Reduction
    dtype: np.dtype[Any]


def added_step(targets: Sequence[Added], answers: Sequence[Answer], rows: int, of: int, cancel: Cancel) -> Step:
    """A step of a brush, of what parts with `rows` rows of `of` have: an estimate where others are missing."""
    begun = time.perf_counter()
    bodies = [iter(answer.bodies) for answer in answers]
    made = []
    for number, target in enumerate(targets):
        told = [answer.head["targets"][number] for answer in answers]
        sums = _Sums(
            target, told, [[next(left) for _ in each["kept"]] for each, left in zip(told, bodies, strict=True)]
        )
        exact, share = all(each["exact"] for each in told), min(each["share"] for each in told) * (rows / of)
        made.append(_brushed(sums, exact and rows == of, share, cancel))
    kernel, encode, read, size = (sum(each) for each in zip(*(answer.head["cost"] for answer in answers), strict=True))
    selected = sum(answer.head["rows"] for answer in answers)
    exact = rows == of and all(answer.head["exact"] for answer in answers)
    cost = Cost(0, kernel, encode + microseconds(time.perf_counter() - begun), read, size)
    return Step(made, selected, of, exact, cost)


def _brushed(sums: _Sums, exact: bool, share: float, cancel: Cancel) -> Brushed:
    cells = sums.cells(cancel)
    planes = [plane for block in range(cells.blocks) for plane in cells.encoded(block, cancel)]
    heights = None if isinstance(sums.added.target, RasterTarget) else cells.heights()
    return Brushed(cells.image(planes), None, exact, share, heights)


@dataclass
class _Sums:
    """The accumulators of a target; `told` and `bodies` are those of the parts."""

    added: Added
    told: Sequence[Any]
    bodies: Sequence[Sequence[bytes]]

    def cells(self, cancel: Cancel) -> CellPlanes:
        """The cells of all parts."""
        blocks = [self._block(number, cancel) for number in range(len(self.bodies[0]))]
        planes, width, height = self.told[0]["size"]
        return CellPlanes(self.added.reduction, self.added.dtype, planes, width, height, blocks.__getitem__)

    def _block(self, number: int, cancel: Cancel) -> Planes:
        reduction = self.added.reduction.plane
        total = reduction.create((SIDE, SIDE), self.added.dtype)
        for told, bodies in zip(self.told, self.bodies, strict=True):
            cancel.check()
            kept = kept_of(bodies[number], *told["kept"][number])
            found = revive(reduction, kept, np.dtype(told["dtype"]), cancel)
            reduction.combine(total, widened(reduction, found, self.added.dtype))
        return total
