"""What a cell holds: count, any, sum, mean, min, max, first, last, and by.

A reduction works on accumulators ("planes") and on cell numbers, so a loop over a glyph is written once and yields
cells, and a reduction is written once and takes them: loops and reductions add up instead of multiplying. Accumulators
of equal shape merge (`combine`), so threads, chunks, appended batches and the step from four children to a parent
(`pool`) are one operation.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.reductions.traits import Traits
from bigviz.common.cancel import NEVER
from bigviz.common.errors import TooLarge
from bigviz.common.jit import frozen

Array = npt.NDArray[Any]
Planes = tuple[Array, ...]
_MOST_CELLS: Final = 1 << 28  # 1 GiB of counts; cell numbers are int32


class Grid(NamedTuple):
    """A finished plane and, of the same shape, which of its cells hold a value (the others' values mean nothing)."""

    values: Array
    filled: npt.NDArray[np.bool_]


class Rows(NamedTuple):
    """What an `append` knows of each row, if the reduction asks for it (`column`, `category`, `ordered`).

    `values` is float32, float64, int64 or uint64 with NaN for null; `valid` (bool, True is a number) or None for all;
    `numbers` the rows' numbers in the dataset (any integer dtype); `codes` the category codes, below 0 for null.
    """

    values: Array | None = None
    valid: npt.NDArray[np.bool_] | None = None
    numbers: Array | None = None
    codes: Array | None = None


CELLS_ONLY: Final = Rows()


@dataclass(frozen=True)
class Reduction(ABC):
    """The state of a cell: `create`, `append`, `combine`, `finalize`, and the dtypes of its planes."""

    column: str | None = None
    name: ClassVar[str] = ""
    ordered: ClassVar[bool] = False  # needs `Rows.numbers`
    adds: ClassVar[bool] = False  # `combine` adds each plane, and an empty cell holds zeros
    traits: ClassVar[Traits]

    @property
    def plane(self) -> Reduction:
        """What one plane holds: the reduction itself, or the one within `by`."""
        return self

    @property
    def category(self) -> str | None:
        """The column whose labels separate the planes; None without one."""
        return None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns whose rows `append` reads, each once."""
        names = (self.category, self.column)
        return tuple(dict.fromkeys(name for name in names if name is not None))

    @property
    def sources(self) -> tuple[str, ...]:
        """The columns of the table that those are, each once: the ones whose true values belong to a row."""
        return self.columns

    def __str__(self) -> str:
        return self.name if self.column is None else f"{self.name}({quoted(self.column)})"

    def accumulator(self, values: Array) -> np.dtype[Any]:
        """The dtype in which `values`, a whole column, is accumulated; `create` takes it."""
        return np.dtype(np.float64) if values.dtype.kind == "f" else _wide(values.dtype)

    def accumulator_of(self, dtype: np.dtype[Any], rows: int, extremes: Callable[[], tuple[int, int]]) -> np.dtype[Any]:
        """The same for a column that is not in memory: its dtype, its length, and how to find its smallest and largest
        integer, which is called only where they decide."""
        return self.accumulator(np.empty(0, dtype))

    def create(
        self,
        shape: tuple[int, ...],
        dtype: npt.DTypeLike = np.float64,
        categories: int = 0,
        look: Callable[[], None] = NEVER.check,
    ) -> Planes:
        """Empty planes of a shape (rows, columns).

        `dtype` is the value's `accumulator`; `categories` counts the labels of `category`; `look` is called before
        those of each one. Raises TooLarge for more than 2^28 cells, those of all categories together.
        """
        check_size(shape if self.category is None else (categories or 1, *shape))
        empty = self._empty(shape, dtype)
        if self.category is None:
            return empty
        planes = tuple(np.empty((categories, *shape), plane.dtype) for plane in empty)
        for label in range(categories):  # np.zeros of 64 labels would hold the interpreter's lock for up to 40 ms
            look()
            for plane, one in zip(planes, empty, strict=True):
                plane[label] = one
        return planes

    @abstractmethod
    def _empty(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Planes:
        """`create` without categories."""

    @abstractmethod
    def append(self, planes: Planes, cells: npt.NDArray[np.int32], rows: Rows = CELLS_ONLY) -> None:
        """Add rows to the planes: `cells[k]` (row * width + column, or below 0 for none) receives row k.

        Rows are taken in the order given. A null or NaN value is skipped.
        """

    @abstractmethod
    def combine(self, planes: Planes, others: Planes) -> None:
        """Add other planes of the same shape and dtypes to `planes`, as if their rows came after."""

    def finalize(self, planes: Planes) -> Grid:
        """The values of the cells: the first plane, where the last one, which counts or marks them, is not 0."""
        return Grid(planes[0], planes[-1] > 0)

    def finish(self, planes: Planes) -> Grid:
        """The same where the planes are needed no longer: the values may lie in their memory."""
        return self.finalize(planes)

    def pool(self, planes: Planes, x: bool = True, y: bool = True) -> Planes:
        """Planes of the last two axes (rows, columns) halved along y, x or both: the cells' parents.

        Children are added in the order low row, low column first. The halved lengths must be even.
        """
        steps = (2 if y else 1, 2 if x else 1)
        pooled: Planes | None = None
        for row in range(steps[0]):
            for column in range(steps[1]):
                part = tuple(plane[..., row :: steps[0], column :: steps[1]] for plane in planes)
                if pooled is None:
                    pooled = tuple(plane.copy() for plane in part)
                else:
                    self.combine(pooled, part)
        assert pooled is not None
        return pooled


def quoted(column: str) -> str:
    """A column's name as `parse` reads it: in backticks, doubled inside, where it could be taken for something else."""
    plain = column == column.strip() and column and not set(column) & set("(),`'\"")
    return column if plain else "`" + column.replace("`", "``") + "`"


def check_size(shape: tuple[int, ...]) -> None:
    if math.prod(shape) > _MOST_CELLS:
        sides = " x ".join(map(str, shape))
        raise TooLarge(f"an image has at most {_MOST_CELLS:,} cells, those of all categories together; got {sides}")


def _wide(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return np.dtype(np.uint64 if dtype == np.uint64 else np.int64)


def valued(
    cells: npt.NDArray[np.int32], rows: Rows, dtype: np.dtype[Any], outside: int = -1
) -> tuple[npt.NDArray[np.int32], Array]:
    """The cells, `outside` for those of null rows, and the values in the accumulator's dtype, or in float32 for
    float64: the kernels widen them as they go, and a copy is 6 % of what a view of means takes."""
    values, cells = _valid(cells, rows, outside)
    kept = values.dtype if values.dtype == np.float32 and dtype == np.float64 else dtype
    return cells, frozen(np.ascontiguousarray(values, kept))


def not_null(cells: npt.NDArray[np.int32], rows: Rows, outside: int = -1) -> npt.NDArray[np.int32]:
    """The cells, `outside` for those of null rows, NaN included."""
    values, cells = _valid(cells, rows, outside)
    if values.dtype.kind != "f" or not (missing := np.isnan(values)).any():
        return cells
    return np.where(missing, np.int32(outside), cells)


def _valid(cells: npt.NDArray[np.int32], rows: Rows, outside: int) -> tuple[Array, npt.NDArray[np.int32]]:
    """The values, and the cells, `outside` for those of rows that are masked as null."""
    if rows.values is None:
        raise ValueError("the reduction needs values")
    return rows.values, cells if rows.valid is None else np.where(rows.valid, cells, np.int32(outside))
