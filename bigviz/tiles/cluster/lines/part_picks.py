"""What a part of a line has in the pixel columns of a window: the rows that M4 picks of it, and where its gaps are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bigviz.tiles.cluster.messages import arrays_of, packed
from bigviz.tiles.series.m4 import Picks, pick_rows
from bigviz.tiles.series.merged_m4 import gap_from, gap_to
from bigviz.tiles.series.part import Part
from bigviz.tiles.series.sorted_numbers import Positions

__all__ = ["Keys", "PartPicks", "body_arrays", "body_of", "part_picks"]

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Keys:
    """Rows by what they are ordered by: their x, and their numbers in the table."""

    x: Array
    rows: Array

    @classmethod
    def at(cls, part: Part, positions: Positions) -> Keys:
        """Those of positions of a part."""
        return cls(part.series.x.at(positions), part.numbers(positions))


@dataclass(frozen=True)
class PartPicks:
    """`picks` of a part's rows, whose positions are row numbers in the table; and of each column with rows that have no
    y (`gaps`, int32, ascending; -1 and the width: outside the window) the `first` and the `last` of these."""

    picks: Picks
    gaps: Array
    first: Keys
    last: Keys

    def told(self) -> tuple[dict[str, Any], bytes]:
        """As JSON and bytes."""
        picks = self.picks
        arrays = [picks.columns, picks.runs, picks.positions, picks.x, picks.y]
        if len(self.gaps):
            arrays += [self.gaps, self.first.x, self.first.rows, self.last.x, self.last.rows]
        facts, body = body_of(arrays)
        return {"arrays": facts, "rows": picks.rows}, body

    @classmethod
    def of(cls, head: Mapping[str, Any], body: bytes) -> PartPicks:
        """What `told` told of."""
        columns, runs, rows, x, y, *gaps = body_arrays(head["arrays"], body)
        picks = Picks(columns, runs, rows, x, y, np.empty(0, np.int32), head["rows"])
        if not gaps:
            nothing = Keys(x[:0], rows[:0])
            return cls(picks, np.empty(0, np.int32), nothing, nothing)
        return cls(picks, gaps[0], Keys(gaps[1], gaps[2]), Keys(gaps[3], gaps[4]))


def part_picks(part: Part, bounds: Positions) -> PartPicks:
    """What a part has in the columns between ascending positions. Its row numbers are those of the table."""
    picks = pick_rows(part.series, bounds)
    told = Picks(picks.columns, picks.runs, part.numbers(picks.positions), picks.x, picks.y, picks.flagged, picks.rows)
    width = len(bounds) - 1
    if not len(part.series.gaps):
        nothing = Keys.at(part, np.empty(0, np.int64))
        return PartPicks(told, np.empty(0, np.int32), nothing, nothing)
    first, last = gap_from(part, bounds[:-1]), gap_to(part, bounds[1:] - 1)
    inside = np.flatnonzero(first < bounds[1:])
    before, after = gap_to(part, bounds[:1] - 1), gap_from(part, bounds[-1:])
    before, after = before[before >= 0], after[after < part.stop]
    columns = np.concatenate([np.full(len(before), -1), inside, np.full(len(after), width)]).astype(np.int32)
    firsts, lasts = (np.concatenate([before, each[inside], after]) for each in (first, last))
    return PartPicks(told, columns, Keys.at(part, firsts), Keys.at(part, lasts))


def body_of(arrays: Sequence[Array]) -> tuple[list[Any], bytes]:
    """Arrays as what is to be said of them, and one body for all."""
    facts, bodies = packed(arrays)
    return facts, b"".join(bodies)


def body_arrays(facts: Sequence[Any], body: bytes) -> list[Array]:
    """The arrays that `body_of` was given."""
    bodies, at = [], 0
    for dtype, shape in facts:
        size = np.dtype(dtype).itemsize * int(np.prod(shape))
        bodies.append(bytes(body[at : at + size]))
        at += size
    return [each for each in arrays_of(facts, bodies) if each is not None]
