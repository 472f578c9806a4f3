"""The fallback of `Canvas`: datashader itself, for glyphs and reductions without a kernel of bigviz's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import datashader as ds
import numpy as np
import pyarrow as pa
import xarray as xr
from datashader.core import Canvas

from bigviz.aggregate.canvas.batches import collected
from bigviz.aggregate.canvas.in_cells import check_geometries, drawn_in_cells, triangles_in_cells, unsafe
from bigviz.aggregate.reductions.base import Reduction
from bigviz.aggregate.reductions.by import By
from bigviz.common.errors import BadInput
from bigviz.common.workers import Crew
from bigviz.data.columns.column import readable_names
from bigviz.data.dataset import Dataset
from bigviz.data.filters.check import check
from bigviz.data.filters.kept import kept
from bigviz.data.filters.parse import parse
from bigviz.data.limits import require_memory
from bigviz.data.open import open as open_source

__all__ = ["draw"]

_OWN: Final = ("pandas", "dask", "dask_expr", "xarray", "spatialpandas", "geopandas", "dask_geopandas", "cudf")
_VALUE_BYTES: Final = 16  # of a value in Arrow's memory and in that of pandas


def draw(options: dict[str, Any], glyph: str, source: object, arguments: dict[str, Any], filter: str) -> Any:
    """What `datashader.Canvas(**options)` makes of a source by the method `glyph`, called with keyword `arguments`.

    datashader's own kinds of tables are given to it as they are. Of others, the columns that are named in the arguments
    are read into a pandas frame; raises TooLarge where they do not fit into memory, and what datashader raises. Where
    it would write outside its image, it is given places in cells: see `in_cells`.
    """
    agg = arguments.get("agg")
    if isinstance(agg, Reduction):
        agg = arguments["agg"] = _datashaders(agg)
    whose = {base.__module__.split(".")[0] for base in type(source).__mro__}
    if filter or (not whose & set(_OWN) and source is not None):
        source = _frame(source, [*_texts(arguments.values()), *_columns(agg)], filter)
    if glyph in ("points", "area"):
        source = _as_frame(source)

    def drawn(options: dict[str, Any], source: Any, arguments: dict[str, Any]) -> Any:
        return getattr(Canvas(**options), glyph)(source, **arguments)

    if glyph == "trimesh":
        return triangles_in_cells(drawn, options, source, arguments)
    if arguments.get("geometry") is not None:
        check_geometries(options, glyph, source, arguments)
    sides = unsafe(options, glyph, source, arguments)
    if sides is None:
        return drawn(options, source, arguments)
    return drawn_in_cells(drawn, options, glyph, source, arguments, sides)


def _frame(source: object, names: Sequence[str], filter: str) -> Any:
    dataset = open_source(collected(source, {*names, *(parse(filter).columns if filter else ())}))
    known = readable_names(dataset.columns())
    names = [name for name in dict.fromkeys(names) if name in known]
    require_memory(dataset.num_rows * len(names) * _VALUE_BYTES, f"A frame of {dataset.name!r} for datashader")
    table = dataset.arrow(names)
    if filter:
        table = table.filter(pa.array(_kept(dataset, filter)))
    for at, field in enumerate(table.schema):
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
            table = table.set_column(at, field.name, table.column(at).dictionary_encode())
    return table.to_pandas()


def _as_frame(source: Any) -> Any:
    """Tables of xarray, which datashader makes frames of, as a frame; all else as it is."""
    if isinstance(source, xr.DataArray) and source.ndim == 1:
        source = source.to_dataset(name=source.name or "value")
    is_table = isinstance(source, xr.Dataset) and len(source.dims) == 1
    return source.to_dataframe().reset_index() if is_table else source


def _kept(dataset: Dataset, filter: str) -> np.ndarray:
    return kept(dataset, check(parse(filter), dataset), Crew())


def _texts(values: Iterable[Any]) -> list[str]:
    """The texts among arguments, which may be names of columns, and those in lists of them."""
    found: list[str] = []
    for value in values:
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, list | tuple):
            found += _texts(value)
    return found


def _columns(agg: Any) -> list[str]:
    """The columns that a reduction of datashader's reads."""
    if agg is None:
        return []
    if isinstance(agg, ds.summary):
        return [name for each in agg.values for name in _columns(each)]
    named = getattr(agg, "columns", None) or (getattr(agg, "column", None),)
    return [name for name in named if isinstance(name, str)]


def _datashaders(reduction: Reduction) -> Any:
    """A reduction of bigviz's as one of datashader's."""
    if isinstance(reduction, By):
        return ds.by(reduction.label, _datashaders(reduction.inner))
    made = getattr(ds, reduction.name, None)
    if made is None:
        raise BadInput(f"datashader has no reduction {reduction.name!r}", "agg", str(reduction))
    return made() if reduction.column is None else made(reduction.column)
