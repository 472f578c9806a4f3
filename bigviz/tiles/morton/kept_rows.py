"""A filter over the rows of an order: in that order, where its columns are kept so, else by the rows' numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.workers import Crew
from bigviz.data.columns.column import Column, ColumnInfo
from bigviz.data.columns.numbers import axis_dtype
from bigviz.data.dataset import Dataset
from bigviz.tiles.grid.order_spec import OrderSpec
from bigviz.tiles.grid.row_filter import RowFilter
from bigviz.tiles.grid.tile_key import Codes
from bigviz.tiles.morton.filtered_order import KEPT_ROW, FilteredOrder
from bigviz.tiles.morton.loose_rows import loose_rows
from bigviz.tiles.morton.masked_rows import MaskedRows
from bigviz.tiles.morton.order import Order, OrderedColumn
from bigviz.tiles.morton.packed_mask import PackedMask, packed_mask
from bigviz.tiles.morton.packed_rtree import touched
from bigviz.tiles.morton.sorted_keys import SortedKeys
from bigviz.tiles.morton.verified_array import VerifiedArray

__all__ = ["Slices", "keep_rows", "ordered_columns", "sample_rows"]

Mask = npt.NDArray[np.bool_]
Array = npt.NDArray[Any]
Slices = Callable[[slice | Array], Column]

_STAGE: Final = "filtering rows"
_LOOKED: Final = 1 << 16  # rows of a sample
_LAST: Final = (1 << 32) - 1  # code of a root


def keep_rows(
    keep: RowFilter, order: Order, spec: OrderSpec, columns: Mapping[str, Slices] | None, crew: Crew, memory: int
) -> MaskedRows | None:
    """The rows of an order that a filter keeps; None for more rows than `memory` bytes hold a copy of. `columns` are
    the filter's columns in that order, if they decide it (see `ordered_columns`). Stretches of it that lie where the
    filter keeps nothing, by what it says of the axes, are not looked at.

    Rows without a place have none there, but count too: those are read from the dataset, once for each column, or where
    they are many all of it, for each filter. Raises what reading them does, Unreadable for a damaged store, Cancelled.
    """
    rows = len(order.guard)
    loose = None if columns is None else loose_rows(order, crew)
    others = None if loose is None else loose.mask(keep)
    if columns is not None and loose is not None and others is not None:
        box = _box(keep, order, spec)

        def look(start: int, stop: int) -> Mask:
            part = slice(start, stop)
            if box is None or not touched(order.guard.boxes, start, stop, *box):
                return np.zeros(stop - start, np.bool_)
            return keep.mask({name: read(part) for name, read in columns.items()}, stop - start)

        mask = packed_mask(rows, look, crew)
        far = others[np.searchsorted(loose.numbers, order.far)]
        return _fitting(order, mask, far, mask.kept + int(np.count_nonzero(others)), memory)
    whole = keep.of_file(crew.within(_STAGE, 0.0, 0.6, rows))
    by_number = packed_mask(len(whole), lambda start, stop: whole[start:stop], Crew(crew.threads, cancel=crew.cancel))
    mask = packed_mask(
        rows,
        lambda start, stop: by_number.at(order.numbered.take(slice(start, stop))),
        crew.within(_STAGE, 0.6, 1.0, rows),
    )
    return _fitting(order, mask, by_number.at(order.far), by_number.kept, memory)


def sample_rows(
    keep: RowFilter, order: Order, columns: Mapping[str, Slices] | None
) -> tuple[FilteredOrder, int] | None:
    """The kept ones of every k-th row of an order, about 2^16, and how many were looked at; its `kept` is scaled to all
    rows. None where looking at some rows means reading the table."""
    rows = len(order.guard)
    step = max(1, rows // _LOOKED)
    places = np.arange(int(np.random.default_rng(rows).integers(0, step)), rows, step)
    mask: Mask | None = None
    if columns is not None:
        mask = keep.mask({name: read(places) for name, read in columns.items()}, len(places))
    elif order.has_columns:
        mask = keep.of_rows(order.row_numbers(places))
    if mask is None:
        return None
    some = places[mask]
    kept = round(order.survey.rows * len(some) / max(len(places), 1))
    none = np.empty(0, np.int64)
    guard, numbered = SortedKeys(order.guard.keys.take(some)), VerifiedArray(some.astype(np.uint32))
    return FilteredOrder(order.survey, guard, numbered, none, order, none, kept), len(places)


def ordered_columns(
    keep: RowFilter, order: Order, spec: OrderSpec, held: Mapping[str, OrderedColumn | None]
) -> dict[str, Slices] | None:
    """The columns of a filter in an order as readers of slices: those that are `held` in the order, and axes whose
    numbers are the column's own. None where one is not there, or where their numbers do not decide what is kept."""
    found: dict[str, Slices] = {}
    complete: set[str] = set()
    for name in keep.names:
        info, column = keep.dataset.info(name), held.get(name)
        which = 0 if name == spec.x else 1
        axis = name == (spec.x, spec.y)[which]
        if column is not None:
            found[name] = _Held(info, column, _labels(keep.dataset, info, column)).read
            # Among floats a null is a NaN, but there is neither on an axis.
            if axis or (column.valid is None and (info.kind != "float" or _without_null(keep.dataset, name))):
                complete.add(name)
        elif order.has_columns or not axis or (spec.xaxis, spec.yaxis)[which] != "linear" or info.kind == "category":
            return None
        else:
            found[name] = _Numbers(info, order, which).read
            complete.add(name)
    return found if keep.decided(complete.__contains__) else None


def _without_null(dataset: Dataset, name: str) -> bool:
    """Whether the file says that a column has no null, so that NaN among its numbers is NaN."""
    known = dataset.statistics(name, dataset.first_row, dataset.first_row + dataset.num_rows)
    return known is not None and not known.nulls


def _box(keep: RowFilter, order: Order, spec: OrderSpec) -> Codes | None:
    """The codes between which all kept rows lie; None where no row of the order is kept."""
    bounds, box = keep.predicate.bounds(), list[int]()
    for name, kind, root in ((spec.x, spec.xaxis, order.survey.x), (spec.y, spec.yaxis, order.survey.y)):
        low, high = bounds.get(name, (None, None)) if kind == "linear" else (None, None)
        first = 0 if low is None else max(0, root.cell(low, 32))
        last = _LAST if high is None else min(_LAST, root.cell(high, 32))
        if first > last:
            return None
        box += (first, last)
    return box[0], box[1], box[2], box[3]


def _fitting(order: Order, mask: PackedMask, far: Mask, kept: int, memory: int) -> MaskedRows | None:
    return MaskedRows(order, mask, far, kept) if mask.kept * KEPT_ROW <= memory else None


def _labels(dataset: Dataset, info: ColumnInfo, column: OrderedColumn) -> tuple[str, ...] | None:
    if info.kind != "category":
        return None
    return dataset.labels(info.name) if column.labels is None else column.labels


@dataclass(frozen=True)
class _Held:
    """A column that an order keeps."""

    info: ColumnInfo
    column: OrderedColumn
    labels: tuple[str, ...] | None

    def read(self, part: slice | Array) -> Column:
        """Some of its rows."""
        values, valid, codes = self.column[:3]
        if codes is not None:
            own = codes.take(part).astype(np.int32)
            return Column(self.info, np.maximum(own, 0), own >= 0, self.labels)
        assert values is not None
        known = None if valid is None else valid.take(part).view(np.bool_)
        return Column(self.info, np.ascontiguousarray(values.take(part)), known, None)


@dataclass(frozen=True)
class _Numbers:
    """A column that is an axis of an order; all of its rows are numbers."""

    info: ColumnInfo
    order: Order
    which: int

    def read(self, part: slice | Array) -> Column:
        """Some of its rows."""
        numbers = self.order.numbers(self.which, part)
        return Column(self.info, numbers.astype(axis_dtype(self.info.type), copy=False), None, None)
