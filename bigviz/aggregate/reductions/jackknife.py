"""Estimates from parts of a sample, and their standard error: the jackknife over groups of row groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.reductions.base import Grid, Planes, Reduction
from bigviz.common.cancel import NEVER, Cancel

__all__ = ["GROUPS", "combined", "error_of", "scaled"]

Array = npt.NDArray[Any]

GROUPS: Final = 8  # parts of a sample whose differences tell its error
_LINES: Final = 4  # of which one is looked at for the error: 9 ms a tile if it were all


def combined(reduction: Reduction, parts: Sequence[Planes]) -> Planes:
    """New accumulators: those of all parts together, in their order."""
    total = tuple(plane.copy() for plane in parts[0])
    for part in parts[1:]:
        reduction.combine(total, part)
    return total


def scaled(reduction: Reduction, planes: Planes, factor: float) -> Planes:
    """A sample's accumulators as those of the table, which has `factor` times as many rows: counts and sums grow."""
    if not reduction.traits.additive:
        return planes
    if reduction.traits.counts:
        most = float(np.iinfo(np.uint32).max)
        return (np.minimum(np.rint(planes[0] * factor), most).astype(np.uint32), *planes[1:])
    return (planes[0] * factor, *planes[1:])


def error_of(
    reduction: Reduction, parts: Sequence[Planes], sizes: Sequence[int], rows: int, cancel: Cancel = NEVER
) -> float | None:
    """The standard error of a cell of a tile whose sample is in `parts` (accumulators of one shape), of `sizes` rows of
    a table of `rows`: the root mean square over the filled cells of every fourth line, if there are any, else over all.
    None with fewer than two parts, or where no cell has a value without each of them."""
    if len(parts) < 2 or min(sizes) == 0:
        return None
    for lines in (slice(None, None, _LINES), slice(None)):
        some = [tuple(plane[..., lines, :] for plane in part) for part in parts]
        error = _error(reduction, some, sizes, rows, cancel)
        if error is not None:
            return error
    return None


def _error(
    reduction: Reduction, parts: Sequence[Planes], sizes: Sequence[int], rows: int, cancel: Cancel
) -> float | None:
    by = reduction.category is not None
    squares, cells = 0.0, 0
    for plane in range(parts[0][0].shape[0] if by else 1):
        cancel.check()
        each = [tuple(array[plane] for array in part) for part in parts] if by else list(parts)
        if not any(array.any() for array in each[0][:1]) and not any(part[0].any() for part in each):
            continue
        variance, filled = _variance(reduction.plane, each, sizes, rows)
        squares += float(variance.sum(where=filled))
        cells += int(np.count_nonzero(filled))
    if cells == 0:
        return None
    unread = max(0.0, 1 - sum(sizes) / max(rows, 1))
    error = float(np.sqrt(unread * squares / cells))
    return error if np.isfinite(error) else None


def _variance(
    reduction: Reduction, parts: Sequence[Planes], sizes: Sequence[int], rows: int
) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Each cell's jackknife variance, and where it means something."""
    count, read = len(parts), sum(sizes)
    after = [parts[-1]]  # of the last parts, one more each
    for part in reversed(parts[1:-1]):
        after.append(combined(reduction, [part, after[-1]]))
    before: Planes | None = None
    shape = parts[0][0].shape
    total, squares = np.zeros(shape), np.zeros(shape)
    filled, ever = np.ones(shape, np.bool_), np.zeros(shape, np.bool_)
    first: Array | None = None
    for k in range(count):
        rest = [planes for planes in (before, after[count - 2 - k] if k < count - 1 else None) if planes is not None]
        grid: Grid = reduction.finalize(rest[0] if len(rest) == 1 else combined(reduction, rest))
        values = grid.values.astype(np.float64)
        if reduction.traits.additive:
            values *= rows / (read - sizes[k])
        ever |= grid.filled
        filled &= grid.filled
        first = values if first is None else first
        with np.errstate(invalid="ignore", over="ignore"):
            shifted = values - first  # so that squares of nearly equal numbers do not cancel
            total += shifted
            squares += shifted * shifted
        before = parts[k] if before is None else combined(reduction, [before, parts[k]])
    where = ever if reduction.traits.zero else filled  # 0 is what such a cell holds without rows
    with np.errstate(invalid="ignore", over="ignore"):
        variance = (count - 1) / count * np.maximum(squares - total * total / count, 0.0)
    return variance, where & np.isfinite(variance)
