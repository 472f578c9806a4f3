"""A half-open window of numbers as codes: those that lie in it for sure, and those that some numbers of it have."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.dyadic_cells import Root
from bigviz.tiles.grid.interleave import spread
from bigviz.tiles.grid.window import Number

__all__ = ["CodeWindow", "code_window", "spread_bounds"]

CodeWindow = tuple[int, int, int, int]
_LAST: Final = (1 << 32) - 1


def code_window(root: Root, low: Number, high: Number, whole: bool) -> CodeWindow | None:
    """The first and last code that numbers in `[low, high)` have, and those whose cells lie inside altogether; None
    where the window misses the root. `whole` says that the axis has integers only.

    Rows with a code between the outer pair but not between the inner one, which may be empty, have to be looked at.
    """
    (first, sure_first), (last, sure_last) = _from(root, low, whole), _below(root, high, whole)
    if first > _LAST or last < 0 or last < first:
        return None
    return max(first, 0), min(last, _LAST), max(sure_first, 0), min(sure_last, _LAST)


@lru_cache(maxsize=256)
def _from(root: Root, low: Number, whole: bool) -> tuple[int, int]:
    """The first code of numbers that are not below one, and the first whose cell holds no other. Cached: the boxes that
    two brushes differ by share their edges, and fractions take a tenth of a millisecond."""
    bottom = math.ceil(low) if whole else Fraction(low)
    first = root.cell(bottom, 32)
    return first, first if _least(root, first, whole) >= bottom else first + 1


@lru_cache(maxsize=256)
def _below(root: Root, high: Number, whole: bool) -> tuple[int, int]:
    """The last code of numbers that are below one, and the last whose cell holds no other."""
    top = math.ceil(high) if whole else Fraction(high)
    last = root.cell(top - 1 if whole else top, 32)
    if not whole and root.edge(32, last) == top:
        last -= 1
    return last, last if _least(root, last + 1, whole) <= top else last - 1


def _least(root: Root, code: int, whole: bool) -> Fraction | int:
    """The lowest number that can have a code."""
    edge = root.edge(32, code)
    return math.ceil(edge) if whole else edge


def spread_bounds(x: CodeWindow, y: CodeWindow) -> npt.NDArray[np.uint64]:
    """Two windows as kernels compare them with the bits of keys: outer x, outer y, inner x, inner y."""
    codes: list[Any] = [x[0], x[1], y[0], y[1], x[2], x[3], y[2], y[3]]
    spreads = [int(spread(np.uint64(max(code, 0)))) << k // 2 % 2 for k, code in enumerate(codes)]
    if x[3] < x[2] or y[3] < y[2]:  # nothing is sure
        spreads[4], spreads[5] = 1, 0
    return np.array(spreads, np.uint64)
