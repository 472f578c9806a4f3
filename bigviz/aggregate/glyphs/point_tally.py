"""The tally of an image of points: rows are placed and added in one kernel where there is one."""

from __future__ import annotations

from dataclasses import dataclass

from bigviz.aggregate.glyphs.point_kernels import Target, count_points, keep_extremes, mark_points, sum_points
from bigviz.aggregate.glyphs.point_reader import PointReader
from bigviz.aggregate.reductions.base import Planes
from bigviz.aggregate.reductions.tally import (
    SPARE,
    CountTally,
    ExtremeTally,
    MarkTally,
    PlanesTally,
    SumTally,
    Tally,
    tally,
)  # fmt: skip
from bigviz.common.cancel import Cancel

__all__ = ["PointTally"]


@dataclass(frozen=True)
class PointTally:
    """Takes rows of points; its planes have categories last."""

    reader: PointReader
    tally: Tally
    target: Target

    @staticmethod
    def of(reader: PointReader, cancel: Cancel) -> PointTally:
        """A tally of nothing yet. Raises TooLarge where there are too many cells."""
        inputs = reader.rows.inputs
        made = tally(reader.reduction.plane, reader.shape, inputs.dtype, 0, inputs.narrow, cancel.check)
        spare = 0 if isinstance(made, PlanesTally) else SPARE - 1
        return PointTally(reader, made, reader.target(made.outside, spare))

    def add(self, start: int, stop: int) -> None:
        """Add rows, in their order."""
        reader, made = self.reader, self.tally
        if isinstance(made, PlanesTally) or not reader.places_floats:
            cells = reader.cells(self.target, start, stop)
            made.add(cells, reader.rows.inputs.rows(start, stop, reader.reduction.ordered))
            return
        points, sides = reader.points(start, stop), reader.sides
        if isinstance(made, CountTally):
            made.expect(stop - start)
            made.found = count_points(points, sides, self.target, made.low, made.wrapped, made.found)
        elif isinstance(made, MarkTally):
            mark_points(points, sides, self.target, made.marks)
        elif isinstance(made, SumTally):
            counts = made.counts
            counts.expect(stop - start)
            counts.found = sum_points(points, sides, self.target, made.sums, counts.low, counts.wrapped, counts.found)
        elif isinstance(made, ExtremeTally):
            keep_extremes(points, sides, self.target, made.best, made.lowest)

    def planes(self) -> Planes:
        """The planes of the reduction. Nothing may be added afterwards."""
        return self.tally.planes()
