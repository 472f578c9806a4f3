"""The numbers of a column by size, over rows that are read for that alone."""

from __future__ import annotations

from collections import Counter

from bigviz.common.cancel import NEVER, Cancel
from bigviz.data.columns.column import widen
from bigviz.data.columns.magnitudes import Magnitudes
from bigviz.data.dataset import Dataset
from bigviz.data.sources.source import Source

__all__ = ["measured", "measured_columns"]


def measured(source: Source, name: str, cancel: Cancel = NEVER) -> Magnitudes:
    """Those of one column's axis numbers; none for a category. Raises what reading does."""
    return _measured(Dataset("rows", source), name, cancel)


def measured_columns(source: Source) -> dict[str, Magnitudes]:
    """Those of all columns that can be an axis of numbers or times. Raises what reading does."""
    dataset = Dataset("rows", source)
    names = Counter(info.name for info in dataset.columns())
    usable = [info.name for info in dataset.columns() if info.plottable and names[info.name] == 1]
    return {name: _measured(dataset, name, NEVER) for name in usable if dataset.info(name).kind != "category"}


def _measured(dataset: Dataset, name: str, cancel: Cancel) -> Magnitudes:
    found = Magnitudes()
    if dataset.info(name).kind == "category":
        return found
    for number in range(len(dataset.chunks())):
        for _, (column,) in dataset.read(number, [name], cancel):
            cancel.check()
            values = column.values if column.valid is None else column.values[column.valid]
            found = found.merged(Magnitudes.of(widen(values)))
    return found
