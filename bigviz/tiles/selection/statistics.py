"""Statistics of columns at selected rows: count, mean, extremes and quartiles, of all of them and by category."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import numpy as np

from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.errors import BadInput
from bigviz.common.workers import Crew
from bigviz.data.columns.column import ColumnInfo
from bigviz.data.columns.numbers import axis_dtype
from bigviz.data.dataset import Dataset
from bigviz.tiles.selection.quantiles import Passes, Quantiles, quantiles
from bigviz.tiles.selection.ranks import mean_of
from bigviz.tiles.selection.sort_keys import number_of

__all__ = ["MOST_GROUPS", "MOST_STATS", "Summary", "category", "check_labels", "summaries"]

Value = int | float

MOST_GROUPS: Final = 64
MOST_STATS: Final = 16
_QUARTILES: Final = (Fraction(1, 4), Fraction(1, 2), Fraction(3, 4))


@dataclass(frozen=True)
class Summary:
    """Of the numbers of a column that are neither null nor NaN: how many, mean, extremes and quartiles (numpy's
    `linear`), None where there is none. Integers are int where they are one of the numbers; times are int nanoseconds,
    rounded to the nearest."""

    count: int
    mean: Value | None = None
    min: Value | None = None
    q25: Value | None = None
    median: Value | None = None
    q75: Value | None = None
    max: Value | None = None


def check_labels(dataset: Dataset, name: str) -> str:
    """The name by which a dataset gives a column as labels. Raises BadInput for one that has none."""
    info = dataset.info(name)
    if not info.is_labelled:
        raise BadInput(f"by is a column of labels, integers or booleans; {name!r} holds {info.holds}", "by", name)
    return info.label_column


def category(dataset: Dataset, name: str, cancel: Cancel = NEVER) -> tuple[str, tuple[str, ...]]:
    """The column that groups are told by, and its labels. Raises BadInput for one that has no labels, or too many, and
    what `Dataset.labels` does."""
    column = check_labels(dataset, name)
    labels = dataset.labels(column, cancel)
    if len(labels) > MOST_GROUPS:
        raise BadInput(f"by tells at most {MOST_GROUPS} labels apart; {name!r} has {len(labels):,}", "by", name)
    return column, labels


def summaries(info: ColumnInfo, passes: Passes, crew: Crew) -> list[Summary]:
    """The summary of a column's numbers; with groups then those of each, and last of the numbers of none.

    Raises what passes do, and Cancelled.
    """
    kind = _kind_of(info)
    return [_summary(info, kind, each) for each in quantiles(passes, _wanted, kind, crew)]


def _kind_of(info: ColumnInfo) -> np.dtype[Any]:
    kind = np.dtype(axis_dtype(info.type))
    if kind.kind == "f" or kind.itemsize == 8:
        return kind
    return np.dtype(np.int64)


def _wanted(count: int) -> list[int]:
    """The ranks that the quartiles of so many numbers lie between."""
    return [rank for q in _QUARTILES for rank in _ranks(q, count)]


def _summary(info: ColumnInfo, kind: np.dtype[Any], found: Quantiles) -> Summary:
    tally = found.tally
    if not tally.count:
        return Summary(0)
    low, middle, high = (_between(found.at, q, tally.count, info.is_time) for q in _QUARTILES)
    mean = round(Fraction(tally.total, tally.count)) if info.is_time else mean_of(tally, kind)
    ends = number_of(tally.least, kind), number_of(tally.most, kind)
    return Summary(tally.count, mean, ends[0], low, middle, high, ends[1])


def _ranks(q: Fraction, count: int) -> tuple[int, int]:
    place = q * (count - 1)
    return math.floor(place), math.ceil(place)


def _between(ranks: dict[int, Value], q: Fraction, count: int, is_time: bool) -> Value:
    """The quantile between two neighbours, as numpy interpolates it."""
    low, high = (ranks[rank] for rank in _ranks(q, count))
    part = q * (count - 1) - math.floor(q * (count - 1))
    if part == 0 or low == high:
        return low
    if is_time:
        return round(low + (Fraction(high) - Fraction(low)) * part)
    step, share = float(high - low), float(part)
    return float(low) + step * share if share < 0.5 else float(high) - step * (1 - share)
