"""A layer estimated from the rows that workers hold, until all of them are held."""

from __future__ import annotations

from dataclasses import dataclass

from bigviz.aggregate.dyadic_cells import Root
from bigviz.aggregate.layer import Layer
from bigviz.common.cancel import NEVER, Cancel
from bigviz.data.dataset import Dataset
from bigviz.tiles.answers.answer import Drawn, Estimate
from bigviz.tiles.answers.bars import Bars
from bigviz.tiles.answers.columns import Columns
from bigviz.tiles.answers.layer_info import LayerInfo
from bigviz.tiles.cluster.cluster_layer import ClusterLayer
from bigviz.tiles.cluster.parts.growth import await_growth
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.grid.window import Number

__all__ = ["HeldRows"]


@dataclass(frozen=True)
class HeldRows:
    """See `bigviz.tiles.interface.SampledLayer`. It grows as workers index their parts."""

    held: ClusterLayer
    dataset: Dataset
    layer: Layer

    @property
    def roots(self) -> tuple[Root, Root]:
        return self.held.survey.x, self.held.survey.y

    @property
    def generation(self) -> int:
        return self.held.generation

    @property
    def whole(self) -> bool:
        return len(self.held.held_parts()) == len(self.held.parts)

    @property
    def facts(self) -> LayerInfo:
        return self.held.facts(self.dataset, self.layer)

    @property
    def dense(self) -> None:
        return None

    def grow(self, cancel: Cancel = NEVER) -> None:
        """Wait for another part, some time at most."""
        await_growth(self.held.noted, lambda: self.generation, cancel)

    def tile(self, key: TileKey, cancel: Cancel = NEVER) -> tuple[Drawn, Estimate]:
        key.check()
        return self.held.draw_held(key, cancel)

    def columns(self, x0: Number, x1: Number, width: int, cancel: Cancel = NEVER) -> tuple[Columns, Estimate]:
        return self.held.columns_held(x0, x1, width, cancel)

    def bars(self, x0: Number, x1: Number, cancel: Cancel = NEVER) -> tuple[Bars, Estimate]:
        return self.held.bars_held(x0, x1, cancel)
