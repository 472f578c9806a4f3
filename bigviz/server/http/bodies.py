"""Bodies of the layer routes: planes and tables as bytes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.types as pt

from bigviz.data.columns.kinds import nanoseconds_per_unit, storage_type
from bigviz.wire.codec import SIDE
from bigviz.wire.headed_array import with_head

__all__ = ["arrow", "npy", "own_values", "tile_table"]

Array = npt.NDArray[Any]


def npy(planes: Sequence[Array], categories: bool, shape: tuple[int, int] = (SIDE, SIDE)) -> memoryview:
    """One plane as (y, x), or under `by` all planes as (y, x, category); row 0 is the highest y.

    A category without labels has no planes, only their `shape`.

    The format has no null: integers and bools that may lack a value (numpy.ma: min, max, first, last) come as float64
    with NaN, times have NaT. `.arrow` keeps their type.
    """
    whole = [_with_nan(plane) if isinstance(plane, np.ma.MaskedArray) else plane for plane in planes]
    blank = np.zeros((*shape, 0), np.uint32)
    array = whole[0] if not categories else np.stack(whole, axis=-1) if whole else blank
    return with_head(array, _head(array.dtype, array.shape))


@lru_cache(256)
def _head(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    """What stands before an array's bytes."""
    out = io.BytesIO()
    facts = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(out, facts)
    return out.getvalue()


def _with_nan(plane: np.ma.MaskedArray[Any, Any]) -> Array:
    numbers = plane.data.astype(np.float64)
    numbers[np.ma.getmaskarray(plane)] = np.nan
    return numbers


def own_values(plane: Array, type_: pa.DataType) -> Array:
    """A plane of a column's values (min, max, first, last), as kernels know them, in the type of the column.

    Times are datetime64 or timedelta64 in the column's unit, NaT where empty; bools stay masked. Decimals stay float64,
    their number on an axis.
    """
    type_ = storage_type(type_)
    if pt.is_float16(type_):
        return plane.astype(np.float16)
    if pt.is_boolean(type_):
        return plane.astype(np.bool_)
    if not pt.is_temporal(type_):
        return plane
    unit = "D" if pt.is_date32(type_) else "ms" if pt.is_date64(type_) else type_.unit
    stamp = "m8" if pt.is_duration(type_) or pt.is_time(type_) else "M8"
    values = (np.ma.getdata(plane) // nanoseconds_per_unit(type_)).view(f"{stamp}[{unit}]")
    values[np.ma.getmaskarray(plane)] = "NaT"
    return values


def arrow(table: pa.Table) -> bytes:
    """An Arrow IPC file, uncompressed (browsers' readers decode no bodies)."""
    out = io.BytesIO()
    with pa.ipc.new_file(out, table.schema) as writer:
        writer.write_table(table)
    return out.getvalue()


def tile_table(
    planes: Sequence[Array], labels: Sequence[str], facts: dict[str, int], own: pa.DataType | None = None
) -> pa.Table:
    """A tile as a table: one column a plane, cells from the top left, `facts` as schema metadata.

    Empty cells (NaN, NaT, masked) are null in planes other than counts. `own` is the type of the column whose
    `own_values` the planes hold, for what NumPy cannot tell (dates, times of day, zones).
    """
    columns = [pa.array(np.ravel(plane), from_pandas=True) for plane in planes]
    if own is not None and pt.is_temporal(storage_type(own)):
        columns = [_stamps(column, storage_type(own)) for column in columns]
    table = pa.Table.from_arrays(columns, names=[str(label) for label in labels])
    return table.replace_schema_metadata({key: str(value) for key, value in facts.items()})


def _stamps(column: pa.Array, type_: pa.DataType) -> pa.Array:
    if not pt.is_time(type_):
        return column.cast(type_)
    return column.cast(pa.int64()).cast(pa.int32() if type_.bit_width == 32 else pa.int64()).cast(type_)
