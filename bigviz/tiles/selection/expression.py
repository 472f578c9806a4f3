"""A box or a range in axis space as a filter, in the words of the table's columns."""

from __future__ import annotations

import math
from typing import Final, Literal, TypeVar

import numpy as np
import pyarrow as pa

from bigviz.aggregate.layer import Layer
from bigviz.aggregate.spaces import MOST_LATITUDE, space
from bigviz.common.cancel import NEVER, Cancel
from bigviz.data.columns.kinds import nanoseconds_per_unit, storage_type
from bigviz.data.dataset import Dataset
from bigviz.data.filters.tree import ColumnName, Text
from bigviz.tiles.grid.window import Number
from bigviz.tiles.selection.region import Lasso, Region

__all__ = ["expression_of"]

N = TypeVar("N", int, float)

_MOST_LABELS: Final = 200
_DAY: Final = 86_400 * 10**9
_TIMES: Final = -(1 << 63), 1 << 63  # nanoseconds of the first time that an axis holds, and after those of the last
_MOST: Final = float(np.finfo(np.float64).max)
_POSITIVE: Final = 5e-324, _MOST  # numbers that have a logarithm
_LATITUDES: Final = -MOST_LATITUDE, math.nextafter(MOST_LATITUDE, math.inf)


def expression_of(dataset: Dataset, layer: Layer, shape: Region, cancel: Cancel = NEVER) -> str | None:
    """A filter that keeps the rows of a shape; None for a lasso, and where an axis cannot be written in such words
    (truth values, times of day, durations, more than 200 labels).

    On logarithmic axes and on maps the ends are those of the axis, put back into numbers of the column and rounded.
    Ends beyond what an axis holds become the ends of that: no row lies between.
    """
    if isinstance(shape, Lasso):
        return None
    x, y = shape.windows
    terms = [_term(dataset, layer.x, layer.xaxis, "x", x, cancel)]
    if y is not None and layer.y:  # histograms and bars have none
        terms.append(_term(dataset, layer.y, layer.yaxis, "y", y, cancel))
    return None if None in terms else " and ".join(term for term in terms if term is not None)


def _term(
    dataset: Dataset, name: str, axis: str, which: Literal["x", "y"], window: tuple[Number, Number], cancel: Cancel
) -> str | None:
    info = dataset.info(name)
    column = ColumnName(info.name)
    if "\0" in name:
        return None
    if info.kind == "category":
        labels = dataset.labels(name, cancel)[max(math.ceil(window[0]), 0) : max(math.ceil(window[1]), 0)]
        if not labels or len(labels) > _MOST_LABELS:
            return None
        return f"{column} in ({', '.join(str(Text(label)) for label in labels)})"
    if info.kind in ("bool", "time", "duration"):
        return None
    if info.kind in ("date", "timestamp"):
        ends = [_moment(info.type, _between(math.ceil(end), _TIMES)) for end in window]
    else:
        ends = [_back(end, axis, which) if axis in ("log", "mercator") else _number(end) for end in window]
    return f"{column} >= {ends[0]} and {column} < {ends[1]}"


def _between(number: N, ends: tuple[N, N]) -> N:
    """The number itself, or the end that it lies beyond."""
    return min(max(number, ends[0]), ends[1])


def _number(number: Number) -> str:
    return repr(number) if isinstance(number, int) else repr(float(number))


def _back(place: Number, axis: str, which: Literal["x", "y"]) -> str:
    """The number of a column at a place on a logarithmic axis or a map, or the nearest one that has a place there."""
    ends = _POSITIVE if axis == "log" else _LATITUDES if which == "y" else (-_MOST, _MOST)
    return repr(_between(float(space(axis, which).value(place)), ends))


def _moment(type_: pa.DataType, nanoseconds: int) -> str:
    """A time as ISO 8601 text: the first one of the column's unit that is not before it."""
    unit = nanoseconds_per_unit(storage_type(type_))
    nanoseconds = -(-nanoseconds // unit) * unit
    days, rest = divmod(nanoseconds, _DAY)
    day = str(pa.scalar(days, pa.date32()))
    if pa.types.is_date(storage_type(type_)):
        return str(Text(day))
    seconds, fraction = divmod(rest, 10**9)
    text = f"{day}T{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    text += f".{fraction:09}".rstrip("0") if fraction else ""
    return str(Text(text + ("Z" if getattr(storage_type(type_), "tz", None) else "")))
