"""Where the rows of the pieces of a source lie, as the file's own statistics have it: nothing is read."""

from __future__ import annotations

import math
from typing import Final

from bigviz.aggregate.dyadic_cells import Root
from bigviz.common.cancel import Cancel
from bigviz.data.statistics.values import Statistics
from bigviz.tiles.grid.batches import Streamed
from bigviz.tiles.grid.survey import Survey
from bigviz.tiles.grid.tile_key import Codes

__all__ = ["piece_boxes"]

_LAST: Final = (1 << 32) - 1  # code of a root
_KINDS: Final = ("integer", "float", "date", "timestamp")  # whose statistics are axis numbers


def piece_boxes(source: Streamed, survey: Survey, cancel: Cancel) -> dict[int, Codes | None]:
    """The codes between which all rows of a piece lie that are in both roots: None for a piece without such a row, or
    without one that the source's filter keeps. Pieces of which nothing is known are left out. Raises Cancelled."""
    found: dict[int, Codes | None] = {}
    for piece, (start, count) in enumerate(source.pieces):
        cancel.check()
        ends = source.dataset.first_row + start, source.dataset.first_row + start + count
        if source.keep is not None and source.keep.excludes(*ends):
            found[piece] = None
            continue
        across, up = (
            _codes(root, source.dataset.statistics(name, *ends)) if _is_told(source, which) else (0, _LAST)
            for which, (name, root) in enumerate(zip(source.names, (survey.x, survey.y), strict=True))
        )
        if across is None or up is None:
            found[piece] = None
        elif (*across, *up) != (0, _LAST, 0, _LAST):
            found[piece] = (*across, *up)
    return found


def _is_told(source: Streamed, which: int) -> bool:
    """Whether statistics of an axis's column bound its numbers."""
    linear = source.spaces[which].name in ("linear", "datetime")
    return linear and source.dataset.info(source.names[which]).kind in _KINDS


def _codes(root: Root, known: Statistics | None) -> tuple[int, int] | None:
    """The first and last code that numbers with these statistics have in a root; None where none is in it."""
    if known is None:
        return 0, _LAST
    if not known.values:
        return None
    low, high = _cell(root, known.low), _cell(root, known.high)
    first, last = 0 if low is None else max(0, low), _LAST if high is None else min(_LAST, high)
    return (first, last) if first <= last else None


def _cell(root: Root, end: int | float | str | None) -> int | None:
    """The code of a bound, which may lie outside the root; None where it bounds nothing."""
    return root.cell(end, 32) if isinstance(end, int | float) and math.isfinite(end) else None
