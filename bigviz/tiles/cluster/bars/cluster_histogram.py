"""A histogram over the parts of a table that workers hold: bins of the range of all rows, whose counts are added up."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bigviz.aggregate.layer import Layer
from bigviz.aggregate.value_kind import value_kind
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.errors import Busy
from bigviz.common.workers import Crew
from bigviz.data.dataset import Dataset
from bigviz.tiles.answers.answer import Estimate
from bigviz.tiles.answers.bars import Bars
from bigviz.tiles.answers.layer_info import LayerInfo, facts_of
from bigviz.tiles.bars.bar_facts import with_heights
from bigviz.tiles.bars.bin_edges import BinRule, Edges
from bigviz.tiles.bars.binned import Binned
from bigviz.tiles.bars.histogram import Counted, bars_of, line_below
from bigviz.tiles.cluster.cluster_layer import ClusterLayer, refused
from bigviz.tiles.cluster.cluster_points import widened
from bigviz.tiles.cluster.lines.cluster_line import is_sorted, rows_by_x
from bigviz.tiles.cluster.messages import arrays_of
from bigviz.tiles.cluster.parts.division import Part
from bigviz.tiles.cluster.workers import Moved
from bigviz.tiles.grid.window import Number, check_window
from bigviz.tiles.selection.chosen import Chosen
from bigviz.tiles.selection.region import Region

__all__ = ["ClusterHistogram"]

Array = npt.NDArray[Any]
Window = tuple[Number, Number]


@dataclass(frozen=True, eq=False)
class ClusterHistogram(Binned, ClusterLayer):
    """Everything that answers for a histogram of a dataset that workers hold. `survey` and `axes` are those of the
    column over itself; `dtype` is what the reduction adds up in (None: rows are only counted), `categories` the labels
    under `by`."""

    dtype: np.dtype[Any] | None
    categories: tuple[str, ...] | None

    @cached_property
    def rule(self) -> BinRule | None:
        """Where the bins lie; None without rows."""
        if self.survey.low is None or self.survey.high is None:
            return None
        return BinRule(self.survey.low[0], self.survey.high[0], self.layer.bins, self.axes[0].slice(0, 0)[0].dtype)

    def facts(self, dataset: Dataset, layer: Layer) -> LayerInfo:
        """What is known of the layer."""
        below = line_below(layer)
        found = facts_of(dataset, below, self.survey, self.axes, None, is_sorted(self), self.rows_kept)
        found = replace(found, value=value_kind(layer.reduction, dataset))
        return with_heights(found, layer, self._whole_held, self.categories)

    def bars_held(self, low: Number, high: Number, cancel: Cancel = NEVER) -> tuple[Bars, Estimate]:
        """The bars of the rows that are held now, in the bins of all rows, and their share."""
        check_window(low, high, "x")
        edges = self._edges_of(low, high)
        return self._of_held(lambda parts: self._made(edges, parts, cancel))

    @property
    def _whole_held(self) -> Bars:
        """The bars of all of the range; until all rows are held, those of the ones that are."""
        if "whole" in self.__dict__ or len(self.held_parts()) == len(self.parts):
            with suppress(Moved):  # a worker was lost meanwhile
                return self.whole
        edges = self._edges_of(*(None, None) if self.rule is None else (self.rule.low, self.rule.high))
        if not self.held_parts():
            return self._made(edges, (), NEVER)
        with suppress(Busy):
            return self._of_held(lambda parts: self._made(edges, parts, NEVER))[0]
        return self._made(edges, (), NEVER)

    def _edges_of(self, low: Number | None, high: Number | None) -> Edges:
        if self.rule is None or low is None or high is None:
            return Edges(np.empty(0, np.float64), 0, False)
        return self.rule.edges(low, high)

    def rows(
        self, dataset: Dataset, layer: Layer, x: Window, y: Window, limit: int, cancel: Cancel = NEVER
    ) -> tuple[pa.Table, int]:
        """True rows of the half-open window of x in x order, at most `limit`, and how many there are; y says
        nothing."""
        return rows_by_x(self, dataset, layer, x, x, limit, cancel)

    def select(self, dataset: Dataset, layer: Layer, region: Region, crew: Crew) -> tuple[Chosen, ...]:
        """Raises BadInput: this process has no rows."""
        raise refused("rows in this process")

    def _bars(self, edges: Edges, cancel: Cancel) -> Bars:
        return self._made(edges, self.parts, cancel)

    def _made(self, edges: Edges, parts: Sequence[Part], cancel: Cancel) -> Bars:
        begun = time.perf_counter()
        counted = self._counted(edges, parts, cancel)
        return bars_of(self.layer, edges, counted, self.categories, self.axes[0].column.info, begun)

    def _counted(self, edges: Edges, parts: Sequence[Part], cancel: Cancel) -> Counted:
        """What parts have in some bins, added up in their order."""
        reduction, looked = self.layer.reduction, 0
        numbers, planes = np.zeros(len(edges), np.int64), None
        if self.dtype is not None:
            planes = reduction.create((1, len(edges)), self.dtype, len(self.categories or ()), cancel.check)
        asked = {
            "ask": "bin_counts",
            "edges": edges.values.tolist(),
            "dtype": edges.values.dtype.str,
            "first": edges.first,
            "closed": edges.closed,
        }
        for answer in self.ask(asked, cancel, parts) if len(edges) else ():
            own, *found = (each for each in arrays_of(answer.head["arrays"], answer.bodies) if each is not None)
            numbers += own
            looked += answer.head["rows"]
            if planes is not None and self.dtype is not None:
                reduction.combine(planes, widened(reduction, tuple(found), self.dtype))
        return Counted(numbers, planes, looked)
