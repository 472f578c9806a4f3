"""What kind of value a layer's cells hold: a number, a count, a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.types as pt

from bigviz.aggregate.reductions.base import Reduction
from bigviz.data.columns.column import ColumnInfo, Kind
from bigviz.data.columns.kinds import storage_type
from bigviz.data.dataset import Dataset

__all__ = ["ValueKind", "value_kind", "value_type"]


@dataclass(frozen=True)
class ValueKind:
    """How a value of a plane is shown.

    `kind` is that of a column, `type` Arrow's name of the type. Dates, stamps, times of day and durations are int64
    nanoseconds in planes; `unit` is the one that they are told in (D, s, ms, us, ns; None for other kinds): that of the
    column, for a mean the next finer one. `zone` is the zone of a stamp's labels (None: naive, or no stamp).
    """

    kind: Kind
    type: str
    unit: str | None = None
    zone: str | None = None


_COUNT: Final = ValueKind("integer", "uint32")
_PRESENCE: Final = ValueKind("bool", "bool")
_WHOLE: Final = ValueKind("integer", "int64")
_FLOAT: Final = ValueKind("float", "double")
_FINER: Final = {"D": "s", "s": "ms", "ms": "us", "us": "ns", "ns": "ns"}


def value_kind(reduction: Reduction, dataset: Dataset) -> ValueKind:
    """What a plane of the reduction holds; nothing is read. Sums of integers are "integer", also where they are added
    in float64 because int64 might overflow. Means of times and sums of durations are times."""
    traits, column = reduction.traits, reduction.plane.column
    if traits.counts:
        return _COUNT
    if traits.total == "any" or column is None:
        return _PRESENCE
    info = dataset.info(column)
    if info.is_time:
        kind: Kind = "timestamp" if info.kind == "date" and traits.derived else info.kind
        unit = _unit(storage_type(info.type))
        return ValueKind(kind, str(_type_of(info, traits.own)), _FINER[unit] if traits.derived else unit, info.zone)
    if not traits.own:
        return _WHOLE if info.kind in ("integer", "bool") and not traits.derived else _FLOAT
    return ValueKind(info.kind, str(info.type), None, info.zone)


def value_type(reduction: Reduction, dataset: Dataset) -> pa.DataType | None:
    """Arrow's type of what a plane holds: a column's own values, or means of times, in nanoseconds; None for counts,
    sums and other means."""
    plane = reduction.plane
    if plane.column is None or not (plane.traits.own or plane.traits.derived):
        return None
    info = dataset.info(plane.column)
    return _type_of(info, plane.traits.own) if plane.traits.own or info.is_time else None


def _type_of(info: ColumnInfo, own: bool) -> pa.DataType:
    """The type of a column's values or, of times that were computed from them, of nanoseconds."""
    if own:
        return info.type
    if info.kind == "duration":
        return pa.duration("ns")
    return pa.time64("ns") if info.kind == "time" else pa.timestamp("ns", info.zone)


def _unit(type_: pa.DataType) -> str:
    return "D" if pt.is_date(type_) else str(type_.unit)
