"""Bars by category, built: one pass over the rows adds each to the bar of its label."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bigviz.aggregate.dyadic_cells import root_of
from bigviz.aggregate.layer import Layer
from bigviz.aggregate.layer_options import SORTS
from bigviz.aggregate.reductions.base import Planes, Reduction, Rows
from bigviz.aggregate.spaces import space
from bigviz.aggregate.value_kind import value_kind
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.errors import TooLarge
from bigviz.common.workers import Crew
from bigviz.data.columns.column import Column, ColumnInfo
from bigviz.data.dataset import Dataset
from bigviz.tiles.answers.answer import Cost
from bigviz.tiles.answers.bars import Bars
from bigviz.tiles.answers.layer_answers import Held
from bigviz.tiles.answers.layer_info import LayerInfo
from bigviz.tiles.answers.row_lookup import rows_table
from bigviz.tiles.answers.shared_answers import SingleVersion
from bigviz.tiles.bars.bar_facts import with_heights
from bigviz.tiles.bars.no_tiles import NoTiles
from bigviz.tiles.grid.row_filter import row_filter
from bigviz.tiles.grid.window import Number, check_window, within
from bigviz.tiles.scans.scan_factory import accumulator_dtype, check_categories, head_of
from bigviz.tiles.selection.chosen import Chosen, NumberedRows
from bigviz.tiles.selection.region import Region
from bigviz.tiles.selection.row_set import RowSet

__all__ = ["MOST_BARS", "BarLayer", "Summed", "build_bars", "finished_bars", "labels_of", "no_rows", "summed"]

Array = npt.NDArray[Any]
Window = tuple[Number, Number]

MOST_BARS: Final = 4_096
_STAGE: Final = "counting by label"


@dataclass(frozen=True)
class BarLayer(NoTiles, SingleVersion):
    """Everything that answers for bars by category. `code_column` is the column whose labels they are of,
    `order` the code of each bar; `unlabelled` rows have none, whatever the filter, and `kept` rows meet it."""

    layer: Layer
    found: Bars
    code_column: str
    order: npt.NDArray[np.int64]
    unlabelled: int
    kept: int

    def facts(self, dataset: Dataset, layer: Layer) -> LayerInfo:
        """What is known of the layer. Numbers of x are the places of bars, `x_categories` their labels."""
        count = self.found.bins
        root = root_of(0, count - 1) if count else root_of(None, None)
        own = dataset.info(layer.x)
        x = ColumnInfo(own.name, pa.dictionary(pa.int32(), pa.string()), "category", None)
        found = LayerInfo(
            root,
            root,
            (int(root.start), 0, int(root.stop), 1),
            (0, 0, count - 1, 1) if count else None,
            dataset.num_rows,
            self.unlabelled,
            0,
            self.kept,
            dataset.version,
            layer.reduction,
            None,
            value_kind(layer.reduction, dataset),
            x,
            x,
            self.found.names,
            None,
            True,
        )
        return with_heights(found, layer, self.found, self.found.categories)

    def held(self) -> Iterator[Held]:
        """The memory that it holds."""
        yield Held("columns", self.found, self.found.values.nbytes + self.found.rows.nbytes)

    def bars(self, low: Number, high: Number, cancel: Cancel = NEVER) -> Bars:
        """All bars, whatever the window."""
        check_window(low, high, "x")
        return self.found

    def rows(
        self, dataset: Dataset, layer: Layer, x: Window, y: Window, limit: int, cancel: Cancel = NEVER
    ) -> tuple[pa.Table, int]:
        """True rows of the bars whose places lie in the half-open window of x, in file order, at most `limit`, and how
        many there are; y says nothing."""
        found, matched = [np.empty(0, np.int64)], 0
        for rows in self.numbers_in(dataset, layer, x, cancel):
            found.append(rows[: max(limit - matched, 0)])
            matched += len(rows)
        return rows_table(dataset, layer, np.concatenate(found)), matched

    def select(self, dataset: Dataset, layer: Layer, region: Region, crew: Crew) -> tuple[Chosen, ...]:
        """The rows of the bars in the half-open window of x; y says nothing."""
        found = RowSet(dataset.first_row, dataset.num_rows)
        for rows in self.numbers_in(dataset, layer, region.windows[0], crew.cancel):
            found.add(rows)
        return (NumberedRows(found),)

    def numbers_in(self, dataset: Dataset, layer: Layer, x: Window, cancel: Cancel) -> Iterator[Array]:
        """The numbers of the rows of the bars in a window, in file order."""
        wanted = np.zeros(len(self.order), np.bool_)
        wanted[self.order[within(np.arange(len(self.order)), *x)]] = True
        keep = row_filter(dataset, layer)
        for piece, (start, count) in enumerate(dataset.chunks()):
            kept = None if keep is None else keep.masks(start, start + count, cancel)
            for first, (column,) in dataset.read(piece, (self.code_column,), cancel):
                cancel.check()
                inside = wanted[column.values] if len(wanted) else np.zeros(len(column), np.bool_)
                if kept is not None:
                    inside = inside & kept(len(column))
                yield first + np.flatnonzero(inside if column.valid is None else inside & column.valid)


def build_bars(dataset: Dataset, layer: Layer, crew: Crew) -> BarLayer:
    """Read the rows once. Raises what reading raises, TooLarge for too many labels, and Cancelled."""
    labels, kinds = labels_of(dataset, layer, crew)
    return finished_bars(dataset, layer, labels, kinds, summed(dataset, layer, labels, kinds, crew))


def labels_of(dataset: Dataset, layer: Layer, crew: Crew) -> tuple[tuple[str, ...], tuple[str, ...] | None]:
    """The labels of bars, and those of the categories under `by`. Raises TooLarge where they are too many."""
    labels = dataset.labels(dataset.info(layer.x).label_column, crew.cancel)
    if len(labels) > MOST_BARS:
        raise TooLarge(f"bar shows at most {MOST_BARS:,} labels, and {layer.x!r} has {len(labels):,}", "x", len(labels))
    category = layer.reduction.category
    if category is None:
        return labels, None
    kinds = dataset.labels(category, crew.cancel)
    check_categories(category, kinds)
    return labels, kinds


def finished_bars(
    dataset: Dataset, layer: Layer, labels: tuple[str, ...], kinds: tuple[str, ...] | None, found: Summed
) -> BarLayer:
    """The layer of what was found of all rows."""
    reduction, info = layer.reduction, dataset.info(layer.x)
    planes, seen, counts = found
    shape = (1 if kinds is None else len(kinds), len(labels))
    grid = reduction.finalize(planes)
    values = grid.values.reshape(shape)
    values = values.astype(np.int64) if values.dtype == np.uint32 else values
    filled = grid.filled.reshape(shape) | reduction.traits.zero
    rows = seen[np.newaxis] if kinds is None else planes[-1].reshape(shape).astype(np.int64)
    order = _order(layer.sort, values, filled)
    spaces = space("linear", "x"), space(layer.yaxis, "y")
    bars = Bars(
        np.arange(len(labels) + 1) - 0.5, values[:, order], filled[:, order], rows[:, order], 0, info, spaces, False,
        reduction.traits.zero, kinds,
        tuple(labels[at] for at in order.tolist()), Cost(rows=dataset.num_rows),
    )  # fmt: skip
    return BarLayer(layer, bars, info.label_column, order, *counts.tolist())


def _order(sort: str, values: Array, filled: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """The labels' codes in the order of their bars: the largest first, without a value last, else by label; or those
    that `sort` gives, as it does for a part of a table."""
    codes = np.arange(values.shape[1])
    if sort not in SORTS:
        return np.array(sort.split(), np.int64)
    if sort == "label":
        return codes
    sums = np.where(filled, values, 0).sum(axis=0)
    some = np.logical_or.reduce(filled, axis=0).tolist()
    return np.array(sorted(codes.tolist(), key=lambda code: (not some[code], -sums[code].item(), code)), np.int64)


class Summed(NamedTuple):
    """The reduction's planes, one cell a label, how many kept rows each label has, and how many rows have none and how
    many are kept."""

    planes: Planes
    seen: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]

    def add(self, other: Summed, reduction: Reduction) -> None:
        """Take in what was found of later rows."""
        reduction.combine(self.planes, other.planes)
        self.seen[:] += other.seen
        self.counts[:] += other.counts


def summed(
    dataset: Dataset, layer: Layer, labels: tuple[str, ...], kinds: tuple[str, ...] | None, crew: Crew
) -> Summed:
    """What there is of each label: pieces are added by themselves, and put together in their order, so that a sum has
    the same bits on any number of threads."""
    reduction, keep, name = layer.reduction, row_filter(dataset, layer), dataset.info(layer.x).label_column
    names = list(dict.fromkeys((name, *reduction.columns)))
    dtype = np.dtype(np.uint32)
    if reduction.column is not None:
        own = head_of(dataset, reduction.column, crew.cancel).values.dtype
        dtype = accumulator_dtype(dataset, reduction, own, crew)
    parts: dict[int, Summed] = {}
    pieces = dataset.chunks()

    def create() -> Summed:
        return no_rows(reduction, len(labels), dtype, len(kinds or ()), crew.cancel)

    def add(piece: int) -> int:
        planes, seen, counts = parts[piece] = create()
        start, rows = pieces[piece]
        kept = None if keep is None else keep.masks(start, start + rows, crew.cancel)
        for first, columns in crew.paced(dataset.read(piece, names, crew.cancel)):
            held = dict(zip(names, columns, strict=True))
            cells, valid = held[name].values.astype(np.int32), held[name].valid
            if valid is not None:
                cells = np.where(valid, cells, np.int32(-1))
            mask = np.ones(len(cells), np.bool_) if kept is None else kept(len(cells))
            counts += np.count_nonzero(cells < 0), np.count_nonzero(mask)
            cells = np.where(mask, cells, np.int32(-1))
            reduction.append(planes, cells, _rows(reduction, held, first))
            seen += np.bincount(cells[cells >= 0], minlength=len(labels))
        return pieces[piece][1]

    crew.run(_STAGE, add, range(len(pieces)), dataset.num_rows)
    whole = create()
    for piece in range(len(pieces)):
        whole.add(parts[piece], reduction)
    return whole


def no_rows(reduction: Reduction, labels: int, dtype: np.dtype[Any], kinds: int, cancel: Cancel) -> Summed:
    """What there is of so many labels without rows."""
    planes = reduction.create((1, labels), dtype, kinds, cancel.check)
    return Summed(planes, np.zeros(labels, np.int64), np.zeros(2, np.int64))


def _rows(reduction: Reduction, held: dict[str, Column], first: int) -> Rows:
    """What a reduction reads of a batch whose first row has the number `first`."""
    values = valid = codes = None
    if reduction.column is not None:
        column = held[reduction.column]
        values, valid = column.slice(0, len(column))
    if reduction.category is not None:
        column = held[reduction.category]
        codes = column.values if column.valid is None else np.where(column.valid, column.values, -1)
    size = len(next(iter(held.values())))
    return Rows(values, valid, np.arange(first, first + size) if reduction.ordered else None, codes)
