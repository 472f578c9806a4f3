"""A layer of a line of a dataset that grows, in one version of it."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

from bigviz.data.appending.growth import Version
from bigviz.tiles.answers.layer_answers import Held
from bigviz.tiles.answers.line_layer import LineLayer
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.grid.window import Number
from bigviz.tiles.segments.growing_mask import Filtering
from bigviz.tiles.segments.lines.line_index import LineIndex, LineVersion

__all__ = ["StreamedLine"]


@dataclass(frozen=True)
class StreamedLine(LineLayer):
    """A line whose rows other versions share; `index`, which the next version is made from, lives as long as it. So do
    the `filtering` of a filtered one, and the line of all rows, `below` it."""

    version: LineVersion
    index: LineIndex
    filtering: Filtering | None = None
    below: StreamedLine | None = None

    def held(self) -> Iterator[Held]:
        """The memory that it holds, with that of the line below."""
        yield from super().held()
        if self.filtering is not None:
            yield Held("series", self.filtering.kept.bits, self.filtering.kept.nbytes)
        if self.below is not None:
            yield from self.below.held()

    @property
    def spans_versions(self) -> bool:
        """True: versions share what they hold."""
        return True

    def state(self, key: TileKey) -> Hashable:
        """The version in which the tile has changed last, and the roots that it is a tile of."""
        return self.survey.x, self.survey.y, self._last(key)

    def changed(self, before: Version, keys: Sequence[TileKey]) -> list[bool] | None:
        """Which tiles differ from those of an earlier version."""
        if self.version.rooted > before.version:
            return None
        return [self._last(key) > before.version for key in keys]

    def changed_from(self, before: Version) -> Number | None:
        """The x of the last row before what is new; infinity where nothing is."""
        lowest = self.version.changes.since(before.version)
        return None if lowest == -math.inf else lowest

    def _last(self, key: TileKey) -> int:
        root = self.survey.x
        return self.version.changes.last(root.edge(key.zx, key.i), root.edge(key.zx, key.i + 1))
