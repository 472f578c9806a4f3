"""Units of time types."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.types as pt

__all__ = ["nanoseconds_per_unit"]

_UNIT = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}


def nanoseconds_per_unit(type_: pa.DataType) -> int:
    """How many nanoseconds one step of a time type's stored integer is."""
    if pt.is_date32(type_):
        return 86_400 * _UNIT["s"]
    return _UNIT["ms"] if pt.is_date64(type_) else _UNIT[type_.unit]
