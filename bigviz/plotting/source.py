"""The data of a glyph as a script holds it: columns that it may change and store again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bigviz.common.errors import BadInput
from bigviz.data.dataset import Dataset
from bigviz.data.open import open as open_dataset

__all__ = ["ColumnDataSource"]


class ColumnDataSource:
    """Columns of equal length by name, in `data`, as lists or arrays of the script's own."""

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        """The columns are copied: what the script goes on with is `data`."""
        self.data: dict[str, Any] = {str(name): _column(values) for name, values in dict(data or {}).items()}

    def __repr__(self) -> str:
        return f"<ColumnDataSource of {', '.join(self.data) or 'no columns'}>"

    def table(self, name: str | None = None) -> Dataset:
        """What the columns hold now, as a dataset of this name. Raises BadInput for columns of different lengths."""
        lengths = {name: len(values) for name, values in self.data.items()}
        if len(set(lengths.values())) > 1:
            told = ", ".join(f"{name} has {length:,}" for name, length in lengths.items())
            raise BadInput(f"The columns of a source are equally long, got: {told}.", "data")
        return open_dataset({key: _snapshot(values) for key, values in self.data.items()}, name=name)


def _column(values: Any) -> Any:
    """A list, which can be shuffled in place, or an array where it came as one."""
    if isinstance(values, np.ndarray):
        return values.copy()
    if hasattr(values, "to_numpy"):  # of pandas or polars
        return np.array(values.to_numpy())
    if isinstance(values, str | bytes) or not hasattr(values, "__iter__"):
        raise BadInput(f"A column is a list or an array of values, got {values!r}.", "data")
    return list(values)


def _snapshot(values: Any) -> Any:
    """The values as they are now: an opened table shares the memory of arrays."""
    return values.copy() if isinstance(values, np.ndarray) else list(values)
