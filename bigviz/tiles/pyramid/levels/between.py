"""The values of a level whose axes are at different levels, from those of levels of square tiles.

Its cells are as large as those of the square level between both, or lie between two of them. Values that are not added
up, as means, hardly depend on the shape of cells: they are those of both levels. Numbers that are added up are about
twice those of the one and half those of the other: at each quantile they are the geometric mean of both.

The share of cells up to a value differs from that among all cells, for 10^7 rows (normal, uniform, attractors, lines,
cities) and levels that are up to three apart: of means and extremes by 1 %, at most 2 %; of counts and sums by less
than 1.5 %, at most 7 % (lines: 9 %). The highest count is within a factor of two. `python -m bench --case colours`.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.reductions.traits import Traits
from bigviz.render.level_values import Level, LevelValues

__all__ = ["level_between", "levels_about", "with_ends_of"]

Array = npt.NDArray[Any]

_QUANTILES: Final = 2_048
_SHARES: Final = 1 << 10  # that the weight of a quantile is divided into
_WEIGHT: Final = 1 << 32  # of all cells of one of two levels, about
_EXACT: Final = 2.0**53  # beyond it float64 rounds whole numbers


def levels_about(level: Level) -> tuple[int, int]:
    """The square levels whose cells have the nearest sizes: twice the same where they have those of this level."""
    return sum(level) // 2, (sum(level) + 1) // 2


def level_between(coarse: LevelValues, fine: LevelValues, traits: Traits) -> LevelValues:
    """The values of a level, given those of `levels_about` it. The lowest and the highest are as near as the others."""
    if coarse is fine or not (len(coarse.values) and len(fine.values)):
        return coarse
    ends = [float(each.values[at]) for at in (0, -1) for each in (coarse, fine)]
    if traits.additive and max(map(abs, ends)) < _EXACT:
        return _means(coarse, fine, traits.counts)
    weights = [_scaled(each.weights) for each in (coarse, fine)]
    return LevelValues(np.concatenate([coarse.values, fine.values]), np.concatenate(weights))


def with_ends_of(some: LevelValues, level: LevelValues) -> LevelValues:
    """Values of some cells of a level, and the ends of what is known of all where these are further."""
    values = level.values  # those of two levels may stand one after the other
    ends = np.array([values.min(), values.max()], values.dtype) if len(values) else values
    return LevelValues(
        np.concatenate([some.values, ends]), np.concatenate([some.weights, np.zeros(len(ends), np.int64)])
    )


def _scaled(weights: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The weights, times so much that they have about the same sum whatever they are."""
    found: npt.NDArray[np.int64] = np.ceil(weights * (_WEIGHT / max(int(weights.sum()), 1))).astype(np.int64)
    return found


def _means(coarse: LevelValues, fine: LevelValues, whole: bool) -> LevelValues:
    """The geometric means of both at some quantiles, and, of no weight, at the ends. Of whole numbers each is divided
    among the one below and the one above."""
    places = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
    low, high = (_mean(*(each.values[[at]].astype(np.float64) for each in (coarse, fine))) for at in (0, -1))
    means = np.clip(_mean(_quantiles(coarse, places), _quantiles(fine, places)), low, high)
    if not whole:
        return _with_ends(means, np.ones(len(means), np.int64), low, high)
    below = np.floor(means)
    above = np.rint((means - below) * _SHARES).astype(np.int64)
    values = np.concatenate([below, np.minimum(below + 1, np.ceil(high))])
    weights = np.concatenate([_SHARES - above, above])
    values, weights = values[weights > 0], weights[weights > 0]
    found = _with_ends(values, weights, np.rint(low), np.ceil(high))
    return LevelValues(found.values.astype(coarse.values.dtype), found.weights)


def _with_ends(values: Array, weights: npt.NDArray[np.int64], low: Array, high: Array) -> LevelValues:
    return LevelValues(np.concatenate([low, values, high]), np.concatenate([[0], weights, [0]]))


def _mean(a: Array, b: Array) -> Array:
    """Geometric means; of numbers that have not the same sign, or are 0, arithmetic ones."""
    product = a * b
    found: Array = np.where(product > 0, np.copysign(np.sqrt(np.abs(product)), a), (a + b) / 2)
    return found


def _quantiles(level: LevelValues, places: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    counted = level.weights.cumsum()
    found: npt.NDArray[np.float64] = level.values[np.searchsorted(counted, places * counted[-1])].astype(np.float64)
    return found
