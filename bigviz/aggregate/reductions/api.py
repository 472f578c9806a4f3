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
    """Number of rows, or of rows whose value is not null."""
    return Count(None if column is None else label_text(column))


def any(column: Hashable | None = None) -> Reduction:
    """Whether there is a row, or one whose value is not null."""
    return Presence(None if column is None else label_text(column))


def sum(column: Hashable) -> Reduction:
    """Sum of a column's values."""
    return Sum(label_text(column))


def mean(column: Hashable) -> Reduction:
    """Mean of a column's values."""
    return Mean(label_text(column))


def min(column: Hashable) -> Reduction:
    """Smallest of a column's values."""
    return Min(label_text(column))


def max(column: Hashable) -> Reduction:
    """Largest of a column's values."""
    return Max(label_text(column))


def first(column: Hashable) -> Reduction:
    """First of a column's values in file order."""
    return First(label_text(column))


def last(column: Hashable) -> Reduction:
    """Last of a column's values in file order."""
    return Last(label_text(column))


def by(category: Hashable, reduction: Reduction | None = None) -> Reduction:
    """One plane a label of a category column, each with a reduction of its own (default: count)."""
    inner = Count() if reduction is None else reduction
    if isinstance(inner, By):
        raise ValueError(f"by({category!r}) takes a reduction without categories, got {inner}")
    return By(inner.column, label_text(category), inner)


def count_cat(category: Hashable) -> Reduction:
    """Rows of each label: `by(category)`."""
    return by(category)
