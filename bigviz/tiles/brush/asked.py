"""The definition of a brush, and a brush made by it over the rows that are prepared."""

from __future__ import annotations

from dataclasses import dataclass

from bigviz.tiles.brush.brush import MovingBrush, State
from bigviz.tiles.brush.linked import LineTarget, OtherBrush, Source, Target, filter_of
from bigviz.tiles.brush.others import Resting, failed_rows
from bigviz.tiles.brush.prepare import kept_rows, names_of, prepare_order, prepare_target
from bigviz.tiles.brush.prepared import Prepared
from bigviz.tiles.brush.targets.lines.line_rows import LineRows

__all__ = ["Asked", "moving_brush"]


@dataclass(frozen=True)
class Asked:
    """The definition of a brush."""

    source: Source
    targets: tuple[Target, ...]
    others: tuple[OtherBrush, ...]

    @property
    def ranges(self) -> bool:
        """Whether the rows of a step are all rows of some ranges: no other brush and no filter leaves any out."""
        return not self.others and not filter_of(self.source)

    def spared(self, number: int) -> int:
        """The bits of the brushes that do not filter a target."""
        return sum(1 << bit for bit, other in enumerate(self.others) if number in other.spares)

    def names(self, prepared: Prepared) -> list[str]:
        """All columns that it reads."""
        each = (self.source, *self.targets, *(other.source for other in self.others))
        return sorted(set().union(*(names_of(one, prepared.dataset) for one in each)))


def moving_brush(asked: Asked, prepared: Prepared, workers: int) -> MovingBrush:
    """A brush over the rows that are prepared."""
    order = prepare_order(asked.source, prepared)
    others = [
        Resting(prepare_order(each.source, prepared), each.shape, kept_rows(filter_of(each.source), prepared))
        for each in asked.others
    ]
    # Lines first: a histogram of a line's y takes its bins from the numbers that the line has put in order.
    numbers = sorted(range(len(asked.targets)), key=lambda number: not isinstance(asked.targets[number], LineTarget))
    made: dict[int, State] = {}
    for number in numbers:
        target = asked.targets[number]
        rows = prepare_target(target, asked.source, order, prepared, workers, asked.ranges)
        made[number] = State(target, rows, asked.spared(number))
    states = [made[number] for number in range(len(asked.targets))]
    failed = failed_rows(order, others, kept_rows(filter_of(asked.source), prepared), prepared.crew)
    for state in states:
        if isinstance(state.rows, LineRows):
            state.rows.begin(failed, state.spared, prepared.crew)
    return MovingBrush(order, states, failed, workers, prepared.before is not None)
