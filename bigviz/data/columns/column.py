"""A column as numbers on an axis."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.types as pt

from bigviz.data.columns.names import as_labels, own_name

__all__ = [
    "Column", "ColumnInfo", "Kind", "RowIndex", "Unusable", "as_labels", "has_numbers", "label_text", "own_name",
    "readable_names", "type_words", "widen",
]  # fmt: skip

Kind = Literal["integer", "float", "bool", "decimal", "date", "time", "timestamp", "duration", "category", "other"]
RowIndex = np.ndarray | slice
"""Rows by their places (integers), by a mask, or as a slice."""

_SLICE = 1 << 20


def type_words(type_: pa.DataType) -> str:
    """A type for people who do not know Arrow."""
    if pt.is_dictionary(type_):
        return f"labels ({type_words(type_.value_type)})"
    return "text" if pt.is_string(type_) or pt.is_large_string(type_) or pt.is_string_view(type_) else str(type_)


class Unusable(NamedTuple):
    """Why a column cannot be plotted though its type could be, or cannot be read at all.

    `reason` is the rest of a sentence that begins with the column's name, such as "holds 128-bit integers".
    """

    reason: str
    readable: bool = False


@dataclass(frozen=True)
class ColumnInfo:
    """What is known of a column before it is read.

    `zone` is the time zone that labels of a timestamp are written in (None for naive stamps and other kinds).
    `reason` says why the column cannot be plotted, as the rest of a sentence that begins with its name ("holds
    list<item: int64>, which has no place on an axis"); None if it can. Without a place on an axis the kind is "other".
    A column that is not `readable` has no true values either, and its `type` means nothing.
    """

    name: str
    type: pa.DataType
    kind: Kind
    zone: str | None
    reason: str | None = None
    readable: bool = True

    @property
    def plottable(self) -> bool:
        """True if the values have a place on an axis and can be read."""
        return self.reason is None

    @property
    def holds(self) -> str:
        """What the column holds, as an error message says it: "labels (text)", or the name of its type."""
        return type_words(self.type)

    @property
    def is_time(self) -> bool:
        """True if the axis numbers are nanoseconds."""
        return self.kind in ("date", "time", "timestamp", "duration")

    @property
    def is_labelled(self) -> bool:
        """True if the values can be labels as they are: those of categories are, integers and booleans become some."""
        return self.kind in ("category", "integer", "bool")

    @property
    def label_column(self) -> str:
        """The name under which a dataset gives the values of a labelled column as a category: see `as_labels`."""
        return self.name if self.kind == "category" else as_labels(self.name)

    @property
    def is_numeric(self) -> bool:
        """True if arithmetic (sum, mean) on the values has a meaning."""
        return self.kind in ("integer", "float", "bool", "decimal")


@dataclass(frozen=True)
class Column:
    """All rows of one column as axis numbers.

    - `values`: 1-D, C-contiguous, native byte order, one number a row, not to be written to (it may be Arrow's
      memory). float16 is float32; float32, float64 and the integers keep their own width; bool is uint8 (0, 1);
      decimals are float64 rounded half to even; dates, stamps, times of day and durations are int64 nanoseconds
      (stamps since the epoch in UTC); categories are int32 ordinals of the sorted labels.
    - `valid`: bool, True where the row holds a number; None if all rows do. Float columns never have one: their nulls
      are NaN, and NaN and infinities stay in `values`. Stamps that nanoseconds in int64 cannot hold (before 1677-09-21
      or after 2262-04-11) are not valid. `values` is 0 where a row is not valid.
    - `categories`: the sorted labels; None for other kinds.
    """

    info: ColumnInfo
    values: np.ndarray
    valid: np.ndarray | None
    categories: tuple[str, ...] | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", _locked(self.values))
        object.__setattr__(self, "valid", None if self.valid is None else _locked(self.valid))

    def __len__(self) -> int:
        return len(self.values)

    def slice(self, start: int, stop: int) -> tuple[np.ndarray, np.ndarray | None]:
        """Rows `start` to `stop` (exclusive) as `(values, valid)`, values widened to the four types that kernels know.

        float32, float64, int64 and uint64 are views; every other integer is copied to int64. Both arrays are
        read-only, always: numba compiles a kernel once for arrays that may be written to and once for those that may
        not.
        """
        return _locked(widen(self.values[start:stop])), None if self.valid is None else self.valid[start:stop]

    def at(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """The rows at some places (integers, or a mask) as `(values, valid)`, values widened as `slice` has them."""
        return widen(self.values[rows]), None if self.valid is None else self.valid[rows]

    def take(self, rows: RowIndex) -> Column:
        """Some rows as a column, in its own width."""
        return Column(self.info, self.values[rows], None if self.valid is None else self.valid[rows], self.categories)


def label_text(label: object) -> str:
    """The name of a column that pandas or a mapping may name by something else, such as 3 or ("a", "mean")."""
    return label if isinstance(label, str) else str(label)


def widen(values: np.ndarray) -> np.ndarray:
    """`values` in float32, float64, int64 or uint64, whichever holds its type exactly; the same array if it is one
    already."""
    if values.dtype.kind == "f" or values.dtype.itemsize == 8:
        return values
    return values.astype(np.int64)


def _locked(values: np.ndarray) -> np.ndarray:
    view = values.view()
    view.flags.writeable = False
    return view


def has_numbers(column: Column) -> bool:
    """True if at least one row is neither null, NaN nor infinite: a column without has no place for an axis."""
    for start in range(0, len(column), _SLICE):
        values, valid = column.slice(start, start + _SLICE)
        usable = np.isfinite(values) if values.dtype.kind == "f" else valid
        if usable is None or usable.any():
            return True
    return False


def readable_names(infos: Sequence[ColumnInfo]) -> list[str]:
    """The names of columns that can be read, in the table's order; those that stand for several columns left out."""
    count = Counter(info.name for info in infos)
    return [info.name for info in infos if info.readable and count[info.name] == 1]
