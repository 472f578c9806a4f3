"""Slices of columns, and what an expression makes of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bigviz.data.columns.column import Column

__all__ = ["Bools", "Cells", "Labelled", "PerLabels", "Rows", "Truths", "Vector", "cells_of", "everywhere", "part"]

T = TypeVar("T")
Bools = npt.NDArray[np.bool_]


class Cells(NamedTuple):
    """Some rows of a column, in the form of `Column`: axis numbers in their own width, where they are valid (None:
    everywhere), and the labels of a category, in any order.

    Two things axis numbers do not say, and who has them may add: `valid` of floats, which tells null from NaN, and
    `exact`, the decimals themselves. Times may be in steps of `step` nanoseconds.
    """

    values: npt.NDArray[np.generic]
    valid: Bools | None = None
    categories: tuple[str, ...] | None = None
    step: int = 1
    exact: pa.Array | None = None


Rows = Callable[[str], Cells]
"""Gives the slice of a column that an expression is evaluated on: the same rows of each."""


class Vector(NamedTuple):
    """Numbers or times, one a row or one for all rows (of length 1); what stands where a row is not valid means
    nothing."""

    values: npt.NDArray[np.generic]
    valid: Bools | None = None
    step: int = 1
    exact: pa.Array | None = None


class Labelled(NamedTuple):
    """Texts: `labels[code]` is that of a row. Labels may repeat."""

    codes: npt.NDArray[np.integer]
    valid: Bools | None
    labels: tuple[str, ...]


class Truths(NamedTuple):
    """Where a condition is true, and where it is null (None: nowhere, or nobody asked). Null is never true."""

    true: Bools
    null: Bools | None = None


def cells_of(column: Column, start: int = 0, stop: int | None = None) -> Cells:
    """Rows `start` to `stop` (exclusive) of a column."""
    valid = None if column.valid is None else column.valid[start:stop]
    return Cells(column.values[start:stop], valid, column.categories)


def everywhere(one: Bools | None, other: Bools | None) -> Bools | None:
    """Where both are valid."""
    if one is None or other is None:
        return other if one is None else one
    return one & other


def part(cells: Cells, start: int, stop: int) -> Cells:
    """Some of the rows of a slice."""
    return cells._replace(
        values=cells.values[start:stop],
        valid=None if cells.valid is None else cells.valid[start:stop],
        exact=None if cells.exact is None else cells.exact.slice(start, stop - start),
    )


class PerLabels(Generic[T]):
    """Something that is worked out of labels once, as long as they are the same object, as those of a column are.
    Comparing a million of them would cost more than looking up the codes of a slice."""

    def __init__(self, of: Callable[[tuple[str, ...]], T]) -> None:
        self._of = of
        self._recent: tuple[tuple[tuple[str, ...], T], ...] = ()

    def __call__(self, labels: tuple[str, ...]) -> T:
        for known, found in self._recent:
            if known is labels:
                return found
        found = self._of(labels)
        self._recent = ((labels, found), *self._recent[:1])
        return found
