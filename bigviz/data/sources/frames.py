"""Objects in memory to Arrow tables, column by column where one column would shut out the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from bigviz.common.errors import BadInput
from bigviz.data.columns.column import Unusable, label_text
from bigviz.data.formats.geometry import with_points

__all__ = ["to_table"]

_FAILURES = (
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    NotImplementedError,
    AttributeError,
    pa.ArrowException,
)


def to_table(source: object) -> tuple[pa.Table, dict[int, Unusable]]:
    """The rows of an object as a table, and the columns that cannot be plotted or that Arrow cannot take, by position,
    with the reason.

    Takes pyarrow's tables, batches and readers; whatever has `__arrow_c_stream__` or `__arrow_c_array__`; pandas
    frames of any version; mappings of names to arrays. Names that are no text (integers, tuples) become `str(name)`.
    Sparse columns are made dense and byte-swapped ones native. A column that cannot be taken is null in every row.
    Coordinates of points in columns of geometries (of GeoArrow, or of a GeoPandas frame) are columns at the end.
    Raises `BadInput` for anything else, single columns too, for columns of different lengths and where no column can be
    taken, and what pyarrow raises.
    """
    table, unusable = _converted(source)
    table, shaped = with_points(table)
    return table, {**shaped, **unusable}


def _converted(source: object) -> tuple[pa.Table, dict[int, Unusable]]:
    if isinstance(source, pa.Table):
        return source, {}
    if isinstance(source, pa.RecordBatch):
        return pa.Table.from_batches([source]), {}
    if isinstance(source, pa.RecordBatchReader):
        return source.read_all(), {}
    if _is_column(source):
        kind = type(source).__name__
        raise BadInput(
            f"A {kind} is one column, and a table has names: give a mapping of names to columns, such as {{'x': ...}}.",
            field="source",
            got=kind,
        )
    if _is_pandas(source):
        return _from_pandas(source)
    if hasattr(source, "__arrow_c_stream__") or hasattr(source, "__arrow_c_array__"):
        return _from_stream(source)
    if isinstance(source, Mapping):
        return _from_mapping(source)
    hint = " Call .collect() first." if hasattr(source, "collect") else ""
    raise BadInput(
        f"bigviz cannot open an object of type {type(source).__name__}.{hint} It opens paths, lists of paths, "
        "pyarrow tables, readers, frames of pandas, polars and duckdb, and mappings of names to arrays.",
        field="source",
        got=type(source).__name__,
    )


def _is_column(source: object) -> bool:
    """One column, as a Series or an array is, unless it is of structs, whose fields are columns."""
    type_ = getattr(source, "dtype", getattr(source, "type", None))
    if str(type_).lower().startswith("struct") or getattr(type_, "names", None):
        return False
    return isinstance(source, pa.Array | pa.ChunkedArray) or len(getattr(source, "shape", (0, 0))) == 1


def _is_pandas(source: object) -> bool:
    """Without importing pandas."""
    bases = type(source).__mro__
    return any(base.__name__ == "DataFrame" and base.__module__.split(".")[0] == "pandas" for base in bases)


def _from_pandas(frame: Any) -> tuple[pa.Table, dict[int, Unusable]]:
    if hasattr(frame, "to_arrow"):  # GeoPandas, of whose geometries pandas knows nothing
        return _from_stream(frame.to_arrow())
    names = [label_text(label) for label in frame.columns]
    if not all(isinstance(label, str) for label in frame.columns):
        frame = frame.set_axis(names, axis=1)
    try:
        return pa.Table.from_pandas(frame), {}
    except _FAILURES:
        pass
    columns = [(name, str(frame.dtypes.iloc[at]), _pandas_column(frame.iloc[:, [at]])) for at, name in enumerate(names)]
    try:  # what from_pandas makes of the index stands at the end
        index = pa.Table.from_pandas(frame.iloc[:, :0])
        columns += [(name, "", _constant(index.column(name))) for name in index.column_names]
    except _FAILURES:
        columns += [(label_text(name), "an index", _failing) for name in frame.index.names]
    return _assembled(columns, len(frame))


def _pandas_column(frame: Any) -> Callable[[], pa.ChunkedArray]:
    def convert() -> pa.ChunkedArray:
        series = frame.iloc[:, 0]
        dtype = series.dtype
        if type(dtype).__name__ == "SparseDtype":
            series = series.sparse.to_dense()
        elif isinstance(dtype, np.dtype):
            series = _native(series)
        return pa.Table.from_pandas(series.to_frame("column"), preserve_index=False).column(0)

    return convert


def _from_stream(source: Any) -> tuple[pa.Table, dict[int, Unusable]]:
    objects = _polars_objects(source)
    failure: BaseException | None = None
    if not objects:
        try:
            return pa.table(source), {}
        except _FAILURES as error:
            failure = error
    names = getattr(source, "columns", None)
    if not isinstance(names, list) or not hasattr(source, "__getitem__"):
        assert failure is not None
        raise failure
    dtypes = [str(dtype) for dtype in getattr(source, "dtypes", [""] * len(names))]
    columns = [
        (name, dtype, _failing if name in objects else _selected(source, name))
        for name, dtype in zip(names, dtypes, strict=True)
    ]
    return _assembled(columns, len(source))


def _selected(source: Any, name: str) -> Callable[[], pa.ChunkedArray]:
    return lambda: pa.table(source[[name]]).column(0)


def _polars_objects(source: Any) -> set[str]:
    """The columns of Python objects in a polars frame, of which its stream holds the addresses in memory."""
    if type(source).__module__.split(".")[0] != "polars":
        return set()
    return {name for name, dtype in source.schema.items() if str(dtype).startswith("Object")}


def _from_mapping(source: Mapping[Any, Any]) -> tuple[pa.Table, dict[int, Unusable]]:
    items = {label_text(label): values for label, values in source.items()}
    try:
        if len(items) == len(source):
            return pa.table(items), {}
    except _FAILURES:
        pass
    columns = [(label_text(label), _dtype(values), _mapped(values)) for label, values in source.items()]
    return _assembled(columns, None)


def _mapped(values: Any) -> Callable[[], pa.ChunkedArray]:
    def convert() -> pa.ChunkedArray:
        native = _native(values) if isinstance(values, np.ndarray) else values
        return pa.table({"column": native}).column(0)

    return convert


def _native(values: Any) -> Any:
    """An array or pandas series in this machine's byte order."""
    return values if values.dtype.isnative else values.astype(values.dtype.newbyteorder("="))


def _dtype(values: Any) -> str:
    dtype = getattr(values, "dtype", None)
    if dtype is None:
        return f"a {type(values).__name__}"
    dimensions = getattr(values, "ndim", 1)
    return str(dtype) if dimensions == 1 else f"{dtype} in {dimensions} dimensions"


def _assembled(
    columns: Iterable[tuple[str, str, Callable[[], pa.ChunkedArray]]], rows: int | None
) -> tuple[pa.Table, dict[int, Unusable]]:
    """A table of (name, dtype, how to convert it); of `rows` rows, if that is known."""
    names: list[str] = []
    arrays: list[pa.ChunkedArray | None] = []
    reasons: dict[int, Unusable] = {}
    for name, dtype, convert in columns:
        names.append(name)
        try:
            arrays.append(convert())
        except _FAILURES as error:
            reasons[len(arrays)] = Unusable(f"holds {dtype}, which Arrow cannot take: {_text(error)}")
            arrays.append(None)
    lengths = {name: len(array) for name, array in zip(names, arrays, strict=True) if array is not None}
    if not lengths:
        told = "; ".join(f"column {names[at]!r} {each.reason}" for at, each in list(reasons.items())[:3])
        raise BadInput(f"The table cannot be read: {told or 'it has no columns'}.", field="source")
    rows = next(iter(lengths.values())) if rows is None else rows
    if any(length != rows for length in lengths.values()):
        told = ", ".join(f"{name!r} has {length:,}" for name, length in list(lengths.items())[:20])
        raise BadInput(f"The table cannot be read: its columns differ in length: {told}.", field="source")
    empty = pa.nulls(rows)
    return pa.Table.from_arrays([empty if array is None else array for array in arrays], names=names), reasons


def _constant(array: pa.ChunkedArray) -> Callable[[], pa.ChunkedArray]:
    return lambda: array


def _failing() -> pa.ChunkedArray:
    raise TypeError("it has no type for Python objects")


def _text(error: BaseException) -> str:
    """The first line of a message; pyarrow adds arguments to those of pandas columns."""
    first = error.args[0] if error.args else type(error).__name__
    lines = str(first).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:200].rstrip(".")
