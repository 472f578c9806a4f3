"""Which integer columns have too many distinct values to be categories, judged by a few rows."""

from __future__ import annotations

from contextlib import suppress
from itertools import islice
from typing import Final

import numpy as np

from bigviz.common.errors import BigvizError
from bigviz.data.dataset import Dataset

__all__ = ["columns_of_many"]

_ROWS: Final = 1 << 14
_MOST_COLUMNS: Final = 32  # each is read for it: 5 to 10 ms where a row group has a million rows


def columns_of_many(dataset: Dataset, most: int) -> frozenset[str]:
    """The names of those of the first 32 integer columns that have more than `most` different values in their first
    rows. Others may have more as well: nothing else is read. What cannot be read is left out."""
    names = (info.name for info in dataset.columns() if info.plottable and info.kind == "integer")
    found = set()
    for name in islice(names, _MOST_COLUMNS):
        with suppress(BigvizError):
            column = dataset.head(name)
            values = column.values[:_ROWS]
            if len(np.unique(values if column.valid is None else values[column.valid[:_ROWS]])) > most:
                found.add(name)
    return frozenset(found)
