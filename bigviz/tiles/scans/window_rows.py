"""The rows of a rectangle of cells, if they are few: picked out in a pass over all, and put in order in memory."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.axis import Axis
from bigviz.aggregate.reductions.base import Reduction
from bigviz.aggregate.spaces import Space
from bigviz.common.workers import Crew
from bigviz.data.columns.column import Column
from bigviz.data.columns.concat import joined
from bigviz.tiles.answers.points_layer import PointsLayer
from bigviz.tiles.grid.batches import Batch
from bigviz.tiles.grid.survey import Survey
from bigviz.tiles.grid.tile_key import Codes
from bigviz.tiles.morton.codes import Coded, rows_within
from bigviz.tiles.morton.order import Excerpt, build_order
from bigviz.tiles.pyramid.layer_columns import gather_inputs
from bigviz.tiles.pyramid.pyramid import Pyramid

__all__ = ["Focus", "Picked", "Recipe", "contains"]

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Recipe:
    """A reduction, the dtypes of its accumulators and of its column, and the labels of its category (None without)."""

    reduction: Reduction
    dtype: np.dtype[Any]
    own: np.dtype[Any]
    labels: tuple[str, ...] | None


@dataclass(frozen=True)
class _Part:
    """Some picked rows: their numbers, codes, and columns in the order of the batch."""

    numbers: npt.NDArray[np.int64]
    x: npt.NDArray[np.uint32]
    y: npt.NDArray[np.uint32]
    columns: Sequence[Column]

    def within(self, codes: Codes) -> _Part:
        keep = (self.x >= codes[0]) & (self.x <= codes[1]) & (self.y >= codes[2]) & (self.y <= codes[3])
        if keep.all():
            return self
        columns = [column.take(keep) for column in self.columns]
        return _Part(self.numbers[keep], self.x[keep], self.y[keep], columns)


class Picked:
    """Collects the rows of a rectangle of codes while they are at most `most`; beyond that, those of the next one.

    Each rectangle lies within the one before. `codes` is the present one, None once all held too many rows. Safe to use
    from any number of threads.
    """

    def __init__(self, rectangles: Sequence[Codes], most: int) -> None:
        self._waiting = list(rectangles)
        self._most = most
        self._parts: list[_Part] = []
        self._rows = 0
        self._lock = threading.Lock()
        self.codes: Codes | None = self._waiting.pop(0) if self._waiting else None

    def add(self, batch: Batch, start: int, coded: Coded) -> None:
        """Look at rows of a batch from its row `start` on."""
        codes = self.codes
        if codes is None:
            return
        places = rows_within(coded, codes)
        if not len(places):
            return
        columns = [column.take(places + start) for column in batch.columns]
        part = _Part(places + (batch.first + start), coded.x[places], coded.y[places], columns)
        with self._lock:
            if self.codes is not None:
                self._put(part.within(self.codes))

    def _put(self, part: _Part) -> None:
        self._parts.append(part)
        self._rows += len(part.numbers)
        while self._rows > self._most and self.codes is not None:
            self.codes = self._waiting.pop(0) if self._waiting else None
            smaller = self.codes
            self._parts = [] if smaller is None else [each.within(smaller) for each in self._parts]
            self._rows = sum(len(each.numbers) for each in self._parts)

    def focus(
        self, known: Sequence[Column], spaces: tuple[Space, Space], survey: Survey, recipe: Recipe
    ) -> Focus | None:
        """The rows of the present rectangle as a layer; None where they were too many. `known` are the batches' columns
        without rows, x and y first."""
        if self.codes is None:
            return None
        parts = [part for part in self._parts if len(part.numbers)]
        numbers = np.concatenate([np.empty(0, np.int64), *(part.numbers for part in parts)])
        by_number = np.argsort(numbers)
        together = [
            joined([part.columns[k] for part in parts]).take(by_number) if parts else column
            for k, column in enumerate(known)
        ]
        x, y = Axis(together[0], spaces[0]), Axis(together[1], spaces[1])
        crew = Crew(1)
        made = build_order(x, y, True, crew, survey)
        order = Excerpt(survey, made.guard, made.numbered, made.far, made.axes, numbers[by_number])
        columns = {column.info.name: column for column in together}
        inputs = gather_inputs(order, recipe.reduction, columns, crew)
        inputs = replace(inputs, dtype=recipe.dtype, own=recipe.own, labels=recipe.labels)
        needed = {name: columns[name] for name in recipe.reduction.columns}
        return Focus(self.codes, PointsLayer(x, y, order, Pyramid(order.guard, inputs), needed))


@dataclass(frozen=True)
class Focus:
    """All rows of a rectangle of codes, as a layer that answers for it. Far rows are in none."""

    codes: Codes
    layer: PointsLayer

    @property
    def nbytes(self) -> int:
        """Bytes held, roughly: rows in order, and their columns twice."""
        order = self.layer.order
        held = (self.layer.x.column, self.layer.y.column, *self.layer.loaded.values())
        return order.nbytes + 8 * len(order.rows) + 2 * sum(column.values.nbytes for column in held)


def contains(outer: Codes, inner: Codes) -> bool:
    """Whether a rectangle of codes lies within another."""
    return outer[0] <= inner[0] and inner[1] <= outer[1] and outer[2] <= inner[2] and inner[3] <= outer[3]
