"""Targets of a brush, added up from what parts have of them, in the order of rows."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bigviz.aggregate.axis import Axis
from bigviz.aggregate.reductions.base import Planes, Reduction
from bigviz.common.cancel import Cancel
from bigviz.tiles.answers.answer import Cost, microseconds
from bigviz.tiles.answers.columns import Columns
from bigviz.tiles.brush.linked import Brushed, LineTarget, RasterTarget, Step, Target
from bigviz.tiles.brush.targets.cell_planes import CellPlanes
from bigviz.tiles.cluster.cluster_points import widened
from bigviz.tiles.cluster.lines.joined_line import joined_line, without_bridges
from bigviz.tiles.cluster.lines.part_picks import PartPicks
from bigviz.tiles.cluster.messages import Answer, kept_of
from bigviz.tiles.cluster.parts.division import Part
from bigviz.tiles.pyramid.accumulators import revive
from bigviz.wire.codec import SIDE

__all__ = ["Added", "AddedLine", "Asked", "added_step"]


@dataclass(frozen=True)
class Added:
    """A target of all parts: its reduction, bound to the table, and the `dtype` in which all rows add up."""

    target: Target
    reduction: Reduction
    dtype: np.dtype[Any]


@dataclass(frozen=True)
class AddedLine:
    """A line of all parts, and its axes."""

    target: LineTarget
    axes: tuple[Axis, Axis]


@dataclass(frozen=True)
class Asked:
    """The parts that answered a step, those that there are, and how they are asked more about a line."""

    parts: Sequence[Part]
    every: Sequence[Part]
    more: Callable[[Mapping[str, Any]], Sequence[Answer]]


def added_step(targets: Sequence[Added | AddedLine], answers: Sequence[Answer], asked: Asked, cancel: Cancel) -> Step:
    """A step of a brush, of what parts answered: an estimate where others are missing."""
    begun = time.perf_counter()
    rows, of = (sum(part.rows for part in parts) for parts in (asked.parts, asked.every))
    bodies = [iter(answer.bodies) for answer in answers]
    made = []
    for number, target in enumerate(targets):
        told = [answer.head["targets"][number] for answer in answers]
        own = [[next(left) for _ in range(each["bodies"])] for each, left in zip(told, bodies, strict=True)]
        exact, share = all(each["exact"] for each in told), min(each["share"] for each in told) * (rows / of)
        if isinstance(target, AddedLine):
            columns = _columns(target, number, told, own, asked)
            made.append(Brushed(None, columns, exact and rows == of, share))
        else:
            made.append(_brushed(_Sums(target, told, own), exact and rows == of, share, cancel))
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


def _columns(
    line: AddedLine, number: int, told: Sequence[Any], bodies: Sequence[Sequence[bytes]], asked: Asked
) -> Columns:
    """The columns of a line, of what parts picked. Nothing is drawn across the rows of a part that is missing, where
    rows are in the order of the file."""
    picked = [PartPicks.of(each["picks"], own[0]) for each, own in zip(told, bodies, strict=True)]
    width = line.target.width
    picks = joined_line(picked, width, lambda more: asked.more({**more, "target": number}))
    if len(asked.parts) < len(asked.every) and _is_monotonic(picks.positions):
        picks = without_bridges(picks, asked.parts, asked.every)
    flagged = picks.flagged.tolist()
    return Columns(picks.columns, picks.runs, picks.positions, picks.x, picks.y, width, flagged, line.axes)


def _is_monotonic(numbers: np.ndarray) -> bool:
    steps = np.diff(numbers)
    return bool((steps > 0).all() or (steps < 0).all())


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
