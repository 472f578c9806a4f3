"""The reductions by the names that users write: `bigviz.count()`, `bigviz.mean("fare")`, ...

Columns are named as in the table that is opened: by text, or as pandas does by whatever can be hashed.
"""

from __future__ import annotations

from collections.abc import Hashable

from bigviz.aggregate.reductions.base import Reduction
from bigviz.aggregate.reductions.by import By
from bigviz.aggregate.reductions.counts import Count, Presence
from bigviz.aggregate.reductions.extremes import Max, Min
from bigviz.aggregate.reductions.picks import First, Last
from bigviz.aggregate.reductions.sums import Mean, Sum
from bigviz.data.columns.column import label_text


def count(column: Hashable | None = None) -> Reduction:
    """Number of rows; with a column, of rows whose value is not null. uint32, 0 in cells without a row."""
    return Count(None if column is None else label_text(column))


def any(column: Hashable | None = None) -> Reduction:
    """Whether a cell holds a row; with a column, a row whose value is not null. 0 or 1."""
    return Presence(None if column is None else label_text(column))


def sum(column: Hashable) -> Reduction:
    """Sum of a column of numbers or durations; null and NaN are skipped, 0 in cells without a value.

    int64 for integers whose sums cannot overflow, nanoseconds for durations, else float64: parts of the rows are added
    up in a fixed order, with an error of at most 1e-12 of the sum of |v|, the same for any number of threads.
    """
    return Sum(label_text(column))


def mean(column: Hashable) -> Reduction:
    """Mean of a column of numbers, float64; null and NaN are skipped, NaN in cells without a value.

    Of times it is a time: exact nanoseconds, rounded down.
    """
    return Mean(label_text(column))


def min(column: Hashable) -> Reduction:
    """Smallest value of a column of numbers or times; null and NaN are skipped, null in cells without a value."""
    return Min(label_text(column))


def max(column: Hashable) -> Reduction:
    """Largest value of a column of numbers or times; null and NaN are skipped, null in cells without a value."""
    return Max(label_text(column))


def first(column: Hashable) -> Reduction:
    """Value of a cell's first row in file order, among those that are neither null nor NaN; numbers or times."""
    return First(label_text(column))


def last(column: Hashable) -> Reduction:
    """Value of a cell's last row in file order, among those that are neither null nor NaN; numbers or times."""
    return Last(label_text(column))


def by(category: Hashable, reduction: Reduction | None = None) -> Reduction:
    """Another reduction (default: count) for each label of a column of at most 64: a category, integers or booleans.

    Labels are in their sorted order, those of integers and booleans ("-1", "10", "False") in that of their values;
    rows without a label are skipped. Raises ValueError for a `by` within a `by`.
    """
    inner = Count() if reduction is None else reduction
    if isinstance(inner, By):
        raise ValueError(f"by({category!r}) takes a reduction without categories, got {inner}")
    return By(inner.column, label_text(category), inner)


def count_cat(category: Hashable) -> Reduction:
    """Number of rows of each label: another name of `by(category)`."""
    return by(category)
