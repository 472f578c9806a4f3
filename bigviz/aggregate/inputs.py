"""The columns that an image reads, sliced or gathered as kernels want them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol, Self

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.reductions.base import Reduction, Rows, quoted
from bigviz.aggregate.reductions.by import By
from bigviz.aggregate.reductions.extremes import Extreme
from bigviz.aggregate.reductions.picks import Pick
from bigviz.aggregate.reductions.sums import Mean, Sum, TimeMean
from bigviz.aggregate.spaces import Space
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.errors import BadInput
from bigviz.common.progress import Progress, no_progress
from bigviz.data.columns.column import Column, RowIndex, widen
from bigviz.data.dataset import Dataset

Array = npt.NDArray[Any]

SLICE: Final = 1 << 17  # rows a kernel takes at a time: the cancel flag is read between, and the cells stay in cache


FLOAT64: Final = np.dtype(np.float64)


class Slices(Protocol):
    """What `data.Column` offers to a loop over rows."""

    def __len__(self) -> int: ...

    def slice(self, start: int, stop: int) -> tuple[Array, Array | None]: ...


@dataclass(frozen=True)
class Numbers:
    """An array, with the mask of its numbers, as `Slices`."""

    values: Array
    valid: Array | None = None

    @classmethod
    def of(cls, column: Column) -> Self:
        """The numbers of a whole column."""
        return cls(column.values, column.valid)

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: RowIndex) -> Self:
        """Those of some rows, in their own width."""
        return type(self)(self.values[rows], None if self.valid is None else self.valid[rows])

    def slice(self, start: int, stop: int) -> tuple[Array, Array | None]:
        return widen(self.values[start:stop]), None if self.valid is None else self.valid[start:stop]


@dataclass(frozen=True)
class Mapped:
    """Slices of a column as numbers of an axis space."""

    column: Slices
    space: Space

    def __len__(self) -> int:
        return len(self.column)

    def slice(self, start: int, stop: int) -> tuple[Array, Array | None]:
        return self.space.map(*self.column.slice(start, stop))


@dataclass(frozen=True)
class Inputs:
    """What a reduction reads of the rows of an image, in addition to their places.

    `numbers` are the rows' numbers in the dataset where the image's rows are not the dataset's, from 0 on.
    """

    values: Numbers | None = None
    codes: Numbers | None = None
    numbers: Array | None = None
    dtype: np.dtype[Any] = FLOAT64
    categories: int = 0

    @property
    def narrow(self) -> bool:
        """Whether all values are float32."""
        return self.values is not None and self.values.values.dtype == np.float32

    def rows(self, start: int, stop: int, ordered: bool) -> Rows:
        """A range of rows; row numbers only if the reduction needs them."""
        return self._rows(
            lambda column: column.slice(start, stop), lambda: np.arange(start, stop), slice(start, stop), ordered
        )

    def at(self, rows: npt.NDArray[np.int64], ordered: bool) -> Rows:
        """The rows of the given positions."""

        def gather(column: Numbers) -> tuple[Array, Array | None]:
            return widen(column.values[rows]), None if column.valid is None else column.valid[rows]

        return self._rows(gather, lambda: rows, rows, ordered)

    def _rows(
        self,
        read: Callable[[Numbers], tuple[Array, Array | None]],
        positions: Callable[[], Array],
        index: Any,
        ordered: bool,
    ) -> Rows:
        values, valid = (None, None) if self.values is None else read(self.values)
        codes = None
        if self.codes is not None:
            codes, known = read(self.codes)
            if known is not None:
                codes = np.where(known, codes, -1)
        numbers = None
        if ordered:
            numbers = positions() if self.numbers is None else self.numbers[index]
        return Rows(values, valid, numbers, codes)


NO_INPUTS: Final = Inputs()


def check(dataset: Dataset, reduction: Reduction) -> None:
    """Raise NotFound, Unplottable or BadInput where a reduction's columns are missing or of no use to it.

    `sum` takes numbers and durations, `mean`, `min`, `max`, `first` and `last` numbers and times, `by` a category,
    integers or booleans, `count` and `any` every kind.
    """
    if isinstance(reduction, By):
        info = dataset.info(reduction.label)
        if not info.is_labelled:
            raise BadInput(
                f"by needs a column of labels, integers or booleans; {info.name!r} holds {info.holds}",
                "agg",
                str(reduction),
            )
        reduction = reduction.inner
    if reduction.column is None:
        return
    info = dataset.info(reduction.column)
    if not isinstance(reduction, Sum | Mean | Extreme | Pick) or info.is_numeric:
        return
    adds = isinstance(reduction, Sum) and not isinstance(reduction, Mean)  # times add up where they are lengths
    if info.kind != "duration" if adds else not info.is_time:
        kinds = "numbers or durations" if adds else "numbers or times"
        hint = f": mean({quoted(info.name)}) is a time" if info.is_time else ""
        raise BadInput(f"{reduction.name} needs {kinds}; {info.name!r} holds {info.holds}{hint}", "agg", str(reduction))


def bound(reduction: Reduction, dataset: Dataset) -> Reduction:
    """The reduction as it reads a dataset: a `by` over integers or booleans takes their values as labels, a mean of
    times is exact.

    Raises NotFound or Unplottable for the column of a `by` or of a mean.
    """
    if isinstance(reduction, By):
        numbers = dataset.info(reduction.label).kind in ("integer", "bool")
        return replace(reduction, numbers=numbers, inner=bound(reduction.inner, dataset))
    if type(reduction) is Mean and reduction.column is not None and dataset.info(reduction.column).is_time:
        return TimeMean(reduction.column)
    return reduction


def load(dataset: Dataset, reduction: Reduction, progress: Progress = no_progress, cancel: Cancel = NEVER) -> Inputs:
    """The columns that a reduction reads of a dataset. Raises as `check` does, and as `Dataset.column` does."""
    check(dataset, reduction)
    reduction = bound(reduction, dataset)
    values = codes = None
    dtype = FLOAT64
    categories = 0
    if reduction.column is not None:
        values = Numbers.of(dataset.column(reduction.column, progress, cancel))
        dtype = reduction.accumulator(values.values)
    if reduction.category is not None:
        column = dataset.column(reduction.category, progress, cancel)
        codes, categories = Numbers.of(column), len(column.categories or ())
    return Inputs(values, codes, None, dtype, categories)
