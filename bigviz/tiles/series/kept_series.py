"""The rows of a line that a filter keeps: those of its series, in its order."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.workers import Crew, slices
from bigviz.tiles.morton.packed_mask import packed_mask
from bigviz.tiles.series.series import Series, finished_series

__all__ = ["kept_series"]

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]

_Part = tuple[Array, Array, Mask, Array]

_STAGE: Final = "filtering rows"
_NONE: Final[_Part] = (np.empty(0), np.empty(0), np.empty(0, np.bool_), np.empty(0, np.uint32))


def kept_series(series: Series, keep: Mask, crew: Crew) -> Series:
    """The rows of a series of all rows that a mask in the order of the file keeps. Nothing is sorted. Raises Unreadable
    for a series that is damaged, Cancelled."""
    total = len(keep)
    bits = packed_mask(total, lambda start, stop: keep[start:stop], crew.within(_STAGE, 0.0, 0.1, total))
    pieces = slices(len(series))
    parts: list[_Part] = [_NONE] * len(pieces)

    def pick(k: int) -> int:
        start, stop = pieces[k]
        rows = series.row_slice(start, stop)
        kept = bits.at(rows)
        ys, known = series.heights(start, stop)
        has = (ys == ys) if known is None else known
        parts[k] = series.x.slice(start, stop)[kept], ys[kept], has[kept], rows[kept]
        return stop - start

    crew.within(_STAGE, 0.1, 0.6, total).run(_STAGE, pick, range(len(pieces)), len(series))
    nothing = series.x.slice(0, 0), series.y[:0], np.empty(0, np.bool_), np.empty(0, np.uint32)
    xs, ys, has, rows = (np.concatenate(each) for each in zip(nothing, *parts, strict=True))
    ordered = bool((rows[1:] > rows[:-1]).all())
    numbers = None if ordered and len(rows) == total else rows
    last = crew.within(_STAGE, 0.6, 1.0, total)
    return finished_series(xs, ys, None if has.all() else has, numbers, ordered, last)
