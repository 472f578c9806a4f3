"""A question of a part of a table, as the worker that holds the part has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bigviz.common.workers import Crew
from bigviz.data.dataset_slice import DatasetSlice
from bigviz.tiles.cluster.messages import PartLayer, layer_of

__all__ = ["Question"]


@dataclass(frozen=True)
class Question:
    """What is asked of a part; `crew` does the work, for as long as somebody waits for it."""

    part: DatasetSlice
    head: Mapping[str, Any]
    crew: Crew

    @property
    def layer(self) -> PartLayer:
        """The layer that is asked about."""
        return layer_of(self.head["layer"])
