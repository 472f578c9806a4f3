"""The reductions by the names that users write: `bigviz.count()`, `bigviz.mean("fare")`, ..."""

from __future__ import annotations

from bigviz.aggregate.reductions.base import Reduction
from bigviz.aggregate.reductions.by import By
from bigviz.aggregate.reductions.counts import Count, Presence
from bigviz.aggregate.reductions.extremes import Max, Min
from bigviz.aggregate.reductions.picks import First, Last
from bigviz.aggregate.reductions.sums import Mean, Sum


def count(column: str | None = None) -> Reduction:
    """Number of rows, or of rows whose value is not null."""
    return Count(column)


def any(column: str | None = None) -> Reduction:
    """Whether there is a row, or one whose value is not null."""
    return Presence(column)


def sum(column: str) -> Reduction:
    """Sum of a column's values."""
    return Sum(column)


def mean(column: str) -> Reduction:
    """Mean of a column's values."""
    return Mean(column)


def min(column: str) -> Reduction:
    """Smallest of a column's values."""
    return Min(column)


def max(column: str) -> Reduction:
    """Largest of a column's values."""
    return Max(column)


def first(column: str) -> Reduction:
    """First of a column's values in file order."""
    return First(column)


def last(column: str) -> Reduction:
    """Last of a column's values in file order."""
    return Last(column)


def by(category: str, reduction: Reduction | None = None) -> Reduction:
    """One plane a label of a category column, each with a reduction of its own (default: count)."""
    inner = Count() if reduction is None else reduction
    if isinstance(inner, By):
        raise ValueError(f"by({category!r}) takes a reduction without categories, got {inner}")
    return By(inner.column, category, inner)


def count_cat(category: str) -> Reduction:
    """Rows of each label: `by(category)`."""
    return by(category)
