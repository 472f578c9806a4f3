"""Images of tables that are read in batches: ranges and labels first, where they are not known, then the rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.canvas.axes import Ends, ends, joined
from bigviz.aggregate.canvas.batches import Batches
from bigviz.aggregate.canvas.rows import TableRows, Wanted
from bigviz.aggregate.glyphs.bins import Bins
from bigviz.aggregate.glyphs.line import add_line
from bigviz.aggregate.glyphs.points import PointRows, PointsImage
from bigviz.aggregate.inputs import FLOAT64, Numbers
from bigviz.aggregate.reductions.base import Grid, Planes, Reduction
from bigviz.aggregate.reductions.by import By
from bigviz.aggregate.reductions.sums import Sum, TimeMean
from bigviz.common.cancel import NEVER
from bigviz.common.errors import BadInput
from bigviz.common.workers import usable_cores
from bigviz.data.columns.column import Column, ColumnInfo

__all__ = ["Survey", "lines_in_batches", "points_in_batches"]

Array = npt.NDArray[Any]

_APART: Final = 2  # rows a cell that pay for planes of their own


@dataclass(frozen=True)
class Survey:
    """What is known of a table before it is drawn.

    `ends` are those of both axes, None where they are not asked for or there is no number; `labels` those of all rows,
    in the order that every batch declares, else sorted; `dtype` that of the accumulators.
    """

    lazy: Batches
    wanted: Wanted
    reduction: Reduction
    infos: tuple[ColumnInfo, ColumnInfo]
    ends: tuple[Ends | None, Ends | None]
    labels: list[Any]
    dtype: np.dtype[Any]

    @staticmethod
    def of(lazy: Batches, wanted: Wanted, sides: tuple[bool, bool]) -> Survey:
        """Look at one batch, or at all of them where a side's ends, labels or the extremes of summed integers are
        unknown."""
        batches = (TableRows.of(each, wanted) for each in lazy.read(wanted.columns))
        first = next(batches)
        plane, values = first.reduction.plane, first.inputs.values
        whole = values is not None and values.values.dtype.kind in "iu"
        sums = whole and isinstance(plane, Sum) and not isinstance(plane, TimeMean)
        found = _Found()
        found.add(first, sides, sums)
        if any(sides) or sums or isinstance(first.reduction, By):
            for rows in batches:
                found.add(rows, sides, sums)
        dtype = FLOAT64 if values is None else first.reduction.accumulator_of(
            values.values.dtype, found.rows, lambda: found.extremes
        )  # fmt: skip
        x, y = (joined(each) for each in found.ends)
        labels = found.labels(isinstance(first.reduction, By) and first.reduction.numbers)
        return Survey(lazy, wanted, first.reduction, first.infos, (x, y), labels, dtype)

    def rows(self) -> Iterator[TableRows]:
        """The rows in batches, with the accumulators and labels of all of them, and their numbers where they count."""
        places = {label: place for place, label in enumerate(self.labels)}
        before = 0
        for each in (TableRows.of(each, self.wanted) for each in self.lazy.read(self.wanted.columns)):
            numbers = np.arange(before, before + len(each)) if self.reduction.ordered else None
            inputs = replace(each.inputs, dtype=self.dtype, numbers=numbers)
            self._check_kind(each)
            if inputs.codes is not None:
                inputs = replace(inputs, codes=_recoded(inputs.codes, each.labels, places), categories=len(places))
            before += len(each)
            if len(each):
                yield replace(each, inputs=inputs, dataset=None)

    def _check_kind(self, rows: TableRows) -> None:
        """Accumulators of integers are made for what the first batch has; frames of dask may have floats in others."""
        values, traits = rows.inputs.values, self.reduction.traits
        if values is None or not len(rows) or traits.counts or traits.total == "any" or self.dtype.kind == "f":
            return
        if values.values.dtype.kind not in (self.dtype.kind, "b"):
            raise BadInput(
                f"{self.reduction.plane.column!r} is of {values.values.dtype} in one batch, and of {self.dtype} in the "
                "first: cast it to one type.",
                "agg",
                self.reduction.plane.column,
            )


class _Found:
    """What was found in batches: rows, the ends of their axes, the extremes of their values, and their labels."""

    def __init__(self) -> None:
        self.rows = 0
        self.ends: tuple[list[Ends], list[Ends]] = ([], [])
        self.values: list[Ends] = []
        self.known: list[list[Any]] = []

    def add(self, rows: TableRows, sides: tuple[bool, bool], sums: bool) -> None:
        """Look at a batch; at its axes and values only where these are asked for."""
        self.rows += len(rows)
        asked: list[tuple[Column | Numbers, list[Ends]]] = [
            (column, held) for column, held, side in zip((rows.x, rows.y), self.ends, sides, strict=True) if side
        ]
        if sums and rows.inputs.values is not None:
            asked.append((rows.inputs.values, self.values))
        for found, (_, held) in zip(ends([column for column, _ in asked], usable_cores()), asked, strict=True):
            held.extend([] if found is None else [found])
        if rows.labels and rows.labels not in self.known:
            self.known.append(rows.labels)

    @property
    def extremes(self) -> tuple[int, int]:
        """The smallest and the largest value, integers."""
        low, high = joined(self.values) or (0, 0)
        return int(low), int(high)

    def labels(self, numbers: bool) -> list[Any]:
        """The labels of all batches; those of integers in the order of the numbers."""
        if len(self.known) == 1:
            return self.known[0]
        found = {label for each in self.known for label in each}
        return sorted(found, key=int if numbers and found != {"False", "True"} else None)


def points_in_batches(survey: Survey, bins: tuple[Bins, Bins], reduction: Reduction) -> Grid:
    """An image of points, in the order of the batches."""
    image = PointsImage(*bins, reduction)
    planes: Planes | None = None
    for batch in _point_rows(survey):
        if planes is None:
            planes = tuple(map(np.ascontiguousarray, image.planes(batch, threads=usable_cores())))
        elif len(batch) < _APART * planes[0].size:
            image.add(planes, batch, NEVER)
        else:
            reduction.combine(planes, image.planes(batch, threads=usable_cores()))
    if planes is None or image.restarted(planes):
        planes = reduction.create((bins[1].size, bins[0].size), survey.dtype, len(survey.labels))
        for batch in _point_rows(survey):
            image.add(planes, batch, NEVER)
    return reduction.finalize(planes)


def _point_rows(survey: Survey) -> Iterator[PointRows]:
    return (PointRows(rows.x, rows.y, rows.inputs) for rows in survey.rows())


def lines_in_batches(survey: Survey, bins: tuple[Bins, Bins], reduction: Reduction) -> Grid:
    """An image of a line through all rows: the last two of a batch come again with the next one, because a segment
    joins two rows, and the row before tells whether it continues a line."""
    planes = reduction.create((bins[1].size, bins[0].size), survey.dtype, len(survey.labels))
    held: TableRows | None = None
    for batch in survey.rows():
        rows = batch if held is None else _after(held, batch)
        add_line(planes, rows.x, rows.y, *bins, reduction, rows.inputs, max(len(rows) - len(batch) - 1, 0))
        held = _rest(rows, max(len(rows) - 2, 0))
    return reduction.finalize(planes)


def _rest(rows: TableRows, start: int) -> TableRows:
    """The rows from `start` on."""
    inputs, some = rows.inputs, slice(start, None)
    values, codes = (None if each is None else each.take(some) for each in (inputs.values, inputs.codes))
    numbers = None if inputs.numbers is None else inputs.numbers[some]
    made = replace(inputs, values=values, codes=codes, numbers=numbers)
    return replace(rows, x=rows.x.take(some), y=rows.y.take(some), inputs=made)


def _after(held: TableRows, rows: TableRows) -> TableRows:
    """The rows `held`, then `rows`, as one batch."""
    before, inputs = held.inputs, rows.inputs
    numbers = None
    if before.numbers is not None and inputs.numbers is not None:
        numbers = np.append(before.numbers, inputs.numbers)
    pairs = ((before.values, inputs.values), (before.codes, inputs.codes))
    values, codes = (None if a is None or b is None else Numbers(*_appended(a, b)) for a, b in pairs)
    x, y = (Column(b.info, *_appended(a, b), b.categories) for a, b in ((held.x, rows.x), (held.y, rows.y)))
    return replace(rows, x=x, y=y, inputs=replace(inputs, values=values, codes=codes, numbers=numbers))


def _appended(first: Column | Numbers, second: Column | Numbers) -> tuple[Array, Array | None]:
    valid = None
    if first.valid is not None or second.valid is not None:
        masks = [np.ones(len(each), np.bool_) if each.valid is None else each.valid for each in (first, second)]
        valid = np.concatenate(masks)
    return np.append(first.values, second.values), valid


def _recoded(codes: Numbers, labels: list[Any], places: dict[Any, int]) -> Numbers:
    """The codes of a batch as places among all labels; codes below 0 stay as they are."""
    own = np.array([places[label] for label in labels], np.int32)
    if (own == np.arange(len(own))).all():
        return codes
    return Numbers(np.append(own, np.int32(-1))[np.maximum(codes.values, -1)], codes.valid)
