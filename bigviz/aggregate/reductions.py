"""What a cell holds: count, any, sum, mean, min, max, first, last, and by.

A reduction works on accumulators ("planes") and on cell numbers, so a loop over a glyph is written once and yields
cells, and a reduction is written once and takes them: loops and reductions add up instead of multiplying. Accumulators
of equal shape merge (`combine`), so threads, chunks, appended batches and the step from four children to a parent
(`pool`) are one operation.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.append import add_values, count_rows, keep_extreme, keep_row, mark_cells, spread_cells
from bigviz.aggregate.jit import frozen
from bigviz.data.cancel import NEVER
from bigviz.data.errors import TooLarge

Array = npt.NDArray[Any]
Planes = tuple[Array, ...]

_MOST_CELLS: Final = 1 << 28  # 1 GiB of counts; cell numbers are int32
_LAST_ROW: Final = np.iinfo(np.int64).max


class Grid(NamedTuple):
    """A finished plane and, of the same shape, which of its cells hold a value (the others' values mean nothing)."""

    values: Array
    filled: npt.NDArray[np.bool_]


class Rows(NamedTuple):
    """What an `append` knows of each row, as far as the reduction asks for it (`column`, `category`, `ordered`).

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

    @property
    def category(self) -> str | None:
        """The column whose labels separate the planes; None without one."""
        return None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns whose rows `append` reads, each once."""
        names = (self.category, self.column)
        return tuple(dict.fromkeys(name for name in names if name is not None))

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
        _check_size(shape if self.category is None else (categories or 1, *shape))
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

    @abstractmethod
    def finalize(self, planes: Planes) -> Grid:
        """The values of the cells."""

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


@dataclass(frozen=True)
class Count(Reduction):
    """Rows of each cell, uint32; with a column, rows whose value is not null."""

    name: ClassVar[str] = "count"

    def _empty(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Planes:
        return (np.zeros(shape, np.uint32),)

    def append(self, planes: Planes, cells: npt.NDArray[np.int32], rows: Rows = CELLS_ONLY) -> None:
        if self.column is not None:
            cells = _not_null(cells, rows)
        count_rows(planes[0].reshape(-1), cells)

    def combine(self, planes: Planes, others: Planes) -> None:
        np.add(planes[0], others[0], out=planes[0])

    def finalize(self, planes: Planes) -> Grid:
        return Grid(planes[0], planes[0] > 0)


@dataclass(frozen=True)
class Presence(Reduction):
    """Whether a cell holds a row, uint8 0 or 1; with a column, a row whose value is not null."""

    name: ClassVar[str] = "any"

    def _empty(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Planes:
        return (np.zeros(shape, np.uint8),)

    def append(self, planes: Planes, cells: npt.NDArray[np.int32], rows: Rows = CELLS_ONLY) -> None:
        if self.column is not None:
            cells = _not_null(cells, rows)
        mark_cells(planes[0].reshape(-1), cells)

    def combine(self, planes: Planes, others: Planes) -> None:
        np.bitwise_or(planes[0], others[0], out=planes[0])

    def finalize(self, planes: Planes) -> Grid:
        return Grid(planes[0], planes[0] > 0)


@dataclass(frozen=True)
class Sum(Reduction):
    """Sum of the values, int64 or float64, and their number; 0 where there is none.

    Floats are added in float64 in the order of the rows. Integers are added in int64, exactly, where the column's
    extremes rule out an overflow, else in float64.
    """

    name: ClassVar[str] = "sum"
    restarts: ClassVar[bool] = False  # a sum that became NaN (inf - inf) begins again with the next value

    def accumulator(self, values: Array) -> np.dtype[Any]:
        return _sum_dtype(values.dtype, len(values), lambda: (int(values.min()), int(values.max())))

    def accumulator_of(self, dtype: np.dtype[Any], rows: int, extremes: Callable[[], tuple[int, int]]) -> np.dtype[Any]:
        return _sum_dtype(dtype, rows, extremes)

    def _empty(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Planes:
        return np.zeros(shape, dtype), np.zeros(shape, np.uint32)

    def append(self, planes: Planes, cells: npt.NDArray[np.int32], rows: Rows = CELLS_ONLY) -> None:
        sums, counts = planes
        cells, values = _valued(cells, rows, sums.dtype)
        add_values(sums.reshape(-1), counts.reshape(-1), cells, values, self.restarts)

    def combine(self, planes: Planes, others: Planes) -> None:
        for plane, other in zip(planes, others, strict=True):
            np.add(plane, other, out=plane)

    def finalize(self, planes: Planes) -> Grid:
        return Grid(planes[0], planes[1] > 0)


@dataclass(frozen=True)
class Mean(Sum):
    """Mean of the values, float64: the sum divided by the number of values that are not null."""

    name: ClassVar[str] = "mean"

    def finalize(self, planes: Planes) -> Grid:
        sums, counts = planes
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            return Grid(sums / counts, counts > 0)


@dataclass(frozen=True)
class Extreme(Reduction):
    """Smallest or largest value, in the column's kind of number (float64, int64 or uint64); the first of equals."""

    lowest: ClassVar[bool] = True

    def _empty(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Planes:
        return np.zeros(shape, dtype), np.zeros(shape, np.uint8)

    def append(self, planes: Planes, cells: npt.NDArray[np.int32], rows: Rows = CELLS_ONLY) -> None:
        best, filled = planes
        cells, values = _valued(cells, rows, best.dtype)
        keep_extreme(best.reshape(-1), filled.reshape(-1), cells, values, self.lowest)

    def combine(self, planes: Planes, others: Planes) -> None:
        best, filled = planes
        other, has = others
        beats = other < best if self.lowest else other > best
        np.copyto(best, other, where=(has > 0) & ((filled == 0) | beats))
        np.bitwise_or(filled, has, out=filled)

    def finalize(self, planes: Planes) -> Grid:
        return Grid(planes[0], planes[1] > 0)


@dataclass(frozen=True)
class Min(Extreme):
    """Smallest value."""

    name: ClassVar[str] = "min"


@dataclass(frozen=True)
class Max(Extreme):
    """Largest value."""

    name: ClassVar[str] = "max"
    lowest: ClassVar[bool] = False


@dataclass(frozen=True)
class Pick(Reduction):
    """Value of the row with the lowest or the highest number among those that are not null."""

    ordered: ClassVar[bool] = True
    lowest: ClassVar[bool] = True

    def _empty(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Planes:
        return np.zeros(shape, dtype), np.full(shape, _LAST_ROW if self.lowest else -1, np.int64)

    def append(self, planes: Planes, cells: npt.NDArray[np.int32], rows: Rows = CELLS_ONLY) -> None:
        picked, numbers = planes
        cells, values = _valued(cells, rows, picked.dtype)
        if rows.numbers is None:
            raise ValueError(f"{self.name} needs the row numbers")
        own = frozen(np.ascontiguousarray(rows.numbers, np.int64))
        keep_row(picked.reshape(-1), numbers.reshape(-1), cells, values, own, self.lowest)

    def combine(self, planes: Planes, others: Planes) -> None:
        (picked, numbers), (other, rival) = planes, others
        beats = rival < numbers if self.lowest else rival >= numbers
        np.copyto(picked, other, where=beats)
        np.copyto(numbers, rival, where=beats)

    def finalize(self, planes: Planes) -> Grid:
        return Grid(planes[0], planes[1] != (_LAST_ROW if self.lowest else -1))


@dataclass(frozen=True)
class First(Pick):
    """Value of the lowest row number."""

    name: ClassVar[str] = "first"


@dataclass(frozen=True)
class Last(Pick):
    """Value of the highest row number."""

    name: ClassVar[str] = "last"
    lowest: ClassVar[bool] = False


@dataclass(frozen=True)
class By(Reduction):
    """One plane a label of a category column, each with its own reduction; rows without a label are skipped.

    Every plane has the shape (categories, rows, columns), labels in their sorted order.
    """

    name: ClassVar[str] = "by"
    label: str = ""
    inner: Reduction = field(default_factory=Count)

    @property
    def category(self) -> str:
        return self.label

    @property
    def ordered(self) -> bool:  # type: ignore[override]
        return self.inner.ordered

    def __str__(self) -> str:
        name = quoted(self.label)
        return f"by({name})" if self.inner == Count() else f"by({name}, {self.inner})"

    def accumulator(self, values: Array) -> np.dtype[Any]:
        return self.inner.accumulator(values)

    def accumulator_of(self, dtype: np.dtype[Any], rows: int, extremes: Callable[[], tuple[int, int]]) -> np.dtype[Any]:
        return self.inner.accumulator_of(dtype, rows, extremes)

    def _empty(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Planes:
        return self.inner._empty(shape, dtype)

    def append(self, planes: Planes, cells: npt.NDArray[np.int32], rows: Rows = CELLS_ONLY) -> None:
        if rows.codes is None:
            raise ValueError(f"by needs the category codes of {self.label!r}")
        count, *shape = planes[0].shape
        spread = np.empty(len(cells), np.int32)
        spread_cells(cells, frozen(np.ascontiguousarray(rows.codes, np.int32)), math.prod(shape), count, spread)
        self.inner.append(planes, spread, rows)

    def combine(self, planes: Planes, others: Planes) -> None:
        self.inner.combine(planes, others)

    def finalize(self, planes: Planes) -> Grid:
        return self.inner.finalize(planes)


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


def quoted(column: str) -> str:
    """A column's name as `parse` reads it: in backticks, doubled inside, where it could be taken for something else."""
    plain = column == column.strip() and column and not set(column) & set("(),`'\"")
    return column if plain else "`" + column.replace("`", "``") + "`"


def _check_size(shape: tuple[int, ...]) -> None:
    if math.prod(shape) > _MOST_CELLS:
        sides = " x ".join(map(str, shape))
        raise TooLarge(f"an image has at most {_MOST_CELLS:,} cells, those of all categories together; got {sides}")


def _wide(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return np.dtype(np.uint64 if dtype == np.uint64 else np.int64)


def _sum_dtype(dtype: np.dtype[Any], rows: int, extremes: Callable[[], tuple[int, int]]) -> np.dtype[Any]:
    """int64 where no sum of the column's integers can leave it, else float64."""
    if dtype.kind == "f":
        return np.dtype(np.float64)
    bits = dtype.itemsize * 8
    if (bits < 64 and rows <= 1 << (63 - bits)) or not rows:
        return np.dtype(np.int64)
    low, high = extremes()
    largest = -low if -low > high else high
    return np.dtype(np.int64 if largest * rows < 1 << 63 else np.float64)


def _valued(cells: npt.NDArray[np.int32], rows: Rows, dtype: np.dtype[Any]) -> tuple[npt.NDArray[np.int32], Array]:
    """The cells without those of null rows, and the values in the accumulator's dtype, or in float32 for float64: the
    kernels widen them as they go, and a copy is 6 % of what a view of means takes."""
    if rows.values is None:
        raise ValueError("the reduction needs values")
    if rows.valid is not None:
        cells = np.where(rows.valid, cells, np.int32(-1))
    own = rows.values.dtype
    kept = own if own == np.float32 and dtype == np.float64 else dtype
    return cells, frozen(np.ascontiguousarray(rows.values, kept))


def _not_null(cells: npt.NDArray[np.int32], rows: Rows) -> npt.NDArray[np.int32]:
    if rows.values is None:
        raise ValueError("the reduction needs values")
    if rows.valid is not None:
        return np.where(rows.valid, cells, np.int32(-1))
    return cells if rows.values.dtype.kind != "f" else np.where(np.isnan(rows.values), np.int32(-1), cells)
