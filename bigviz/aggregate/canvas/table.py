"""The table of an image: its columns in use, and categories as the table declares them, without a pass over rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bigviz.aggregate.inputs import Numbers
from bigviz.data.columns.arrow_arrays import fixed_view, from_numpy, valid_mask
from bigviz.data.columns.column import label_text
from bigviz.data.dataset import Dataset
from bigviz.data.open import open as open_source

__all__ = ["Declared", "declared", "is_a", "opened"]

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Declared:
    """A category whose table says what its labels are, in which order: `codes` (signed integers, below 0 for null)."""

    codes: Numbers
    labels: list[Any]


def opened(source: object, names: Collection[str], coded: str | None = None) -> Dataset:
    """A dataset with the columns `names` of whatever `bigviz.open` takes. Of `coded`, a category, no more may be read
    than what `declared` gives.

    Those of a pandas frame that numpy holds are taken as they are: `bigviz.open` would look through all of the frame
    for missing values. Of a reader no other columns are kept.
    """
    if isinstance(source, pa.RecordBatchReader):
        known = [name for name in source.schema.names if name in names]
        held = [batch.select(known) for batch in source]
        source = pa.Table.from_batches(held, None if held else source.schema)
    if is_a(source, "pandas", "DataFrame"):
        table = _of_frame(source, names, coded)
        if table is not None:
            return open_source(table)
    return open_source(source)


def declared(source: Any, dataset: Dataset, name: str) -> Declared | None:
    """A pandas categorical, whose labels keep their order and their kind, or an ordered dictionary of Arrow's; None for
    other columns."""
    if is_a(source, "pandas", "DataFrame"):
        series = _series(source, name)
        if series is None or not hasattr(series, "cat"):
            return None
        return Declared(Numbers(series.cat.codes.to_numpy()), series.cat.categories.tolist())
    at = dataset.schema.get_field_index(name)
    if at < 0 or not pa.types.is_dictionary(dataset.schema.field(at).type) or not dataset.schema.field(at).type.ordered:
        return None
    column = dataset.arrow([name]).column(0).unify_dictionaries()
    chunks = [_codes(chunk) for chunk in column.chunks if len(chunk)]
    labels = column.chunk(0).dictionary.to_pylist() if column.num_chunks else []
    return Declared(Numbers(np.concatenate([np.empty(0, np.int32), *chunks])), labels)


def _codes(array: pa.DictionaryArray) -> npt.NDArray[np.int32]:
    indices = array.indices
    codes = fixed_view(indices, np.dtype(str(indices.type))).astype(np.int32)
    valid = valid_mask(indices)
    return codes if valid is None else np.where(valid, codes, np.int32(-1))


def _of_frame(frame: Any, names: Collection[str], coded: str | None) -> pa.Table | None:
    """None where a column is not one of numbers or a categorical: what else there is, and faults, `bigviz.open`
    knows."""
    arrays: dict[str, pa.Array] = {}
    for name in names:
        series = _series(frame, name)
        if series is None:
            return None
        if hasattr(series, "cat"):
            if name == coded:  # its codes are read by `declared`
                arrays[name] = pa.nulls(len(series), pa.dictionary(pa.int8(), pa.string()))
                continue
            try:
                arrays[name] = pa.array(series)
            except pa.ArrowException:
                return None
            continue
        dtype = series.dtype
        if not isinstance(dtype, np.dtype) or dtype.kind not in "iuf" or dtype.itemsize > 8 or not dtype.isnative:
            return None
        arrays[name] = from_numpy(series.to_numpy(), pa.from_numpy_dtype(dtype))
    return pa.table(arrays)


def _series(frame: Any, name: str) -> Any:
    """The one column whose label is, or reads as, a name; None where there is not one."""
    labels = [label for label in frame.columns if label_text(label) == name]
    return frame[labels[0]] if len(labels) == 1 and Counter(frame.columns)[labels[0]] == 1 else None


def is_a(source: object, module: str, name: str) -> bool:
    """Whether an object is of a class, or of a subclass, of a library that need not be installed; GeoPandas' frames,
    whose geometries pandas knows nothing of, are none of pandas'."""
    bases = type(source).__mro__
    if any(base.__module__.split(".")[0] == "geopandas" for base in bases):
        return False
    return any(base.__name__ == name and base.__module__.split(".")[0] == module for base in bases)
