"""What kind of value a layer's cells hold: a number, a count, a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.types as pt

from bigviz.aggregate.reductions.base import Reduction
from bigviz.data.columns.column import Kind
from bigviz.data.columns.kinds import storage_type
from bigviz.data.dataset import Dataset

__all__ = ["ValueKind", "value_kind"]


@dataclass(frozen=True)
class ValueKind:
    """How a value of a plane is shown.

    `kind` is that of a column, `type` Arrow's name of the type. Dates, stamps, times of day and durations are int64
    nanoseconds in planes; `unit` is the one that the column keeps them in (D, s, ms, us, ns; None for other kinds) and
    `zone` the zone of a stamp's labels (None: naive, or no stamp).
    """

    kind: Kind
    type: str
    unit: str | None = None
    zone: str | None = None


_COUNT: Final = ValueKind("integer", "uint32")
_PRESENCE: Final = ValueKind("bool", "bool")
_WHOLE: Final = ValueKind("integer", "int64")
_FLOAT: Final = ValueKind("float", "double")


def value_kind(reduction: Reduction, dataset: Dataset) -> ValueKind:
    """What a plane of the reduction holds; nothing is read. Sums of integers are "integer", also where they are added
    in float64 because int64 might overflow."""
    traits, column = reduction.traits, reduction.plane.column
    if traits.counts:
        return _COUNT
    if traits.total == "any" or column is None:
        return _PRESENCE
    info = dataset.info(column)
    if not traits.own:
        return _WHOLE if info.kind in ("integer", "bool") and not traits.derived else _FLOAT
    return ValueKind(info.kind, str(info.type), _unit(storage_type(info.type)) if info.is_time else None, info.zone)


def _unit(type_: pa.DataType) -> str:
    return "D" if pt.is_date(type_) else str(type_.unit)
