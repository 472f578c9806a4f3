"""Bodies of the layer routes: planes and tables as bytes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = ["ARROW", "NPY", "PNG", "arrow", "npy", "tile_table"]

Array = npt.NDArray[Any]

NPY: Final = "application/octet-stream"
ARROW: Final = "application/vnd.apache.arrow.file"
PNG: Final = "image/png"


def npy(planes: Sequence[Array], categories: bool) -> bytes:
    """One plane as (y, x), or under `by` all planes as (y, x, category); row 0 is the highest y.

    The format has no null: integers that may lack a value (numpy.ma: min, max, first, last) come as float64 with NaN.
    `.arrow` keeps their type.
    """
    out = io.BytesIO()
    whole = [_with_nan(plane) if isinstance(plane, np.ma.MaskedArray) else plane for plane in planes]
    array = np.stack(whole, axis=-1) if categories else whole[0]
    np.save(out, np.ascontiguousarray(array), allow_pickle=False)
    return out.getvalue()


def _with_nan(plane: np.ma.MaskedArray[Any, Any]) -> Array:
    numbers = plane.data.astype(np.float64)
    numbers[np.ma.getmaskarray(plane)] = np.nan
    return numbers


def arrow(table: pa.Table) -> bytes:
    """An Arrow IPC file, uncompressed (browsers' readers decode no bodies)."""
    out = io.BytesIO()
    with pa.ipc.new_file(out, table.schema) as writer:
        writer.write_table(table)
    return out.getvalue()


def tile_table(planes: Sequence[Array], labels: Sequence[str], facts: dict[str, int]) -> pa.Table:
    """A tile as a table: one column a plane, cells from the top left, `facts` as schema metadata.

    Empty cells (NaN) are null in planes other than counts.
    """
    columns = [pa.array(np.ravel(plane), from_pandas=True) for plane in planes]
    table = pa.Table.from_arrays(columns, names=[str(label) for label in labels])
    return table.replace_schema_metadata({key: str(value) for key, value in facts.items()})
