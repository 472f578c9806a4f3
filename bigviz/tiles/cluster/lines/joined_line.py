"""What parts pick of a line's columns, as the picks of one line; columns that are torn are asked for anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from bigviz.tiles.cluster.lines.joined_picks import Joined
from bigviz.tiles.cluster.lines.part_picks import Keys, PartPicks, body_arrays
from bigviz.tiles.cluster.lines.torn_columns import added_runs, first_gaps
from bigviz.tiles.cluster.messages import Answer
from bigviz.tiles.cluster.parts.division import Part
from bigviz.tiles.series.m4 import Picks
from bigviz.tiles.series.merged_m4 import SlotRows

__all__ = ["AskParts", "answer_arrays", "joined_line", "without_bridges"]

Array = npt.NDArray[Any]
AskParts = Callable[[Mapping[str, Any]], Sequence[Answer]]


def joined_line(parts: Sequence[PartPicks], width: int, ask: AskParts) -> Picks:
    """The picks of parts (one or more) as those of one line. `ask` asks all of them more about some columns."""
    joined = Joined(parts, width)
    columns = joined.torn
    if len(columns):
        columns, opening, closing = _opened(joined, columns, ask)
    if len(columns):
        asked = {"torn": columns.tolist(), "opening": _told(opening), "closing": _told(closing)}
        found = ask({"ask": "line_runs", **asked})
        joined.tear(columns, added_runs([SlotRows(*answer_arrays(answer)) for answer in found]))
    return joined.picks()


def without_bridges(picks: Picks, parts: Sequence[Part], every: Sequence[Part]) -> Picks:
    """Picks of some parts of a line in the order of the file, with a gap wherever rows of `every` part lie between that
    are not of these."""
    stops = np.cumsum([part.rows for part in every])
    number = np.searchsorted(stops, picks.positions, "right")
    missing = np.cumsum([part not in parts for part in every])[number]
    cut = np.append(0, np.cumsum(missing[1:] != missing[:-1])) if len(missing) else missing
    return Picks(
        picks.columns, (picks.runs + cut).astype(np.int32), picks.positions, picks.x, picks.y, picks.flagged, picks.rows
    )


def answer_arrays(answer: Answer) -> list[Array]:
    """The arrays of an answer in one body."""
    return body_arrays(answer.head["arrays"], answer.bodies[0])


def _opened(joined: Joined, columns: Array, ask: AskParts) -> tuple[Array, Keys, Keys]:
    """Those of torn columns that have a gap between values, the row that begins the first one of each, and the row that
    ends the last one."""
    first, last = joined.ends(columns)
    asked = {"ask": "line_gaps", "torn": columns.tolist(), "first": _told(first), "last": _told(last)}
    found = [answer_arrays(answer) for answer in ask(asked)]
    pairs = [((Keys(a[0], a[1]), a[2]), (Keys(a[3], a[4]), a[5])) for a in found]
    opening, closing, apart = first_gaps(pairs, last)
    opening, closing = (Keys(each.x[apart], each.rows[apart]) for each in (opening, closing))
    return columns[apart], opening, closing


def _told(keys: Keys) -> list[Any]:
    return [keys.x.tolist(), keys.rows.tolist()]
