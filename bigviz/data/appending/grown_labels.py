"""The labels of a category column to which rows are appended: new ones go last, so the places of labels are stable.

Those of the rows that were there first are sorted; then come, append by append, the new ones of each, sorted. So they
do not depend on when somebody looks. Labels that came with corrections go after those that were there when they were
looked at.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from weakref import WeakValueDictionary

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bigviz.common.cancel import Cancel
from bigviz.data.appending.growth import Growth
from bigviz.data.columns.categories import Sorted, distinct, label_texts, own_codes
from bigviz.data.columns.column import ColumnInfo
from bigviz.data.sources.source import Source

__all__ = ["GrownLabels", "grown_labels"]


@dataclass(frozen=True)
class _Origin:
    """Where a label came from: an append's row, or a correction's version."""

    row: int
    version: int


class GrownLabels:
    """The labels of one column over all versions of a dataset. Thread-safe."""

    def __init__(self, info: ColumnInfo) -> None:
        self._info = info
        self._labels: pa.Array | None = None
        self._origins: list[_Origin] = []
        self._stop: int | None = None  # the number of the first row that was not looked at
        self._corrected = 0  # the last version whose corrections were looked at
        self._lock = threading.Lock()

    def of(self, source: Source, growth: Growth, index: int, version: int, cancel: Cancel) -> Sorted:
        """The labels in a version: rows that were not looked at before are read. Raises what reading them does, and
        `Unplottable` for more than 2^20."""
        stop = growth.first_row + source.num_rows
        with self._lock:
            if self._stop is None or stop > self._stop:
                start = max(growth.first_row, self._stop or 0)
                self._add(list(_read(source, growth, index, start, stop, cancel)), growth.appends)
                if self._stop is None:
                    self._corrected = version
                self._stop = stop
            for each in growth.corrections:
                if self._corrected < each.version <= version and len(each.rows):
                    ends = max(int(each.rows[0]), growth.first_row), int(each.rows[-1]) + 1
                    found = list(_read(source, growth, index, *ends, cancel))
                    self._add([(labels, np.full(len(labels), -1)) for labels, _ in found], (), each.version)
            self._corrected = max(self._corrected, version)
            there = (each.row < stop and each.version <= version for each in self._origins)
            count = next((at for at, each in enumerate(there) if not each), len(self._origins))
            labels = pa.array([], pa.string()) if self._labels is None else self._labels.slice(0, count)
            return Sorted(labels, tuple(label_texts(labels)))

    def _add(self, found: list[tuple[pa.Array, np.ndarray]], appends: Sequence[int], version: int = 0) -> None:
        """Take in labels with the row that each first came in, as they were read."""
        found = [each for each in found if len(each[0])]
        if not found:
            return
        encoded = distinct(self._info, [labels for labels, _ in found])
        labels, rows = encoded.dictionary, np.concatenate([rows for _, rows in found])
        first = np.full(len(labels), np.iinfo(np.int64).max)
        np.minimum.at(first, np.asarray(encoded.indices), rows)
        if self._labels is not None:
            new = np.asarray(pc.is_null(pc.index_in(labels, value_set=self._labels)))
            labels, first = labels.filter(pa.array(new)), first[new]
        if not len(labels):
            return
        order = np.asarray(pc.sort_indices(labels))
        group = np.array([bisect_right(appends, int(row)) for row in first])
        order = order[np.argsort(group[order], kind="stable")]
        labels, first = labels.take(pa.array(order)), first[order]
        self._labels = labels if self._labels is None else pa.concat_arrays([self._labels, labels])
        distinct(self._info, [self._labels])
        self._origins += [_Origin(int(row), version) for row in first]


def _read(
    source: Source, growth: Growth, index: int, start: int, stop: int, cancel: Cancel
) -> Iterator[tuple[pa.Array, np.ndarray]]:
    """The labels of rows from number `start` to `stop`, and the number of the first row of each, array by array."""
    at, before = start, growth.first_row
    for (array,) in source.rows(start - before, stop - before, [index], cancel):
        codes, labels = own_codes(array)
        used, firsts = np.unique(codes, return_index=True)
        firsts, used = firsts[used >= 0], used[used >= 0]
        yield labels.take(pa.array(used)), firsts + at
        at += len(array)


_known: WeakValueDictionary[tuple[str, int], GrownLabels] = WeakValueDictionary()
_lock = threading.Lock()


def grown_labels(lineage: str, index: int, info: ColumnInfo) -> GrownLabels:
    """Those of a column of a lineage: shared by all of its versions that are open, and gone with the last one."""
    with _lock:
        found = _known.get((lineage, index))
        if found is None:
            found = _known[lineage, index] = GrownLabels(info)
        return found
