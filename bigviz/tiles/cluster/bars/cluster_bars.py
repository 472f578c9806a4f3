"""Bars by label over the parts of a table that workers hold: each makes one pass over its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from bigviz.aggregate.layer import Layer
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.progress import Progress, no_progress
from bigviz.common.workers import Crew
from bigviz.data.dataset import Dataset
from bigviz.tiles.answers.bars import Bars
from bigviz.tiles.answers.layer_info import LayerInfo
from bigviz.tiles.answers.row_lookup import rows_table
from bigviz.tiles.bars.bars_by_label import BarLayer
from bigviz.tiles.bars.no_tiles import NoTiles
from bigviz.tiles.cluster.cluster_layer import ClusterLayer, refused
from bigviz.tiles.cluster.messages import Answer, arrays_of, layer_facts
from bigviz.tiles.cluster.parts.division import Part
from bigviz.tiles.grid.window import Number
from bigviz.tiles.selection.chosen import Chosen
from bigviz.tiles.selection.region import Region

__all__ = ["ClusterBars"]

Window = tuple[Number, Number]


@dataclass(frozen=True, eq=False)
class ClusterBars(NoTiles, ClusterLayer):
    """Everything that answers for bars by label of a dataset that workers hold. They are `known` once and for all:
    no part has an index, so none is ever missing, and rows are told by whoever holds a part."""

    known: BarLayer

    def facts(self, dataset: Dataset, layer: Layer) -> LayerInfo:
        """What is known of the layer."""
        return self.known.facts(dataset, layer)

    def bars(self, low: Number, high: Number, cancel: Cancel = NEVER) -> Bars:
        """All bars, whatever the window."""
        return self.known.bars(low, high, cancel)

    def held_parts(self) -> list[Part]:
        """All of them."""
        return list(self.parts)

    def restore(self, published: bool, progress: Progress = no_progress, cancel: Cancel = NEVER) -> None:
        """Nothing: there is no index."""

    def ask(self, asked: Mapping[str, Any], cancel: Cancel, parts: Sequence[Part] | None = None) -> list[Answer]:
        """The answers of parts (None: of all)."""
        return self.workers.ask(self.parts if parts is None else parts, {**self._told, **asked}, cancel)

    def rows(
        self, dataset: Dataset, layer: Layer, x: Window, y: Window, limit: int, cancel: Cancel = NEVER
    ) -> tuple[pa.Table, int]:
        """True rows of the bars whose places lie in the half-open window of x, in file order, at most `limit`, and how
        many there are; y says nothing."""
        answers = self.ask({"ask": "bar_rows", "x": x, "limit": limit}, cancel)
        found = [each for answer in answers for each in arrays_of(answer.head["arrays"], answer.bodies)]
        numbers = np.concatenate([each for each in found if each is not None])[:limit]
        return rows_table(dataset, layer, numbers), sum(answer.head["matched"] for answer in answers)

    def select(self, dataset: Dataset, layer: Layer, region: Region, crew: Crew) -> tuple[Chosen, ...]:
        """Raises BadInput: this process has no rows."""
        raise refused("rows in this process")

    @property
    def _told(self) -> dict[str, Any]:
        """What a worker is told of the layer: also the order of bars, which does not follow from its rows."""
        order = " ".join(map(str, self.known.order.tolist()))
        return {"layer": layer_facts(replace(self.layer, sort=order)), "labels": self.named}
