"""`cell_tree.combined` of reductions whose cells have a value and one number beside it, in one loop."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.reductions.base import Reduction
from bigviz.common.jit import frozen, jit
from bigviz.tiles.grid.tile_key import DEEPEST
from bigviz.tiles.pyramid.levels.cell_tree import NO_STEP, STEPS, Cells, planned

__all__ = ["Told", "combined_values", "is_plain"]

Array = npt.NDArray[Any]

_RULES: Final = {"sum": 0, "mean": 1, "min": 2, "max": 3, "first": 4, "last": 5}
_SUM, _MEAN, _MIN, _MAX, _FIRST = range(5)
_NO_ROW: Final = {4: np.iinfo(np.int64).max, 5: -1}  # beside a value of no row


class Told(NamedTuple):
    """Cells that hold a finite value: this, the key of the first row, and the levels from which and to which they hold
    the same rows."""

    values: Array
    keys: Array
    first: Array
    last: Array


def is_plain(reduction: Reduction) -> bool:
    """Whether `combined_values` takes a reduction."""
    traits = reduction.traits
    return reduction.category is None and len(traits.parts) == 2 and traits.pixel in _RULES


def combined_values(reduction: Reduction, cells: Cells, before: int, after: int) -> tuple[Cells, Told]:
    """What `combined` returns, and the cells that it tells of."""
    into, steps, order = planned(cells, before, after)
    values, beside = cells.planes
    numbers = beside[0].astype(np.int64)
    dtype = np.dtype(np.float64) if reduction.traits.derived else values.dtype
    room = 2 * len(order) + 1
    told = np.empty(room, dtype), np.empty(room, np.uint64), np.empty(room, np.int64), np.empty(room, np.int64)
    rule = _RULES[reduction.traits.pixel]
    found = _merge(
        frozen(order), frozen(into), frozen(steps), frozen(cells.keys), cells.finest, values[0], numbers, rule,
        _NO_ROW.get(rule, 0), *told,
    )  # fmt: skip
    beside[0] = numbers
    rest = cells.take(np.flatnonzero(steps == NO_STEP))
    return rest, Told(*(each[:found] for each in told))


@jit
def _merge(
    order: Array,
    into: Array,
    steps: Array,
    keys: Array,
    finest: Array,
    values: Array,
    beside: Array,
    rule: int,
    no_row: int,
    told: Array,
    told_keys: Array,
    first: Array,
    last: Array,
) -> int:
    """Add cells to others in an order, and tell of each before it changes or is gone. How many were told of."""
    found = 0
    for at in range(order.size):
        k = order[at]
        a = into[k]
        level = DEEPEST - 1 - steps[k] // STEPS
        begins = steps[k] % STEPS == 0
        for one in range(0 if begins else 1, 2):
            cell = k if one else a
            if beside[cell] == no_row:
                continue
            if rule == _MEAN:  # apart, or whole numbers would go through float64
                told[found] = values[cell] / beside[cell]
            else:
                told[found] = values[cell]
            if np.isfinite(told[found]):
                told_keys[found], first[found], last[found] = keys[cell], level + 1, finest[cell]
                found += 1
        if begins:
            finest[a] = level
        if rule <= _MEAN:
            values[a] += values[k]
            beside[a] += beside[k]
        elif rule <= _MAX:
            if beside[k] and (not beside[a] or (values[k] < values[a] if rule == _MIN else values[k] > values[a])):
                values[a] = values[k]
            beside[a] |= beside[k]
        elif beside[k] < beside[a] if rule == _FIRST else beside[k] >= beside[a]:
            values[a], beside[a] = values[k], beside[k]
    return found
